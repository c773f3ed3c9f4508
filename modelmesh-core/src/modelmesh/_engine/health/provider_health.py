"""Health of one provider account, and the limit of its requests in flight.

The concurrency limit follows AIMD: a throttled account gets a smaller limit, and each window of successes raises it by one.
"""

from __future__ import annotations

import math
from collections import deque

from attrs import define, evolve, field

from modelmesh._engine.foundation.failure_rules import RULES
from modelmesh._engine.foundation.failures import Effect
from modelmesh._engine.health.admission_queue import AdmissionQueue
from modelmesh._engine.health.circuit_breaker import KEY_FAILURES, BreakerState, CircuitBreaker
from modelmesh._engine.health.circuit_policy import (
    DECREASE_FACTOR,
    MIN_CONCURRENCY,
    OUTAGE_WINDOW_S,
    OUTAGES_OF_MODELS,
    OUTAGES_OF_ONE_MODEL,
)
from modelmesh._engine.health.model_health import ModelHealth
from modelmesh.contracts.call import Limits


@define(eq=False)
class ProviderHealth(CircuitBreaker):
    """Health of one provider account (a provider entry with its key), and its requests in flight.

    Attributes:
        provider_id: Key in the configuration.
        connector_id: ID of its connector.
        names: Every name that may refer to it.
        concurrency_limit: Permitted requests in flight. Smaller for a while after the vendor throttled the account.
        max_concurrency: The limit as configured.
        credential: Source of its key: a variable's name or a place in the configuration, ``None`` when unknown.
        admission: Requests that wait for a place in flight.
        accepts: Whether listeners were last notified that a new request may be sent at once.
        max_retries: Maximum number of retries at one of its models, ``None`` for the pool's own.
        limits: Deadlines of its own by name, seconds. The others are the pool's.
        missing_operations: Operations that its connector serves natively, and whose endpoint its server lacks.
        leases: Leases of its attempts in flight.
        outages: ``(time, model)`` of the outage failures since the last success.
        decreased_at: When :attr:`concurrency_limit` was last decreased.
        successes_at_limit: Successes since the last change of :attr:`concurrency_limit`.
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
    missing_operations: frozenset[str] = frozenset()
    leases: set[object] = field(factory=set, repr=False)
    outages: deque[tuple[float, ModelHealth]] = field(factory=lambda: deque(maxlen=OUTAGES_OF_ONE_MODEL), repr=False)
    decreased_at: float = 0.0
    successes_at_limit: int = 0
    _merged: tuple[Limits, Limits] | None = field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.max_concurrency = self.max_concurrency or self.concurrency_limit

    @property
    def in_flight(self) -> int:
        """Number of requests in flight."""
        return len(self.leases)

    @property
    def free_slots(self) -> int:
        """Places in flight that are neither taken nor granted to a waiting request."""
        return self.concurrency_limit - len(self.leases) - self.admission.granted_slots

    @property
    def has_room(self) -> bool:
        """Whether a new request may be sent at once: a place is free, and no earlier request waits for it."""
        admission = self.admission
        return len(self.leases) + admission.granted_slots < self.concurrency_limit and not admission.waiting

    @property
    def is_probe_decisive(self) -> bool:
        """Whether an active health check may close the breaker. It never overrides a delay that the vendor stated."""
        closed = self.state is BreakerState.CLOSED
        if closed or self.retry_after_given or self.probe or self.reason is None or math.isinf(self.until):
            return False
        return self.reason in KEY_FAILURES or RULES[self.reason].effect is Effect.COUNT_FAILURE

    def has_outage(self, now: float) -> bool:
        """Return whether the outage failures since the last success indicate an outage of the account, not of one model."""
        if len(self.outages) >= OUTAGES_OF_ONE_MODEL:
            return True
        return len({id(model) for when, model in self.outages if when > now - OUTAGE_WINDOW_S}) >= OUTAGES_OF_MODELS

    def override_limits(self, base: Limits) -> Limits:
        """Return a pool's deadlines with the account's own in place of them."""
        if not self.limits:
            return base
        if self._merged is None or self._merged[0] is not base:
            self._merged = (base, evolve(base, **self.limits))
        return self._merged[1]

    def decrease_limit(self, began: float, now: float) -> None:
        """Decrease the concurrency limit, once for all requests that were in flight at the same time.

        Args:
            began: Start of the throttled attempt.
            now: Monotonic seconds.
        """
        if began >= self.decreased_at:
            least = min(MIN_CONCURRENCY, self.max_concurrency)
            self.concurrency_limit = max(least, int(self.concurrency_limit * DECREASE_FACTOR))
            self.decreased_at, self.successes_at_limit = now, 0

    def increase_limit(self) -> None:
        """Count a success. As many successes as the concurrency limit raise it by one."""
        if self.concurrency_limit < self.max_concurrency:
            self.successes_at_limit += 1
            if self.successes_at_limit >= self.concurrency_limit:
                self.concurrency_limit, self.successes_at_limit = self.concurrency_limit + 1, 0

    def record_outage(self, model: ModelHealth, now: float) -> None:
        """Record an outage failure of one of its models."""
        self.outages.append((now, model))

    def record_probe_success(self) -> None:
        """Reset the counts of failures after a successful probe. The new generation cancels the timer of an open breaker."""
        self.consecutive_failures = 0
        self.outages.clear()
        self.backoff_steps.clear()
        self.generation += 1

    def clear(self) -> None:
        """Close by a manual step, and drop what was learned from failures. Suspensions stay."""
        super().clear()
        self.outages.clear()
