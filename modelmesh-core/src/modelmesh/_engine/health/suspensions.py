"""Suspensions: unavailability for a reason other than failed requests, with an expiry for each reason."""

from __future__ import annotations

import math

from modelmesh._engine.foundation.suspension_reasons import LIMIT_REASONS, SuspensionReason
from modelmesh._engine.health.changes import ChangeLog
from modelmesh._engine.health.circuit_breaker import CircuitBreaker
from modelmesh._engine.health.maintenance import MaintenanceWindow
from modelmesh._engine.health.model_health import ModelHealth
from modelmesh._engine.health.timers import HealthTimers, SuspensionTimer
from modelmesh._engine.health.transitions import Transitions


class Suspensions:
    """Suspends and resumes models and provider accounts."""

    def __init__(self, timers: HealthTimers, changes: ChangeLog, transitions: Transitions) -> None:
        self._timers = timers
        self._changes = changes
        self._transitions = transitions

    def suspend(self, breaker: CircuitBreaker, reason: SuspensionReason, until: float, now: float) -> None:
        """Suspend until a time. A later expiry of the same reason remains."""
        if breaker.suspensions.get(reason, -math.inf) >= until:
            return
        was_ready = breaker.ready
        breaker.suspensions[reason] = until
        if not math.isinf(until):
            self._timers.push(self._timers.suspensions, until, SuspensionTimer(breaker, reason, until))
        if was_ready:
            self._transitions.notify(breaker)
            self._changes.record_down(breaker, reason, now)

    def resume(self, breaker: CircuitBreaker, reason: SuspensionReason, now: float) -> None:
        """End the suspension for a reason."""
        if breaker.suspensions.pop(reason, None) is None:
            return
        if reason in LIMIT_REASONS:
            breaker.quota_resets += 1
        if breaker.suspensions:
            return
        self._transitions.notify(breaker)
        if breaker.ready:
            self._changes.record_up(breaker, reason, now)

    def add_window(self, window: MaintenanceWindow, now: float) -> None:
        """Suspend the models of a maintenance window while it is open, now and each time it opens."""
        ends = window.advance(now)
        for breaker in window.breakers if ends is not None else ():
            self.suspend(breaker, SuspensionReason.MAINTENANCE_WINDOW, ends or 0.0, now)
        if not math.isinf(window.next_at):
            self._timers.push(self._timers.windows, window.next_at, window)

    def advance(self, now: float) -> None:
        """End the suspensions that have expired, and open the windows that are due."""
        for breaker, reason, until in self._timers.suspensions.pop_due(now):
            if breaker.suspensions.get(reason) == until and not self._extend_if_policy_says(breaker, reason, now):
                self.resume(breaker, reason, now)
        for window in self._timers.windows.pop_due(now):
            self.add_window(window, now)

    def _extend_if_policy_says(self, breaker: CircuitBreaker, reason: SuspensionReason, now: float) -> bool:
        """Return whether a standby policy has extended a suspension that is due."""
        if reason is not SuspensionReason.POLICY or not isinstance(breaker, ModelHealth) or breaker.standby_policy is None:
            return False
        until = breaker.standby_policy.extends_until(breaker, now)
        if until is None:
            breaker.leave_standby()
            return False
        self.suspend(breaker, reason, until, now)
        return True
