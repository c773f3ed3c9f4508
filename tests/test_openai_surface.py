"""Parameter and field names of the client against the installed openai package."""

from __future__ import annotations

import inspect
from typing import Any

import openai
import pytest
from openai.types import CompletionUsage, CreateEmbeddingResponse, Embedding
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionMessage, chat_completion, chat_completion_chunk
from openai.types.completion_usage import CompletionTokensDetails, PromptTokensDetails

import modelmesh.client as ours
from modelmesh.client.parameters import OPTION_NAMES, PARAMETER_NAMES
from modelmesh.client.shapes import chat as shapes

CLIENT = openai.OpenAI(api_key="test", base_url="http://127.0.0.1:1")
APART = {"metadata"}
"""Fields of OpenAI that a reply offers as items only, because its attribute of that name is the mesh's."""


@pytest.mark.parametrize(
    ("operation", "create"),
    [("chat.completions", CLIENT.chat.completions.create), ("embeddings", CLIENT.embeddings.create)],
)
def test_parameters_are_those_of_the_openai_package(operation: str, create: Any) -> None:
    theirs = set(inspect.signature(create).parameters)
    known = PARAMETER_NAMES[operation] - OPTION_NAMES
    assert known == theirs - {"extra_headers", "extra_query", "timeout"}


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
    ],
)  # fmt: skip
def test_view_has_the_fields_of_the_openai_model(view: Any, model: Any) -> None:
    empty = view({}, None) if hasattr(view, "explain") else view({})
    assert set(model.model_fields) - APART <= set(dir(empty))
    assert all(getattr(empty, name) is None for name in set(model.model_fields) - APART)
