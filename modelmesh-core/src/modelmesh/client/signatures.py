"""Signatures of the ``create`` methods, shared by the clients for threads and for asyncio and by their raw interfaces.

Each protocol is generic in the return type. ``**extra`` accepts a vendor's own parameters. The strict protocols do not, so a type
checker reports every unknown name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Literal, Protocol, TypeVar, Unpack, overload

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
CallT = TypeVar("CallT", bound=Callable[..., Any])


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

    def __call__(self, **extra: Any) -> Any:
        """Request a chat completion. The parameters are OpenAI's, except those listed here.

        Args:
            model: Name of a pool or capability, or ID of a model of a pool.
            messages: The conversation.
            stream: Whether to return a stream of chunks instead of a complete answer.
            extra_headers: Request headers, sent as given.
            extra_query: Query parameters, sent as given.
            extra_body: Parameters of the body, sent as given.
            timeout: Seconds over all attempts, or an ``httpx.Timeout``.
            session_id: Name of a conversation, for session stickiness.
            preferred_provider: Key of the provider that is tried first if it is eligible.
            only_providers: Keys or names of the providers that may be tried.
            max_retries: Retries of the same model at most.
            routing_metadata: Notes for strategies.
            **extra: A vendor's own parameters, sent as given.

        Returns:
            A chat completion, or a stream of chunks with ``stream=True``.

        Raises:
            AllProvidersExhaustedError: Every attempt failed.
            NoActiveModelError: No model is eligible and available.
            BadRequestError: The request itself is wrong.
            CapabilityNotFoundError: No pool serves ``model``.
        """


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
        """Return a vector for each text. The parameters are OpenAI's, and the options of chat completions.

        Args:
            model: Name of a pool or capability, or ID of a model of a pool.
            input: A text, or a list of texts.
            dimensions: Length of the vectors.
            encoding_format: ``float`` for lists of numbers, ``base64`` for packed vectors.
            user: ID of the end user for the vendor.
            extra_headers: Request headers, sent as given.
            extra_query: Query parameters, sent as given.
            extra_body: Parameters of the body, sent as given.
            timeout: Seconds over all attempts, or an ``httpx.Timeout``.
            session_id: Name of a conversation, for session stickiness.
            preferred_provider: Key of the provider that is tried first if it is eligible.
            only_providers: Keys or names of the providers that may be tried.
            max_retries: Retries of the same model at most.
            routing_metadata: Notes for strategies.
            **extra: A vendor's own parameters, sent as given.

        Returns:
            ``data[i].embedding`` is the vector of the i-th text.

        Raises:
            AllProvidersExhaustedError: Every attempt failed.
            NoActiveModelError: No model is eligible and available.
            BadRequestError: The request itself is wrong.
            CapabilityNotFoundError: No pool serves ``model``.
        """
        ...


class StrictEmbeddingsCreate(Protocol[ReplyT_co]):
    """Signature of ``embeddings.create`` without unknown parameters."""

    def __call__(self, **parameters: Unpack[EmbeddingParameters]) -> ReplyT_co:
        """Make the call."""
        ...


def present_as(create: Callable[..., Any], result: str, wrapper: CallT) -> CallT:
    """Return a wrapper of a ``create`` method with the signature and docstring of that method.

    Args:
        create: The wrapped method.
        result: Annotation of the wrapper's result. ``{}`` stands for that of the method.
        wrapper: The wrapper.
    """
    method = getattr(create, "__func__", create)
    wrapper.__signature__ = _bound_signature(method, result)  # type: ignore[attr-defined]
    wrapper.__name__, wrapper.__doc__ = method.__name__, method.__doc__
    return wrapper


@cache
def _bound_signature(method: Callable[..., Any], result: str) -> inspect.Signature:
    signature = inspect.signature(method)
    parameters = [one for one in signature.parameters.values() if one.name != "self"]
    return signature.replace(parameters=parameters, return_annotation=result.format(signature.return_annotation))
