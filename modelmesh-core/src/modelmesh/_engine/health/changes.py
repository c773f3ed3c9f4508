"""Log of health changes, from which events are published, and the downtime of each breaker."""

from __future__ import annotations

from collections import deque
from enum import StrEnum
from typing import NamedTuple

from modelmesh._engine.foundation.failures import FailureClass
from modelmesh._engine.foundation.suspension_reasons import SuspensionReason
from modelmesh._engine.health.circuit_breaker import CircuitBreaker

MAX_CHANGES = 1000
"""Changes that are kept until they are published. Without a subscriber the oldest are dropped."""


class ChangeKind(StrEnum):
    """Kind of a health change."""

    HEALTHY = "healthy"
    """A probe succeeded."""
    UNHEALTHY = "unhealthy"
    """A probe failed."""
    DEACTIVATED = "deactivated"
    RECOVERED = "recovered"


class Change(NamedTuple):
    """One change of a model's or a provider account's health.

    Attributes:
        kind: Its kind.
        breaker: The model or account.
        reason: Its cause, ``None`` when unknown.
        pool: Name of the pool, for a change that concerns one pool only.
    """

    kind: ChangeKind
    breaker: CircuitBreaker
    reason: FailureClass | SuspensionReason | None
    pool: str | None = None


class ChangeLog(deque[Change]):
    """Changes that were not published yet, the oldest first."""

    def __init__(self) -> None:
        super().__init__(maxlen=MAX_CHANGES)

    def record(
        self,
        kind: ChangeKind,
        breaker: CircuitBreaker,
        reason: FailureClass | SuspensionReason | None,
        pool: str | None = None,
    ) -> None:
        """Add a change."""
        self.append(Change(kind, breaker, reason, pool))

    def record_down(self, breaker: CircuitBreaker, reason: FailureClass | SuspensionReason, now: float) -> None:
        """Record that a model or account became unavailable."""
        if breaker.down_since is None:
            breaker.down_since = now
            breaker.standby_events += 1
        self.record(ChangeKind.DEACTIVATED, breaker, reason)

    def record_up(self, breaker: CircuitBreaker, reason: FailureClass | SuspensionReason | None, now: float) -> None:
        """Record that a model or account became available again."""
        breaker.end_downtime(now)
        self.record(ChangeKind.RECOVERED, breaker, reason)
