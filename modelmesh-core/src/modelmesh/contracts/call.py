"""Request of a client: body, options and time limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field, frozen

from modelmesh.contracts.operations import StreamKind

if TYPE_CHECKING:
    from modelmesh.contracts.caller import Caller
    from modelmesh.contracts.operations import Operation


@frozen
class CallOptions:
    """Options of one request that are not part of its body.

    Attributes:
        headers: Extra request headers, sent unchanged.
        query: Extra query parameters.
        timeout: Seconds for the request over all attempts. ``None`` applies the pool's limit.
        session_id: Identifies a conversation to strategies that keep it on one model.
        preferred_provider: Key of the provider that is tried first when it is eligible.
        metadata: Notes of the caller for strategies and logs.
        max_retries: Maximum retries of the same model. ``None`` applies the pool's policy.
        only_providers: Keys of the providers that may be tried. An empty set allows all.
        caller: The application that sent the request, with its rights and limits. ``None`` permits everything.
    """

    headers: Mapping[str, str] = field(factory=dict)
    query: Mapping[str, Any] = field(factory=dict)
    timeout: float | None = None
    session_id: str | None = None
    preferred_provider: str | None = None
    metadata: Mapping[str, Any] = field(factory=dict)
    max_retries: int | None = None
    only_providers: frozenset[str] = frozenset()
    caller: Caller | None = None


NO_OPTIONS = CallOptions()


@frozen
class PromptSize:
    """Estimated tokens of a prompt, before it is sent.

    Attributes:
        estimated: The count for ordinary prose of this length.
        prudent: The count for dense text. Real prompts seldom have more.
        most: An upper bound for text: one token for each byte.
        cached: Whether the request marks parts of the prompt for the vendor's cache, which may cost more to write.
    """

    estimated: int
    prudent: int
    most: int
    cached: bool = False


@define
class Call:
    """A request for a capability.

    Attributes:
        operation: The endpoint.
        pool: The requested virtual model name.
        payload: The body in OpenAI's format, without ``model``. Contains every parameter of the caller.
        stream: Whether the answer is streamed as events.
        options: Options that are not part of the body.
        strict: Whether a provider must reject a request that it would have to adapt to its vendor.
        output_limit: Maximum tokens of the answer, when the mesh set ``max_tokens`` in the payload because the caller set no
            limit. A connector may rename the parameter to the one that its vendor's models accept.
        prompt_size: The estimated size of the prompt. ``None`` before it is counted.
        native: The request in the caller's own format, when this call is its translation to a chat completion. A provider whose
            ``native_operations`` contain that operation receives ``native`` in place of this call.
        native_only: Why only a provider with the native operation may serve the request. Empty for a request without such a
            requirement.
        account: Key of the only account that may serve the request, because it owns what the request refers to: a file, a batch,
            a stored response. ``None`` for any account.
        relay: Whether the caller decoded a chat completion from JSON, and forwards the answer as bytes. An answer may then have
            :attr:`.Answer.raw`, and a stream may yield a :class:`~modelmesh.contracts.text_chunk.TextChunk` for a chunk that only
            adds text.
        lost: What the translation of ``native`` to this call does not express, one line each.
    """

    operation: Operation
    pool: str
    payload: dict[str, Any]
    stream: bool = False
    options: CallOptions = NO_OPTIONS
    strict: bool = False
    output_limit: int | None = None
    prompt_size: PromptSize | None = field(default=None, eq=False, repr=False)
    native: Call | None = field(default=None, repr=False)
    native_only: str = ""
    account: str | None = None
    lost: tuple[str, ...] = ()
    relay: bool = False

    @property
    def stream_kind(self) -> StreamKind | None:
        """Kind of the items of the stream, ``None`` for a request that does not stream."""
        if not self.stream:
            return None
        return StreamKind.EVENTS if self.payload.get("stream_format") == "sse" else self.operation.stream


CLOCK_TOLERANCE_S = 0.01
"""Longest time between the start of a request and its first attempt that does not shorten the limits."""


@frozen
class Limits:
    """Time limits of one attempt, in seconds from its start.

    Attributes:
        connect: Until the connection is established.
        first_content: Until the first event of a stream with content. Keep-alives do not extend it.
        gap: Between two reads of bytes.
        answer: Until the end of a non-streamed answer.
        total: Until the end of the request, over all attempts and waits.
    """

    connect: float = 5.0
    first_content: float = 120.0
    gap: float = 60.0
    answer: float = 300.0
    total: float = 600.0

    def within(self, remaining: float) -> Limits:
        """Return limits that do not exceed the remaining time of the request."""
        if remaining >= max(self.total, self.answer, self.first_content) - CLOCK_TOLERANCE_S:
            return self
        return evolve(
            self,
            connect=min(self.connect, remaining),
            first_content=min(self.first_content, remaining),
            gap=min(self.gap, remaining),
            answer=min(self.answer, remaining),
            total=min(self.total, remaining),
        )
