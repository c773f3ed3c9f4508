"""Settings that a pool routes by, with their defaults. All times are seconds."""

from __future__ import annotations

from enum import StrEnum

from attrs import field, frozen

from modelmesh._engine.health.circuit_policy import CircuitPolicy
from modelmesh.contracts.call import Limits


class Backoff(StrEnum):
    """Growth of the wait before a retry at the same model."""

    FIXED = "fixed"
    EXPONENTIAL_JITTER = "exponential_jitter"
    RETRY_AFTER = "retry_after"


class RetryScope(StrEnum):
    """Target of a retry."""

    SAME_MODEL = "same_model"
    SAME_PROVIDER = "same_provider"
    ANY = "any"


@frozen
class RetryPolicy:
    """Retries at the same model.

    Attributes:
        max_attempts: Retries after the first try. ``None``: none while another model is ready, three at the only one.
        backoff: Growth of the wait.
        initial_delay: First wait.
        max_delay: Longest wait, unless the vendor states a longer one.
        retryable_codes: Statuses that are retried, ``None`` leaves it to the failure class.
        non_retryable_codes: Statuses that fail over at once, ``None`` leaves it to the failure class.
        scope: Target of a retry.
        honor_retry_after: Whether a delay that the vendor states is observed.
    """

    max_attempts: int | None = None
    backoff: Backoff = Backoff.EXPONENTIAL_JITTER
    initial_delay: float = 0.5
    max_delay: float = 10.0
    retryable_codes: frozenset[int] | None = None
    non_retryable_codes: frozenset[int] | None = None
    scope: RetryScope = RetryScope.SAME_MODEL
    honor_retry_after: bool = True


class Commit(StrEnum):
    """When a stream is passed to the caller. From then on a failure is visible."""

    FIRST_CONTENT = "first-content"
    BUFFER = "buffer"
    COMPLETE = "complete"


@frozen
class StreamPolicy:
    """How long a stream is buffered, so that an early failure stays invisible.

    Attributes:
        commit: At the first content, after some content, or only when it is complete.
        tokens: With ``buffer``: maximum number of buffered chunks of content.
        seconds: With ``buffer``: maximum time for which the first content is buffered.
    """

    commit: Commit = Commit.FIRST_CONTENT
    tokens: int = 32
    seconds: float = 2.0


class Adaptation(StrEnum):
    """Reaction to a parameter that must be dropped, renamed or converted for a vendor."""

    STRICT = "strict"
    WARN = "warn"
    ALLOW = "allow"


@frozen
class PoolPolicy:
    """All routing settings of a pool.

    Attributes:
        limits: Deadlines of an attempt and of the request.
        max_attempts: Maximum number of upstream calls of one request that may be billed. An untried account always gets one more.
        retry: Retries at the same model.
        circuit: Circuit breakers.
        max_retry_after: Longest delay of a vendor that a request waits for.
        panic: Whether the model that is due soonest is tried when all are unavailable.
        stream: Buffering of streams.
        adaptation: Reaction to a parameter that must be dropped, renamed or converted for a vendor.
        rotate_on_budget: Whether a request fails over when a provider's budget refuses it.
        mixed_vectors: Whether the pool serves embeddings with several models, although their vectors cannot be compared.
    """

    limits: Limits = field(factory=Limits)
    max_attempts: int = 4
    retry: RetryPolicy = RetryPolicy()
    circuit: CircuitPolicy = field(factory=CircuitPolicy)
    max_retry_after: float = 120.0
    panic: bool = True
    stream: StreamPolicy = field(factory=StreamPolicy)
    adaptation: Adaptation = Adaptation.ALLOW
    rotate_on_budget: bool = False
    mixed_vectors: bool = False


MAX_CALLS = 16
"""Maximum number of upstream calls of one request, regardless of their cost."""

RETRY_COST, THROTTLE_COST = 10.0, 5.0
"""Cost of a retry after a failure and after a throttled request, from the retry budget of the model."""
