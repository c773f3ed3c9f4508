"""Parameter and field names of the client against the installed openai package."""

from __future__ import annotations

import inspect
from typing import Any

import openai
import pytest
from openai import types
from openai.types import CompletionUsage, CreateEmbeddingResponse, Embedding, audio, responses, uploads
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionMessage, chat_completion, chat_completion_chunk
from openai.types.completion_usage import CompletionTokensDetails, PromptTokensDetails

import modelmesh.client as ours
from modelmesh.client.parameters import OPTION_NAMES, PARAMETER_NAMES
from modelmesh.client.shapes import chat as shapes
from modelmesh.contracts.operations import OPERATIONS
from modelmesh.testing import mock_client

CLIENT = openai.OpenAI(api_key="test", base_url="http://127.0.0.1:1")
APART = {"metadata", "async_", "caller"}
"""Fields of OpenAI without a declared attribute: the mesh's attribute has the name, or one kind of item only has the field."""


ELSEWHERE = {"extra_headers", "extra_query", "timeout"}
METHODS = {
    "chat.completions": CLIENT.chat.completions.create, "embeddings": CLIENT.embeddings.create,
    "completions": CLIENT.completions.create, "responses": CLIENT.responses.create,
    "audio.speech": CLIENT.audio.speech.create, "audio.transcriptions": CLIENT.audio.transcriptions.create,
    "audio.translations": CLIENT.audio.translations.create, "images.generate": CLIENT.images.generate,
    "images.edit": CLIENT.images.edit, "moderations": CLIENT.moderations.create,
    "files.create": CLIENT.files.create, "files.list": CLIENT.files.list, "files.retrieve": CLIENT.files.retrieve,
    "files.delete": CLIENT.files.delete, "files.content": CLIENT.files.content,
    "batches.create": CLIENT.batches.create, "batches.list": CLIENT.batches.list,
    "batches.retrieve": CLIENT.batches.retrieve, "batches.cancel": CLIENT.batches.cancel,
    "uploads.create": CLIENT.uploads.create, "uploads.complete": CLIENT.uploads.complete,
    "uploads.cancel": CLIENT.uploads.cancel, "uploads.parts.create": CLIENT.uploads.parts.create,
    "responses.retrieve": CLIENT.responses.retrieve, "responses.delete": CLIENT.responses.delete,
    "responses.cancel": CLIENT.responses.cancel, "responses.input_items.list": CLIENT.responses.input_items.list,
}  # fmt: skip


@pytest.mark.parametrize("operation", METHODS)
def test_parameters_are_those_of_the_openai_package(operation: str) -> None:
    theirs = set(inspect.signature(METHODS[operation]).parameters)
    if operation == "responses.retrieve":
        theirs -= {"stream"}  # a stored response is read as a whole
    assert PARAMETER_NAMES[operation] - OPTION_NAMES == theirs - ELSEWHERE


def test_every_operation_of_the_openai_package_is_compared() -> None:
    assert METHODS.keys() | {"messages", "rerank", "search", "documents.parse"} == OPERATIONS.keys()


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("operation", METHODS)
def test_signature_of_a_method_is_that_of_its_parameters(operation: str, asynchronous: bool) -> None:
    mesh = mock_client(["x"]).mesh
    part: Any = mesh.get_client() if asynchronous else mesh.client
    for name in operation.split("."):
        part = getattr(part, name)
    method = part if callable(part) else part.create
    parameters = inspect.signature(method).parameters
    assert {name for name, one in parameters.items() if one.kind is not one.VAR_KEYWORD} == PARAMETER_NAMES[operation]
    theirs = inspect.signature(METHODS[operation]).parameters
    optional = {"voice"} | ({"model"} if operation == "responses" else set())
    required = {name for name, one in theirs.items() if one.default is one.empty} - optional
    assert {name for name, one in parameters.items() if one.default is one.empty and one.kind is not one.VAR_KEYWORD} - {
        "model"
    } == required - {"model"}
    assert method.__doc__


@pytest.mark.parametrize(
    ("view", "model"),
    [
        (ours.ChatCompletion, ChatCompletion), (ours.ChatCompletionChunk, ChatCompletionChunk),
        (ours.Choice, chat_completion.Choice), (ours.ChunkChoice, chat_completion_chunk.Choice),
        (ours.Message, ChatCompletionMessage), (ours.Delta, chat_completion_chunk.ChoiceDelta),
        (ours.ToolCallDelta, chat_completion_chunk.ChoiceDeltaToolCall), (ours.Usage, CompletionUsage),
        (shapes.PromptTokensDetails, PromptTokensDetails), (shapes.CompletionTokensDetails, CompletionTokensDetails),
        (ours.CreateEmbeddingResponse, CreateEmbeddingResponse), (ours.Embedding, Embedding),
        (shapes.Logprobs, chat_completion.ChoiceLogprobs), (shapes.Audio, chat_completion_chunk.ChoiceDeltaAudio),
        (ours.Transcription, audio.Transcription), (ours.Transcription, audio.TranscriptionVerbose),
        (ours.Transcription, audio.TranscriptionDiarized), (ours.TranscriptionWord, audio.TranscriptionWord),
        (ours.TranscriptionSegment, audio.TranscriptionSegment), (ours.TranscriptionSegment, audio.TranscriptionDiarizedSegment),
        (ours.Translation, audio.TranslationVerbose), (ours.TranscriptionEvent, audio.TranscriptionTextDeltaEvent),
        (ours.TranscriptionEvent, audio.TranscriptionTextDoneEvent), (ours.TranscriptionEvent, audio.TranscriptionTextSegmentEvent),
        (ours.ImagesResponse, types.ImagesResponse), (ours.Image, types.Image),
        (ours.ImageEvent, types.ImageGenPartialImageEvent), (ours.ImageEvent, types.ImageGenCompletedEvent),
        (ours.ImageEvent, types.ImageEditPartialImageEvent), (ours.ImageEvent, types.ImageEditCompletedEvent),
        (ours.ModerationCreateResponse, types.ModerationCreateResponse), (ours.Moderation, types.Moderation),
        (ours.Completion, types.Completion), (ours.CompletionChoice, types.CompletionChoice),
        (ours.FileObject, types.FileObject), (ours.FileDeleted, types.FileDeleted), (ours.Batch, types.Batch),
        (ours.BatchError, types.BatchError), (ours.BatchRequestCounts, types.BatchRequestCounts),
        (ours.Upload, types.Upload), (ours.UploadedFile, types.FileObject), (ours.UploadPart, uploads.UploadPart),
        (ours.Response, responses.Response), (ours.ResponseBody, responses.Response), (ours.ResponseUsage, responses.ResponseUsage),
        (ours.ResponseItem, responses.ResponseOutputMessage), (ours.ResponseItem, responses.ResponseReasoningItem),
        (ours.ResponseItem, responses.ResponseFunctionToolCall), (ours.ResponseContent, responses.ResponseOutputText),
    ],
)  # fmt: skip
def test_view_has_the_fields_of_the_openai_model(view: Any, model: Any) -> None:
    empty = view({}, None) if hasattr(view, "explain") else view({})
    assert set(model.model_fields) - APART <= set(dir(empty))
    assert all(getattr(empty, name) is None for name in set(model.model_fields) - APART)
