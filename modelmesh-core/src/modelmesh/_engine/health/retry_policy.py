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


class Commit(StrEnum):
    """When a stream is handed over; from then on a failure cannot be hidden."""

    FIRST_CONTENT = "first-content"
    BUFFER = "buffer"
    COMPLETE = "complete"


@frozen
class StreamPolicy:
    """How long a stream is held back, so that an early death stays invisible.

    Attributes:
        commit: At the first content, after a while, or only when it is whole.
        tokens: With ``buffer``: pieces of content that are held back at most.
        seconds: With ``buffer``: how long the first content is held back at most.
    """

    commit: Commit = Commit.FIRST_CONTENT
    tokens: int = 32
    seconds: float = 2.0


class Adaptation(StrEnum):
    """What happens when a request has to be adapted for a vendor: something dropped or renamed."""

    STRICT = "strict"
    WARN = "warn"
    ALLOW = "allow"


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
        outage_takes_account: Whether outage failures on several models of an account open the account's own breaker.
        account_by_hand: Whether an account that went to standby stays there until it is recovered by hand.
    """

    failure_threshold: int = 3
    error_rate_threshold: float = 0.5
    window: float = 30.0
    min_samples: int = 10
    error_codes: frozenset[int] | None = None
    cooldown: float | None = None
    probe_interval: float | None = None
    outage_takes_account: bool = True
    account_by_hand: bool = False


OPEN_S, OPEN_CAP_S = 30.0, 300.0
"""How long a circuit stays open the first time and at most, when no cooldown was configured."""

PROBE_TIMEOUT_S = 30.0
"""After this long without a result a probe no longer blocks the next one."""


@frozen
class PoolPolicy:
    """Everything a flow asks of its pool.

    Attributes:
        limits: Deadlines of an attempt and of the request.
        max_attempts: Upstream calls of one request that may be billed. An account that was not tried yet always gets one more.
        retry: Second tries at the same model.
        circuit: Standby.
        max_retry_after: Longest wait inside a request for a vendor's delay.
        panic: Whether the model due soonest is tried when every one is off.
        stream: How long a stream is held back.
        adaptation: What happens when something has to be dropped or renamed for a vendor.
        rotate_on_budget: Whether a request that a provider's budget does not allow goes on to other models.
        mixed_vectors: Whether the pool serves embeddings with several models, whose vectors cannot be compared.
    """

    limits: Limits = field(factory=Limits)
    max_attempts: int = 4
    retry: RetryPolicy = RetryPolicy()
    circuit: CircuitPolicy = CircuitPolicy()
    max_retry_after: float = 120.0
    panic: bool = True
    stream: StreamPolicy = field(factory=StreamPolicy)
    adaptation: Adaptation = Adaptation.ALLOW
    rotate_on_budget: bool = False
    mixed_vectors: bool = False


SLOW_START_S, SLOW_START_SHARE = 30.0, 0.1
"""After a recovery a model's share of the load grows back over this long, from this much."""

RETRY_BUDGET_CAPACITY, RETRY_COST, THROTTLE_COST = 100.0, 10.0, 5.0
"""Second tries at one model are paid from a bucket that successes fill by one each: about one in ten, in the long run."""

MIN_CONCURRENCY, DECREASE_FACTOR = 3, 0.7
"""A throttled account may have fewer requests in flight, but never fewer than this; each success earns places back."""

MAX_CALLS = 16
"""Upstream calls of one request, whatever they cost."""

OUTAGE_WINDOW_S, OUTAGES_OF_MODELS, OUTAGES_OF_ONE_MODEL = 30.0, 2, 5
"""An account's breaker opens after outage failures on this many different models within the window, or after this many in all,
without an answer in between."""

FORGET_FEATURE_S = 3600.0
"""For how long a model that refused a parameter is not offered requests with it."""
