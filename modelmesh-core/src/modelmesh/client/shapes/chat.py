"""Types of OpenAI's chat objects, as of the openai package 3.52.0 (read 2026-11-21)."""

from __future__ import annotations

from typing import Any

from modelmesh.client.attribute_dict import AttributeDict


class Function(AttributeDict):
    """Name and arguments of a call. The arguments are JSON text."""

    __slots__ = ()

    name: str
    arguments: str
    parsed_arguments: Any


class CustomTool(AttributeDict):
    """Name and free-text input of a call to a custom tool."""

    __slots__ = ()

    name: str
    input: str


class ToolCall(AttributeDict, nested={"function": Function, "custom": CustomTool}):
    """One tool call that the model requests."""

    __slots__ = ()

    id: str
    type: str
    function: Function
    custom: CustomTool


class FunctionDelta(AttributeDict):
    """A part of a function's name and arguments in a stream."""

    __slots__ = ()

    name: str | None
    arguments: str | None


class ToolCallDelta(AttributeDict, nested={"function": FunctionDelta}):
    """A part of a tool call in a stream."""

    __slots__ = ()

    index: int
    id: str | None
    type: str | None
    function: FunctionDelta | None


class URLCitation(AttributeDict):
    """A web page that an annotation cites."""

    __slots__ = ()

    start_index: int
    end_index: int
    title: str
    url: str


class Annotation(AttributeDict, nested={"url_citation": URLCitation}):
    """An annotation of a message, e.g. a citation."""

    __slots__ = ()

    type: str
    url_citation: URLCitation


class Audio(AttributeDict):
    """The audio answer of a model. In a stream each field may be missing."""

    __slots__ = ()

    id: str
    data: str
    expires_at: int
    transcript: str


class Message(
    AttributeDict, nested={"tool_calls": ToolCall, "function_call": Function, "audio": Audio, "annotations": Annotation}
):
    """The message of a model."""

    __slots__ = ()

    role: str
    content: str | None
    refusal: str | None
    tool_calls: list[ToolCall] | None
    function_call: Function | None
    audio: Audio | None
    annotations: list[Annotation] | None
    connector: str | None
    parsed: Any


class Delta(AttributeDict, nested={"tool_calls": ToolCallDelta, "function_call": FunctionDelta, "audio": Audio}):
    """The part of a message that a chunk adds."""

    __slots__ = ()

    role: str | None
    content: str | None
    refusal: str | None
    tool_calls: list[ToolCallDelta] | None
    function_call: FunctionDelta | None
    audio: Audio | None
    connector: str | None


class TopLogprob(AttributeDict):
    """One of the most likely tokens at a position."""

    __slots__ = ()

    token: str
    bytes: list[int] | None
    logprob: float


class TokenLogprob(AttributeDict, nested={"top_logprobs": TopLogprob}):
    """The log probability of one token."""

    __slots__ = ()

    token: str
    bytes: list[int] | None
    logprob: float
    top_logprobs: list[TopLogprob]


class Logprobs(AttributeDict, nested={"content": TokenLogprob, "refusal": TokenLogprob}):
    """Log probabilities of the tokens of a choice."""

    __slots__ = ()

    content: list[TokenLogprob] | None
    refusal: list[TokenLogprob] | None


class Choice(AttributeDict, nested={"message": Message, "logprobs": Logprobs}):
    """One of the alternative answers."""

    __slots__ = ()

    index: int
    message: Message
    finish_reason: str | None
    logprobs: Logprobs | None


class ChunkChoice(AttributeDict, nested={"delta": Delta, "logprobs": Logprobs}):
    """One of the alternative answers, in a stream."""

    __slots__ = ()

    index: int
    delta: Delta
    finish_reason: str | None
    logprobs: Logprobs | None


class PromptTokensDetails(AttributeDict):
    """Parts of the prompt tokens."""

    __slots__ = ()

    audio_tokens: int | None
    cached_tokens: int | None
    cache_write_tokens: int | None
    image_tokens: int | None
    text_tokens: int | None


class CompletionTokensDetails(AttributeDict):
    """Parts of the completion tokens."""

    __slots__ = ()

    accepted_prediction_tokens: int | None
    audio_tokens: int | None
    reasoning_tokens: int | None
    rejected_prediction_tokens: int | None
    text_tokens: int | None


class Usage(
    AttributeDict,
    nested={"prompt_tokens_details": PromptTokensDetails, "completion_tokens_details": CompletionTokensDetails},
):
    """Tokens, as the vendor reported them."""

    __slots__ = ()

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokensDetails | None
    completion_tokens_details: CompletionTokensDetails | None


class ChatCompletionChunk(AttributeDict, nested={"choices": ChunkChoice, "usage": Usage}):
    """One event of a streamed answer."""

    __slots__ = ()

    id: str
    object: str
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: Usage | None
    service_tier: str | None
    system_fingerprint: str | None
    moderation: Any
    obfuscation: str | None
