"""One request as it travels through the mesh."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field, frozen

if TYPE_CHECKING:
    from modelmesh.contracts.operations import Operation


@frozen
class CallOptions:
    """What the caller said about this one request that is not part of its body.

    Attributes:
        headers: Extra request headers, sent as given.
        query: Extra query parameters.
        timeout: Seconds for the whole request over all attempts; ``None`` leaves the pool's own limit.
        session_id: Identifies a conversation to strategies that keep one on one model.
        preferred_provider: Provider key that goes first when it is able.
        metadata: The caller's notes, handed to strategies and logs.
        max_retries: Retries of the same model at most; ``None`` leaves the pool's own rule.
        only_providers: Provider keys outside of which no candidate is tried; empty allows all.
    """

    headers: Mapping[str, str] = field(factory=dict)
    query: Mapping[str, Any] = field(factory=dict)
    timeout: float | None = None
    session_id: str | None = None
    preferred_provider: str | None = None
    metadata: Mapping[str, Any] = field(factory=dict)
    max_retries: int | None = None
    only_providers: frozenset[str] = frozenset()


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
        pool: The virtual model name that was asked for.
        payload: The body in OpenAI's shape, without ``model``; whatever the caller sent is in it.
        stream: Whether the answer is to come as events.
        options: What is not part of the body.
        strict: Whether a provider must refuse rather than drop or rename something for its vendor.
        output_limit: The most tokens of an answer, when the mesh set ``max_tokens`` in the payload and the caller stated no
            limit. A connector may rename the parameter to the one that its vendor's models accept.
        prompt_size: The estimated size of the prompt, once it is counted.
    """

    operation: Operation
    pool: str
    payload: dict[str, Any]
    stream: bool = False
    options: CallOptions = NO_OPTIONS
    strict: bool = False
    output_limit: int | None = None
    prompt_size: PromptSize | None = field(default=None, eq=False, repr=False)


CLOCK_TOLERANCE_S = 0.01
"""The time between the start of a request and of its first attempt, which needs no shorter limits."""


@frozen
class Limits:
    """How long one attempt may take, in seconds from its start.

    Attributes:
        connect: Until the connection stands.
        first_content: Until the first event of a stream with content. Keep-alives do not extend it.
        gap: Between two arrivals of bytes.
        answer: Until the end of an answer that is not streamed.
        total: Until the end of the request, over all attempts and waits.
    """

    connect: float = 5.0
    first_content: float = 120.0
    gap: float = 60.0
    answer: float = 300.0
    total: float = 600.0

    def within(self, remaining: float) -> Limits:
        """Return the same limits, none of them longer than what is left of the request."""
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
