"""Signatures of the ``create`` methods, shared by the clients for threads and for asyncio and by their raw interfaces.

Each protocol is generic in the return type. ``**extra`` accepts a vendor's own parameters. The strict protocols do not, so a type
checker reports every unknown name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeVar, Unpack, get_overloads, overload

from modelmesh.client.parameters import (
    ChatParameters,
    EmbeddingParameters,
    InputParam,
    MessageParam,
    ResponseFormatParam,
    TimeoutParam,
    ToolParam,
)

ReplyT_co = TypeVar("ReplyT_co", covariant=True)
StreamT_co = TypeVar("StreamT_co", covariant=True)


class ChatCreate(Protocol[ReplyT_co, StreamT_co]):
    """Signature of ``chat.completions.create``: a reply, a stream with ``stream=True``, either of them with a ``bool``."""

    @overload
    def __call__(
        self,
        *,
        model: str,
        messages: Iterable[MessageParam],
        stream: Literal[False] | None = None,
        audio: Mapping[str, Any] | None = None,
        frequency_penalty: float | None = None,
        function_call: str | Mapping[str, Any] | None = None,
        functions: Iterable[ToolParam] | None = None,
        logit_bias: Mapping[str, int] | None = None,
        logprobs: bool | None = None,
        max_completion_tokens: int | None = None,
        max_tokens: int | None = None,
        metadata: Mapping[str, str] | None = None,
        modalities: Sequence[str] | None = None,
        moderation: Mapping[str, Any] | None = None,
        n: int | None = None,
        parallel_tool_calls: bool | None = None,
        prediction: Mapping[str, Any] | None = None,
        presence_penalty: float | None = None,
        prompt_cache_key: str | None = None,
        prompt_cache_options: Mapping[str, Any] | None = None,
        prompt_cache_retention: str | None = None,
        reasoning_effort: str | None = None,
        response_format: ResponseFormatParam | None = None,
        safety_identifier: str | None = None,
        seed: int | None = None,
        service_tier: str | None = None,
        stop: str | Sequence[str] | None = None,
        store: bool | None = None,
        stream_options: Mapping[str, Any] | None = None,
        temperature: float | None = None,
        tool_choice: str | Mapping[str, Any] | None = None,
        tools: Iterable[ToolParam] | None = None,
        top_logprobs: int | None = None,
        top_p: float | None = None,
        user: str | None = None,
        verbosity: str | None = None,
        web_search_options: Mapping[str, Any] | None = None,
        extra_headers: Mapping[str, Any] | None = None,
        extra_query: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        timeout: float | TimeoutParam | None = None,
        session_id: str | None = None,
        preferred_provider: str | None = None,
        only_providers: Iterable[str] | None = None,
        max_retries: int | None = None,
        routing_metadata: Mapping[str, Any] | None = None,
        **extra: Any,
    ) -> ReplyT_co: ...

    @overload
    def __call__(
        self,
        *,
        model: str,
        messages: Iterable[MessageParam],
        stream: Literal[True],
        audio: Mapping[str, Any] | None = None,
        frequency_penalty: float | None = None,
        function_call: str | Mapping[str, Any] | None = None,
        functions: Iterable[ToolParam] | None = None,
        logit_bias: Mapping[str, int] | None = None,
        logprobs: bool | None = None,
        max_completion_tokens: int | None = None,
        max_tokens: int | None = None,
        metadata: Mapping[str, str] | None = None,
        modalities: Sequence[str] | None = None,
        moderation: Mapping[str, Any] | None = None,
        n: int | None = None,
        parallel_tool_calls: bool | None = None,
        prediction: Mapping[str, Any] | None = None,
        presence_penalty: float | None = None,
        prompt_cache_key: str | None = None,
        prompt_cache_options: Mapping[str, Any] | None = None,
        prompt_cache_retention: str | None = None,
        reasoning_effort: str | None = None,
        response_format: ResponseFormatParam | None = None,
        safety_identifier: str | None = None,
        seed: int | None = None,
        service_tier: str | None = None,
        stop: str | Sequence[str] | None = None,
        store: bool | None = None,
        stream_options: Mapping[str, Any] | None = None,
        temperature: float | None = None,
        tool_choice: str | Mapping[str, Any] | None = None,
        tools: Iterable[ToolParam] | None = None,
        top_logprobs: int | None = None,
        top_p: float | None = None,
        user: str | None = None,
        verbosity: str | None = None,
        web_search_options: Mapping[str, Any] | None = None,
        extra_headers: Mapping[str, Any] | None = None,
        extra_query: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        timeout: float | TimeoutParam | None = None,
        session_id: str | None = None,
        preferred_provider: str | None = None,
        only_providers: Iterable[str] | None = None,
        max_retries: int | None = None,
        routing_metadata: Mapping[str, Any] | None = None,
        **extra: Any,
    ) -> StreamT_co: ...

    @overload
    def __call__(
        self,
        *,
        model: str,
        messages: Iterable[MessageParam],
        stream: bool | None,
        audio: Mapping[str, Any] | None = None,
        frequency_penalty: float | None = None,
        function_call: str | Mapping[str, Any] | None = None,
        functions: Iterable[ToolParam] | None = None,
        logit_bias: Mapping[str, int] | None = None,
        logprobs: bool | None = None,
        max_completion_tokens: int | None = None,
        max_tokens: int | None = None,
        metadata: Mapping[str, str] | None = None,
        modalities: Sequence[str] | None = None,
        moderation: Mapping[str, Any] | None = None,
        n: int | None = None,
        parallel_tool_calls: bool | None = None,
        prediction: Mapping[str, Any] | None = None,
        presence_penalty: float | None = None,
        prompt_cache_key: str | None = None,
        prompt_cache_options: Mapping[str, Any] | None = None,
        prompt_cache_retention: str | None = None,
        reasoning_effort: str | None = None,
        response_format: ResponseFormatParam | None = None,
        safety_identifier: str | None = None,
        seed: int | None = None,
        service_tier: str | None = None,
        stop: str | Sequence[str] | None = None,
        store: bool | None = None,
        stream_options: Mapping[str, Any] | None = None,
        temperature: float | None = None,
        tool_choice: str | Mapping[str, Any] | None = None,
        tools: Iterable[ToolParam] | None = None,
        top_logprobs: int | None = None,
        top_p: float | None = None,
        user: str | None = None,
        verbosity: str | None = None,
        web_search_options: Mapping[str, Any] | None = None,
        extra_headers: Mapping[str, Any] | None = None,
        extra_query: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        timeout: float | TimeoutParam | None = None,
        session_id: str | None = None,
        preferred_provider: str | None = None,
        only_providers: Iterable[str] | None = None,
        max_retries: int | None = None,
        routing_metadata: Mapping[str, Any] | None = None,
        **extra: Any,
    ) -> ReplyT_co | StreamT_co: ...

    def __call__(self, **arguments: Any) -> Any:
        """Make the call."""


class StrictChatCreate(Protocol[ReplyT_co, StreamT_co]):
    """Signature of ``chat.completions.create`` without unknown parameters."""

    @overload
    def __call__(self, *, stream: Literal[False] | None = None, **parameters: Unpack[ChatParameters]) -> ReplyT_co: ...

    @overload
    def __call__(self, *, stream: Literal[True], **parameters: Unpack[ChatParameters]) -> StreamT_co: ...

    @overload
    def __call__(self, *, stream: bool | None, **parameters: Unpack[ChatParameters]) -> ReplyT_co | StreamT_co: ...

    def __call__(self, **arguments: Any) -> Any:
        """Make the call."""


class EmbeddingsCreate(Protocol[ReplyT_co]):
    """Signature of ``embeddings.create``."""

    def __call__(
        self,
        *,
        model: str,
        input: InputParam,  # noqa: A002 - OpenAI's name
        dimensions: int | None = None,
        encoding_format: Literal["float", "base64"] | None = None,
        user: str | None = None,
        extra_headers: Mapping[str, Any] | None = None,
        extra_query: Mapping[str, Any] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        timeout: float | TimeoutParam | None = None,
        session_id: str | None = None,
        preferred_provider: str | None = None,
        only_providers: Iterable[str] | None = None,
        max_retries: int | None = None,
        routing_metadata: Mapping[str, Any] | None = None,
        **extra: Any,
    ) -> ReplyT_co:
        """Make the call."""
        ...


class StrictEmbeddingsCreate(Protocol[ReplyT_co]):
    """Signature of ``embeddings.create`` without unknown parameters."""

    def __call__(self, **parameters: Unpack[EmbeddingParameters]) -> ReplyT_co:
        """Make the call."""
        ...


def typed_as(signature: Any, function: Callable[..., Any]) -> Any:
    """Return a function under the name ``create``, with the signature of a protocol for ``inspect.signature`` and ``help``."""
    declared = signature.__call__
    function.__signature__ = inspect.signature((get_overloads(declared) or [declared])[-1])  # type: ignore[attr-defined]
    function.__name__ = "create"
    return function
