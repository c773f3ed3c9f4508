"""The shapes of OpenAI's chat objects, as views; facts from the types of the openai package 3.52.0 (2026-11-21)."""

from __future__ import annotations

from typing import Any

from modelmesh.client.view import View


class Function(View):
    """Name and arguments of a call; the arguments are JSON text."""

    name: str
    arguments: str


class CustomTool(View):
    """Name and free-text input of a call to a custom tool."""

    name: str
    input: str


class ToolCall(View, nested={"function": Function, "custom": CustomTool}):
    """One call the model wants made."""

    id: str
    type: str
    function: Function
    custom: CustomTool


class ToolCallDelta(View, nested={"function": Function}):
    """A piece of a call in a stream."""

    index: int
    id: str | None
    type: str | None
    function: Function | None


class Message(View, nested={"tool_calls": ToolCall, "function_call": Function}):
    """What the model said."""

    role: str
    content: str | None
    refusal: str | None
    tool_calls: list[ToolCall] | None
    function_call: Function | None
    audio: Any
    annotations: list[Any] | None
    connector: str | None


class Delta(View, nested={"tool_calls": ToolCallDelta, "function_call": Function}):
    """What a chunk adds."""

    role: str | None
    content: str | None
    refusal: str | None
    tool_calls: list[ToolCallDelta] | None
    function_call: Function | None
    connector: str | None


class Choice(View, nested={"message": Message}):
    """One of the answers."""

    index: int
    message: Message
    finish_reason: str | None
    logprobs: Any


class ChunkChoice(View, nested={"delta": Delta}):
    """One of the answers, in a stream."""

    index: int
    delta: Delta
    finish_reason: str | None
    logprobs: Any


class Usage(View):
    """Tokens, as the vendor reported them."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: Any
    completion_tokens_details: Any


class ChatCompletionChunk(View, nested={"choices": ChunkChoice, "usage": Usage}):
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


class Embedding(View):
    """One vector: numbers, or base64 text when that was asked for."""

    object: str
    index: int
    embedding: list[float]


class ModelCard(View):
    """One model of ``models.list()``; ``created`` is ``None`` where the vendor does not state it."""

    id: str
    object: str
    created: int | None
    owned_by: str


class ModelList(View, nested={"data": ModelCard}):
    """All models of all pools."""

    object: str
    data: list[ModelCard]

    def __iter__(self) -> Any:
        return iter(self.data)
