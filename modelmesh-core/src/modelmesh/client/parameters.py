"""Types of the parameters of a call, as of the openai package 3.52.0 (read 2026-11-21).

The classes here are the source for type checkers, editors and the check of misspelled names. Message and tool types are wide on
purpose: they accept dictionaries, the TypedDicts and models of the openai package, and the messages of a reply.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias, TypedDict

from modelmesh.contracts.operations import OPERATIONS, OperationScope


class Dumpable(Protocol):
    """An object that returns its fields as a dictionary, as pydantic models and replies do."""

    @property
    def model_dump(self) -> Callable[..., Any]:
        """Return the fields."""


MessageParam: TypeAlias = Mapping[str, Any] | Dumpable
"""One message of a conversation: a dictionary, a TypedDict of the openai package, or the message of a reply."""

ToolParam: TypeAlias = Mapping[str, Any] | Dumpable
"""The definition of one tool."""

ResponseFormatParam: TypeAlias = Mapping[str, Any] | Dumpable | type[Any]
"""The format of the answer, e.g. ``{"type": "json_schema", "json_schema": {…}}``."""

InputParam: TypeAlias = str | Sequence[str] | Sequence[int] | Sequence[Sequence[int]]
"""One text or several, or their token IDs."""


class TimeoutParam(Protocol):
    """A timeout with several parts, as ``httpx.Timeout`` is. The longest part counts."""

    connect: float | None
    read: float | None
    write: float | None
    pool: float | None


class CallExtras(TypedDict, total=False):
    """Options that every call accepts in addition to its parameters.

    Attributes:
        extra_headers: Further request headers.
        extra_query: Further query parameters.
        extra_body: Further keys of the body, e.g. a vendor's own parameters.
        timeout: Seconds over all attempts, or an ``httpx.Timeout``.
        session_id: Identifies a conversation to strategies that keep it on one model.
        preferred_provider: Key of the provider that is tried first when it is eligible.
        only_providers: Keys or names of the providers that may be tried.
        max_retries: Retries of the same model at most.
        routing_metadata: Notes of the caller for strategies and logs.
    """

    extra_headers: Mapping[str, Any] | None
    extra_query: Mapping[str, Any] | None
    extra_body: Mapping[str, Any] | None
    timeout: float | TimeoutParam | None
    session_id: str | None
    preferred_provider: str | None
    only_providers: Iterable[str] | None
    max_retries: int | None
    routing_metadata: Mapping[str, Any] | None


class _RequiredOfChat(TypedDict):
    model: str
    messages: Iterable[MessageParam]


class ChatParseParameters(_RequiredOfChat, CallExtras, total=False):
    """The parameters of ``chat.completions.parse`` and ``stream``, except ``response_format``."""

    audio: Mapping[str, Any] | None
    frequency_penalty: float | None
    function_call: str | Mapping[str, Any] | None
    functions: Iterable[ToolParam] | None
    logit_bias: Mapping[str, int] | None
    logprobs: bool | None
    max_completion_tokens: int | None
    max_tokens: int | None
    metadata: Mapping[str, str] | None
    modalities: Sequence[str] | None
    moderation: Mapping[str, Any] | None
    n: int | None
    parallel_tool_calls: bool | None
    prediction: Mapping[str, Any] | None
    presence_penalty: float | None
    prompt_cache_key: str | None
    prompt_cache_options: Mapping[str, Any] | None
    prompt_cache_retention: str | None
    reasoning_effort: str | None
    safety_identifier: str | None
    seed: int | None
    service_tier: str | None
    stop: str | Sequence[str] | None
    store: bool | None
    stream_options: Mapping[str, Any] | None
    temperature: float | None
    tool_choice: str | Mapping[str, Any] | None
    tools: Iterable[ToolParam] | None
    top_logprobs: int | None
    top_p: float | None
    user: str | None
    verbosity: str | None
    web_search_options: Mapping[str, Any] | None


class ChatParameters(ChatParseParameters, total=False):
    """The parameters of ``chat.completions.create``, except ``stream``. :class:`CallExtras` holds further options."""

    response_format: ResponseFormatParam | None


class _RequiredOfEmbeddings(TypedDict):
    model: str
    input: InputParam


class EmbeddingParameters(_RequiredOfEmbeddings, CallExtras, total=False):
    """The parameters of ``embeddings.create``. :class:`CallExtras` holds further options."""

    dimensions: int | None
    encoding_format: Literal["float", "base64"] | None
    user: str | None


def _names(*shapes: type[Any]) -> frozenset[str]:
    return frozenset(name for shape in shapes for name in shape.__annotations__)


OPTION_NAMES = _names(CallExtras) - {"extra_body"}
"""Options that are not part of the request body."""

FILE_ARGUMENTS: Mapping[str, frozenset[str]] = {
    "audio.transcriptions": frozenset({"file"}),
    "audio.translations": frozenset({"file"}),
    "images.edit": frozenset({"image", "mask", "markup"}),
    "files.create": frozenset({"file"}),
    "uploads.parts.create": frozenset({"data"}),
}
"""Arguments that are files, by operation."""

FILES_OR_ADDRESSES: Mapping[str, frozenset[str]] = {"documents.parse": frozenset({"document"})}
"""Arguments that are files, addresses, or objects of a vendor, by operation."""

_SHAPES = {
    "chat.completions": "modelmesh.client.parameters:ChatParameters",
    "embeddings": "modelmesh.client.parameters:EmbeddingParameters",
    "completions": "modelmesh.client.resources.completions:CompletionParameters",
    "responses": "modelmesh.client.resources.responses:ResponseParameters",
    "audio.speech": "modelmesh.client.resources.audio:SpeechParameters",
    "audio.transcriptions": "modelmesh.client.resources.audio:TranscriptionParameters",
    "audio.translations": "modelmesh.client.resources.audio:TranslationParameters",
    "images.generate": "modelmesh.client.resources.images:ImageParameters",
    "images.edit": "modelmesh.client.resources.images:ImageEditParameters",
    "moderations": "modelmesh.client.resources.moderations:ModerationParameters",
    "rerank": "modelmesh.client.resources.rerank:RerankParameters",
    "search": "modelmesh.client.resources.search:SearchParameters",
    "files.create": "modelmesh.client.resources.files:FileParameters",
    "files.list": "modelmesh.client.resources.files:FileListParameters",
    "batches.create": "modelmesh.client.resources.batches:BatchParameters",
    "batches.list": "modelmesh.client.resources.batches:BatchListParameters",
    "uploads.create": "modelmesh.client.resources.uploads:UploadParameters",
    "uploads.complete": "modelmesh.client.resources.uploads:UploadCompletionParameters",
    "uploads.parts.create": "modelmesh.client.resources.uploads:UploadPartParameters",
    "responses.retrieve": "modelmesh.client.resources.responses:ResponseRetrievalParameters",
    "responses.input_items.list": "modelmesh.client.resources.responses:InputItemListParameters",
}
"""Classes of the parameters, by operation. An operation of an account without an entry has the arguments of its path."""


_RESULT_NAMES: Mapping[str, frozenset[str]] = {
    "audio.speech": frozenset({"stream_format"}),
    "audio.transcriptions": frozenset({"response_format"}),
    "audio.translations": frozenset({"response_format"}),
}
"""Parameters that select the type of the result. Signatures list them, so the classes of the parameters do not."""


def parameter_class(operation: str) -> type[Any] | None:
    """Return the class with the parameters of an operation, ``None`` without one."""
    if operation not in _SHAPES:
        return None
    module, _, name = _SHAPES[operation].partition(":")
    found: type[Any] = getattr(importlib.import_module(module), name)
    return found


class _ParameterNames(dict[str, frozenset[str]]):
    """Names by operation. The first request of an operation imports its class of parameters."""

    def __missing__(self, operation: str) -> frozenset[str]:
        row, names = OPERATIONS.get(operation), frozenset[str]()
        if row is None:
            return names
        shape = parameter_class(operation)
        if shape is not None:
            names = _names(shape)
        if names or row.scope is OperationScope.ACCOUNT:
            names |= _names(CallExtras) | set(re.findall(r"\{(\w+)\}", row.path))
            names |= {"stream"} if row.streams else frozenset()
            names |= _RESULT_NAMES.get(operation, frozenset())
        self[operation] = names
        return names


PARAMETER_NAMES: Mapping[str, frozenset[str]] = _ParameterNames()
"""Known parameter names by operation, options included. Empty for a capability without an operation of its own."""
