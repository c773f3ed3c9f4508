"""Circuits: who is off, until when, and why.

A model has one, and an account (a provider entry with its key) has one. All times are monotonic seconds that the
caller hands in.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

from attrs import define, evolve, field

from modelmesh._engine.foundation.failure_rules import RULES
from modelmesh._engine.foundation.failures import Effect, FailureClass
from modelmesh._engine.health.admission_queue import AdmissionQueue
from modelmesh._engine.health.retry_policy import (
    DECREASE_FACTOR,
    MIN_CONCURRENCY,
    OUTAGE_WINDOW_S,
    OUTAGES_OF_MODELS,
    OUTAGES_OF_ONE_MODEL,
    RETRY_BUDGET_CAPACITY,
    SLOW_START_S,
    SLOW_START_SHARE,
    CircuitPolicy,
)

if TYPE_CHECKING:
    from modelmesh._engine.limits.counter import LimitCounter
    from modelmesh._engine.limits.reservations import Reservation
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh._engine.routing.pool import Pool
    from modelmesh._engine.routing.standby_policy import StandbyPolicyRunner
    from modelmesh.contracts.call import Limits

MAX_SAMPLES = 200

KEY_FAILURES = frozenset({FailureClass.CREDENTIAL, FailureClass.PERMISSION})
"""Failures that the key is to blame for."""


class SuspensionReason(StrEnum):
    """Why something is withheld though nothing failed."""

    QUOTA_EXHAUSTED = "quota_exhausted"
    BUDGET_EXCEEDED = "budget_exceeded"
    TOKEN_LIMIT = "token_limit"  # noqa: S105 - a count of tokens
    REQUEST_LIMIT = "request_limit"
    MAINTENANCE_WINDOW = "maintenance_window"
    POLICY = "policy"
    HEALTH_CHECK = "health_check"
    """The probes of a discovery connector failed."""
    DEPRECATED = "deprecated"
    """The vendor does not list it any more."""
    MANUAL = "manual"
    """By hand, in one pool; it is told of, and holds nothing in the others."""


class BreakerState(StrEnum):
    """A circuit's state."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@define(eq=False)
class CircuitBreaker:
    """Health of one thing.

    Attributes:
        state: Closed serves, open does not, half-open serves one request at a time.
        until: When an open circuit turns half-open.
        generation: Grows each time it opens; a result from before cannot close it.
        consecutive_failures: Failures in a row.
        reason: Class of the failure that opened it.
        retry_after_given: Whether the vendor named the time.
        backoff_steps: How often it opened without a success in between, by class: doubles the next cooldown.
        samples: ``(time, ok)`` of the latest results.
        probe: Number of the probe in flight, 0 for none.
        recovered_at: When it last closed again.
        retry_budget: What is left to pay second tries from.
        suspensions: Why it is withheld though nothing failed, and until when.
        counters: What is counted against it.
        down_since: When it went off, ``None`` while it is on.
        downtime: Seconds that it was off before.
        standby_events: How often it went off.
        quota_resets: How often a limit that was spent began anew.
    """

    state: BreakerState = BreakerState.CLOSED
    until: float = 0.0
    generation: int = 0
    consecutive_failures: int = 0
    reason: FailureClass | None = None
    retry_after_given: bool = False
    backoff_steps: dict[FailureClass, int] = field(factory=dict)
    samples: deque[tuple[float, bool]] = field(factory=lambda: deque(maxlen=MAX_SAMPLES), repr=False)
    probe: int = 0
    recovered_at: float | None = None
    retry_budget: float = RETRY_BUDGET_CAPACITY
    suspensions: dict[SuspensionReason, float] = field(factory=dict)
    counters: list[LimitCounter] = field(factory=list, repr=False)
    down_since: float | None = field(default=None, repr=False)
    downtime: float = field(default=0.0, repr=False)
    standby_events: int = field(default=0, repr=False)
    quota_resets: int = field(default=0, repr=False)

    def slow_start_weight(self, now: float) -> float:
        """Return how much of its full load it should be given: 1, or less for a while after a recovery."""
        if self.recovered_at is None or now - self.recovered_at >= SLOW_START_S:
            return 1.0
        return max(SLOW_START_SHARE, (now - self.recovered_at) / SLOW_START_S)

    def try_spend(self, cost: float) -> bool:
        """Take the price of a second try from the bucket; ``False`` when it is not there."""
        if self.retry_budget < cost:
            return False
        self.retry_budget -= cost
        return True

    @property
    def ready(self) -> bool:
        """Whether a request may be sent now."""
        return not self.suspensions and self.allows_requests

    @property
    def allows_requests(self) -> bool:
        """Whether no failure keeps a request from being sent now."""
        return self.state is BreakerState.CLOSED or (self.state is BreakerState.HALF_OPEN and not self.probe)

    @property
    def available_at(self) -> float:
        """When it is ready by itself, 0 when it is."""
        if self.ready:
            return 0.0
        return max(self.until if self.state is BreakerState.OPEN else 0.0, *self.suspensions.values(), 0.0)

    @property
    def error_rate(self) -> float:
        """Share of failures among the latest samples."""
        if not self.samples:
            return 0.0
        return sum(not ok for _, ok in self.samples) / len(self.samples)

    def exceeds_threshold(self, now: float, policy: CircuitPolicy) -> bool:
        """Whether the latest results are bad enough to open it."""
        if self.consecutive_failures >= policy.failure_threshold:
            return True
        recent = [ok for when, ok in self.samples if when > now - policy.window]
        return len(recent) >= policy.min_samples and recent.count(False) / len(recent) >= policy.error_rate_threshold


@define(eq=False)
class ModelHealth(CircuitBreaker):
    """Health of one model at one provider.

    Attributes:
        candidate: The model.
        leases: Attempts that it has in flight.
        standby_policy: The policy runner that keeps it in standby, ``None`` when none does.
    """

    candidate: Candidate | None = field(default=None, repr=False)
    leases: set[Lease] = field(factory=set, repr=False)
    standby_policy: StandbyPolicyRunner | None = field(default=None, repr=False)

    @property
    def in_flight(self) -> int:
        """Requests that it has in flight."""
        return len(self.leases)


@define(eq=False)
class ProviderHealth(CircuitBreaker):
    """Health of one provider entry, and how many requests it has in flight.

    Attributes:
        provider_id: Key in the configuration.
        connector_id: ID of its connector.
        names: Every name it may be referred to by.
        concurrency_limit: Requests it may have in flight; smaller for a while after the vendor throttled it.
        max_concurrency: The limit as configured.
        credential: Where its key was read: a variable's name or a place in the configuration; ``None`` when unknown.
        admission: Requests that wait for a place in flight.
        accepts: What pools were last told: whether a new request may be sent at once.
        max_retries: Second tries at one of its models at most; ``None`` leaves it to the pool.
        limits: Deadlines of its own by name, seconds; the others are the pool's.
        leases: Attempts that it has in flight.
        outages: ``(time, model)`` of the outage failures since its last answer.
    """

    provider_id: str = ""
    connector_id: str = ""
    names: tuple[str, ...] = ()
    concurrency_limit: int = 100
    max_concurrency: int = 0
    credential: str | None = None
    admission: AdmissionQueue = field(factory=AdmissionQueue, repr=False)
    accepts: bool = True
    max_retries: int | None = None
    limits: dict[str, float] = field(factory=dict)
    leases: set[Lease] = field(factory=set, repr=False)
    outages: deque[tuple[float, ModelHealth]] = field(factory=lambda: deque(maxlen=OUTAGES_OF_ONE_MODEL), repr=False)
    decreased_at: float = 0.0
    successes_at_limit: int = 0
    _merged: tuple[Limits, Limits] | None = field(default=None, init=False, repr=False)
    places: list[tuple[Pool, int]] = field(factory=list, repr=False)

    def __attrs_post_init__(self) -> None:
        self.max_concurrency = self.max_concurrency or self.concurrency_limit

    def override_limits(self, base: Limits) -> Limits:
        """Return the pool's deadlines with this account's own in their place."""
        if not self.limits:
            return base
        if self._merged is None or self._merged[0] is not base:
            self._merged = (base, evolve(base, **self.limits))
        return self._merged[1]

    def decrease_limit(self, began: float, now: float) -> None:
        """Have fewer requests in flight; once for all those that were under way together."""
        if began >= self.decreased_at:
            least = min(MIN_CONCURRENCY, self.max_concurrency)
            self.concurrency_limit = max(least, int(self.concurrency_limit * DECREASE_FACTOR))
            self.decreased_at, self.successes_at_limit = now, 0

    def increase_limit(self) -> None:
        """Count a success; as many as the limit give one place back."""
        if self.concurrency_limit < self.max_concurrency:
            self.successes_at_limit += 1
            if self.successes_at_limit >= self.concurrency_limit:
                self.concurrency_limit, self.successes_at_limit = self.concurrency_limit + 1, 0

    @property
    def is_probe_decisive(self) -> bool:
        """Whether a probe that is no request may close it: after a refused key or an outage, never against the vendor's word."""
        if (
            self.state is BreakerState.CLOSED
            or self.retry_after_given
            or self.probe
            or self.reason is None
            or math.isinf(self.until)
        ):
            return False
        return self.reason in KEY_FAILURES or RULES[self.reason].effect is Effect.COUNT_FAILURE

    @property
    def in_flight(self) -> int:
        """Requests that it has in flight."""
        return len(self.leases)

    @property
    def free_slots(self) -> int:
        """Places in flight that are neither taken nor granted to a waiting request."""
        return self.concurrency_limit - len(self.leases) - self.admission.granted_slots

    @property
    def has_room(self) -> bool:
        """Whether a new request may be sent at once: a place is free, and no earlier request waits for it."""
        return self.free_slots > 0 and not self.admission.waiting

    def has_outage(self, now: float) -> bool:
        """Whether the outage failures since the last answer speak of the whole account rather than of one model."""
        if len(self.outages) >= OUTAGES_OF_ONE_MODEL:
            return True
        return len({id(model) for when, model in self.outages if when > now - OUTAGE_WINDOW_S}) >= OUTAGES_OF_MODELS


@define(eq=False)
class Lease:
    """One attempt in flight: what its result may be applied to.

    Creating a lease changes nothing; :meth:`.health.HealthRegistry.begin` takes the place in flight.

    Attributes:
        candidate: The model.
        pool: The pool that sent the attempt, ``None`` where nothing is counted.
        generations: Generation of the model's and the account's circuit when it began.
        probes: Probe number held on each, 0 for none.
        began: Monotonic seconds.
        sent: Whether the request may have left.
        settled: Whether the result was applied, and the place given back.
        reservation: The reservation made for it, ``None`` when nothing is counted.
    """

    candidate: Candidate
    pool: Pool | None = field(default=None, repr=False)
    generations: tuple[int, int] = (0, 0)
    probes: tuple[int, int] = (0, 0)
    began: float = 0.0
    sent: bool = False
    settled: bool = False
    reservation: Reservation | None = None


class LeaseGuard:
    """Returns a lease that its owner lost, for example because an interrupt came between two steps.

    The flow, and later the stream, owns the guard. When the guard is collected before the lease was settled, the lease goes to
    the callback, which gives back the place and the reservation.
    """

    __slots__ = ("_lease", "_lost")

    def __init__(self, lease: Lease, lost: Callable[[Lease], None]) -> None:
        self._lease = lease
        self._lost = lost

    def __del__(self) -> None:
        if not self._lease.settled:
            self._lost(self._lease)
