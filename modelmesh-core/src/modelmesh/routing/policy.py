"""The numbers that a pool routes by, with their defaults. All times in seconds."""

from __future__ import annotations

from enum import StrEnum

from attrs import field, frozen

from modelmesh.contracts.call import Limits


class Backoff(StrEnum):
    """How the wait before a second try at the same model grows."""

    FIXED = "fixed"
    EXPONENTIAL_JITTER = "exponential_jitter"
    RETRY_AFTER = "retry_after"


class RetryScope(StrEnum):
    """Where a retry goes."""

    SAME_MODEL = "same_model"
    SAME_PROVIDER = "same_provider"
    ANY = "any"


@frozen
class RetryPolicy:
    """Second tries at the same model.

    Attributes:
        max_attempts: Retries after the first try. ``None``: none while another model is ready, three when alone.
        backoff: How the wait grows.
        initial_delay: First wait.
        max_delay: Longest wait of our own choosing.
        retryable_codes: Statuses worth a second try; ``None`` leaves it to the class of failure.
        non_retryable_codes: Statuses that rotate at once; ``None`` leaves it to the class of failure.
        scope: Where a retry goes.
        honor_retry_after: Whether the vendor's own delay is kept.
    """

    max_attempts: int | None = None
    backoff: Backoff = Backoff.EXPONENTIAL_JITTER
    initial_delay: float = 0.5
    max_delay: float = 10.0
    retryable_codes: frozenset[int] | None = None
    non_retryable_codes: frozenset[int] | None = None
    scope: RetryScope = RetryScope.SAME_MODEL
    honor_retry_after: bool = True


@frozen
class CircuitPolicy:
    """When a model goes to standby, and for how long.

    Attributes:
        failure_threshold: Consecutive failures.
        error_rate_threshold: Share of failures over the window.
        window: Length of the window.
        min_samples: Requests in the window before the share counts.
        error_codes: Statuses that count; ``None``: every failure of the server or the network.
        cooldown: Standby after a failure; literal when set, else 30 s doubling to 300 s.
        probe_interval: Standby after a refused key; literal when set, else 300 s doubling to an hour.
    """

    failure_threshold: int = 3
    error_rate_threshold: float = 0.5
    window: float = 30.0
    min_samples: int = 10
    error_codes: frozenset[int] | None = None
    cooldown: float | None = None
    probe_interval: float | None = None


OPEN_S, OPEN_CAP_S = 30.0, 300.0
"""How long a circuit stays open the first time and at most, when no cooldown was configured."""

PROBE_SILENT_S = 30.0
"""After this long without a result a probe no longer blocks the next one."""


@frozen
class PoolPolicy:
    """Everything a flow asks of its pool.

    Attributes:
        limits: Deadlines of an attempt and of the request.
        max_attempts: Upstream calls of one request over all candidates.
        retry: Second tries at the same model.
        circuit: Standby.
        longest_wait: Longest wait inside a request for a vendor's delay.
        panic: Whether the model due soonest is tried when every one is off.
    """

    limits: Limits = field(factory=Limits)
    max_attempts: int = 4
    retry: RetryPolicy = RetryPolicy()
    circuit: CircuitPolicy = CircuitPolicy()
    longest_wait: float = 120.0
    panic: bool = True
