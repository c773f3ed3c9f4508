"""The arguments of a call, for type checkers and editors; OpenAI's parameters as of the openai package 3.52.0 (2026-11-21).

A name that is not here is flagged by a type checker, which finds ``temprature``. A vendor's own parameter goes into
``extra_body``; at run time every keyword travels on as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypedDict


class Extras(TypedDict, total=False):
    """Options that every call accepts in addition to its parameters.

    Attributes:
        extra_headers: Further request headers.
        extra_query: Further query parameters.
        extra_body: Further keys of the body, e.g. a vendor's own parameters.
        timeout: Seconds over all attempts, or an ``httpx.Timeout``.
        session_id: Identifies a conversation to strategies that keep one on one model.
        preferred_provider: Key of the provider that goes first when it can serve the request.
        only_providers: Keys or names of the providers outside of which no candidate is tried.
        max_retries: Retries of the same model at most.
        routing_metadata: Notes of the caller for strategies and logs.
    """

    extra_headers: Mapping[str, str] | None
    extra_query: Mapping[str, Any] | None
    extra_body: Mapping[str, Any] | None
    timeout: Any
    session_id: str | None
    preferred_provider: str | None
    only_providers: Sequence[str] | None
    max_retries: int | None
    routing_metadata: Mapping[str, Any] | None


class _ChatNeeds(TypedDict):
    """What a chat completion cannot do without."""

    model: str
    messages: Iterable[Any]


class ChatParameters(_ChatNeeds, Extras, total=False):
    """The parameters of ``chat.completions.create``, except ``stream``. :class:`Extras` holds further options."""

    audio: Any
    frequency_penalty: float | None
    function_call: Any
    functions: Iterable[Any] | None
    logit_bias: Mapping[str, int] | None
    logprobs: bool | None
    max_completion_tokens: int | None
    max_tokens: int | None
    metadata: Mapping[str, str] | None
    modalities: Sequence[str] | None
    n: int | None
    parallel_tool_calls: bool | None
    prediction: Any
    presence_penalty: float | None
    prompt_cache_key: str | None
    prompt_cache_retention: str | None
    reasoning_effort: str | None
    response_format: Any
    safety_identifier: str | None
    seed: int | None
    service_tier: str | None
    stop: str | Sequence[str] | None
    store: bool | None
    stream_options: Mapping[str, Any] | None
    temperature: float | None
    tool_choice: Any
    tools: Iterable[Any] | None
    top_logprobs: int | None
    top_p: float | None
    user: str | None
    verbosity: str | None
    web_search_options: Any


class _EmbeddingNeeds(TypedDict):
    """What embeddings cannot do without."""

    model: str
    input: str | Sequence[Any]


class EmbeddingParameters(_EmbeddingNeeds, Extras, total=False):
    """The parameters of ``embeddings.create``. :class:`Extras` holds further options."""

    dimensions: int | None
    encoding_format: Literal["float", "base64"] | None
    user: str | None
