"""Circuit breaker of a model or of a provider account: its state, and the suspensions that add to it.

All times are monotonic seconds that the caller passes in.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from attrs import define, field

from modelmesh._engine.foundation.failures import FailureClass
from modelmesh._engine.foundation.suspension_reasons import SuspensionReason
from modelmesh._engine.health.circuit_policy import (
    RETRY_BUDGET_CAPACITY,
    SLOW_START_S,
    SLOW_START_SHARE,
    CircuitPolicy,
)
from modelmesh._engine.health.readiness import ReadinessListener

MAX_SAMPLES = 200

KEY_FAILURES = frozenset({FailureClass.CREDENTIAL, FailureClass.PERMISSION})
"""Failures that the account's key causes."""


class BreakerState(StrEnum):
    """State of a circuit breaker."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@define(eq=False)
class CircuitBreaker:
    """Circuit breaker with suspensions, a retry budget and downtime.

    Attributes:
        state: A closed breaker allows requests, an open one none, a half-open one one request at a time.
        until: When an open breaker becomes half-open.
        generation: Increases each time the breaker opens. A result of an earlier generation cannot close it.
        consecutive_failures: Failures since the last success.
        reason: Class of the failure that opened it.
        retry_after_given: Whether the vendor stated the cooldown.
        backoff_steps: Number of openings without a success in between, by failure class. Each doubles the next cooldown.
        samples: ``(time, ok)`` of the latest results.
        probe: Number of the probe in flight, 0 for none.
        recovered_at: When it last closed.
        retry_budget: Remaining budget for retries.
        suspensions: Expiry of each suspension by its reason.
        down_since: Start of the current downtime, ``None`` while available.
        downtime: Seconds of earlier downtime.
        standby_events: Number of times that it became unavailable.
        quota_resets: Number of exhausted limits that began a new window.
        listeners: Listeners of its readiness, each with the position or mask that it gave.
    """

    state: BreakerState = BreakerState.CLOSED
    until: float = 0.0
    generation: int = 0
    consecutive_failures: int = 0
    reason: FailureClass | None = None
    retry_after_given: bool = False
    backoff_steps: dict[FailureClass, int] = field(factory=dict)
    samples: list[tuple[float, bool]] = field(factory=list, repr=False)  # an empty deque takes 760 bytes for each model
    probe: int = 0
    recovered_at: float | None = None
    retry_budget: float = RETRY_BUDGET_CAPACITY
    suspensions: dict[SuspensionReason, float] = field(factory=dict)
    down_since: float | None = field(default=None, repr=False)
    downtime: float = field(default=0.0, repr=False)
    standby_events: int = field(default=0, repr=False)
    quota_resets: int = field(default=0, repr=False)
    listeners: list[tuple[ReadinessListener, int]] = field(factory=list, repr=False)

    # -- questions --------------------------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether a request may be sent now."""
        return not self.suspensions and self.allows_requests

    @property
    def allows_requests(self) -> bool:
        """Whether the state permits a request, suspensions left aside."""
        return self.state is BreakerState.CLOSED or (self.state is BreakerState.HALF_OPEN and not self.probe)

    @property
    def available_at(self) -> float:
        """When it becomes ready without further events, 0 while it is ready."""
        if self.ready:
            return 0.0
        return max(self.until if self.state is BreakerState.OPEN else 0.0, *self.suspensions.values(), 0.0)

    @property
    def error_rate(self) -> float:
        """Share of failures among the latest samples."""
        if not self.samples:
            return 0.0
        return sum(not ok for _, ok in self.samples) / len(self.samples)

    def slow_start_weight(self, now: float) -> float:
        """Return the share of the normal load that it should get: less than 1 for a while after a recovery."""
        if self.recovered_at is None or now - self.recovered_at >= SLOW_START_S:
            return 1.0
        return max(SLOW_START_SHARE, (now - self.recovered_at) / SLOW_START_S)

    def exceeds_threshold(self, now: float, policy: CircuitPolicy) -> bool:
        """Return whether the latest results open the breaker."""
        if self.consecutive_failures >= policy.failure_threshold:
            return True
        recent = [ok for when, ok in self.samples if when > now - policy.window]
        return len(recent) >= policy.min_samples and recent.count(False) / len(recent) >= policy.error_rate_threshold

    # -- changes ----------------------------------------------------------------------------------------------------

    def try_spend(self, cost: float) -> bool:
        """Spend the cost of a retry, ``False`` when the retry budget is too small."""
        if self.retry_budget < cost:
            return False
        self.retry_budget -= cost
        return True

    def record_success(self, now: float) -> None:
        """Record a success. It does not close the breaker."""
        samples = self.samples
        samples.append((now, True))
        if len(samples) > MAX_SAMPLES:
            del samples[0]
        self.consecutive_failures = 0
        if self.retry_budget < RETRY_BUDGET_CAPACITY:
            self.retry_budget = min(RETRY_BUDGET_CAPACITY, self.retry_budget + 1)

    def record_failure(self, now: float) -> None:
        """Record a failure that counts towards opening."""
        self.samples.append((now, False))
        if len(self.samples) > MAX_SAMPLES:
            del self.samples[0]
        self.consecutive_failures += 1

    def open(self, failure: FailureClass, until: float, *, retry_after_given: bool) -> None:
        """Open, or extend an open breaker. Never shortens the time that it stays open."""
        self.state = BreakerState.OPEN
        self.generation += 1
        self.until = max(self.until, until)
        self.reason, self.retry_after_given = failure, retry_after_given
        self.probe = 0

    def advance_backoff(self, failure: FailureClass) -> None:
        """Double the next cooldown of a failure class."""
        self.backoff_steps[failure] = self.backoff_steps.get(failure, 0) + 1

    def half_open(self) -> None:
        """Permit one request, the probe."""
        self.state = BreakerState.HALF_OPEN

    def begin_probe(self, number: int) -> None:
        """Block further requests until the probe ends."""
        self.probe = number

    def end_probe(self) -> None:
        """Permit the next probe."""
        self.probe = 0

    def close(self, now: float) -> FailureClass | None:
        """Close after a success, and return the failure class that had opened it."""
        reason, self.state = self.reason, BreakerState.CLOSED
        self.reason, self.retry_after_given, self.probe = None, False, 0
        self.recovered_at = now
        return reason

    def clear(self) -> None:
        """Close by a manual step, and drop what was learned from failures. Suspensions stay."""
        self.state, self.reason, self.retry_after_given = BreakerState.CLOSED, None, False
        self.generation += 1
        self.consecutive_failures, self.until, self.probe = 0, 0.0, 0
        self.backoff_steps.clear()
        self.samples.clear()

    def restore_open(
        self,
        failure: FailureClass,
        until: float,
        now: float,
        *,
        retry_after_given: bool,
        backoff_steps: Mapping[FailureClass, int],
    ) -> None:
        """Open as in an earlier run.

        Args:
            failure: Class of the failure that had opened it.
            until: When it becomes half-open.
            now: Monotonic seconds.
            retry_after_given: Whether the vendor stated the cooldown.
            backoff_steps: Number of openings without a success in between, by failure class.
        """
        self.down_since = now if self.down_since is None else self.down_since
        self.state, self.until, self.reason, self.retry_after_given = BreakerState.OPEN, until, failure, retry_after_given
        self.generation += 1
        self.backoff_steps = dict(backoff_steps)

    def add_listener(self, listener: ReadinessListener, key: int) -> None:
        """Add a listener with its position or mask, or replace that of an earlier call."""
        self.remove_listener(listener)
        self.listeners.append((listener, key))

    def remove_listener(self, listener: ReadinessListener) -> None:
        """Stop the notifications of a listener."""
        self.listeners = [row for row in self.listeners if row[0] is not listener]

    def end_downtime(self, now: float) -> None:
        """Add the current downtime to the total."""
        if self.down_since is not None:
            self.downtime += max(now - self.down_since, 0.0)
            self.down_since = None
