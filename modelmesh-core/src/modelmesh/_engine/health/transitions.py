"""Transitions of circuit breakers, with their timers, log entries and notifications."""

from __future__ import annotations

import math

from modelmesh._engine.foundation.failures import FailureClass
from modelmesh._engine.health.changes import ChangeLog
from modelmesh._engine.health.circuit_breaker import BreakerState, CircuitBreaker
from modelmesh._engine.health.circuit_policy import PROBE_TIMEOUT_S
from modelmesh._engine.health.model_health import ModelHealth
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.health.timers import BreakerTimer, HealthTimers


class Transitions:
    """Changes the state of breakers and notifies their listeners.

    :class:`.HealthRegistry` decides whether a failure opens a breaker, and until when. :meth:`open` carries that out with timers
    and notifications, and :meth:`.CircuitBreaker.open` only assigns the fields.
    """

    def __init__(self, timers: HealthTimers, changes: ChangeLog) -> None:
        self._timers = timers
        self._changes = changes
        self._probes = 0

    def open(
        self,
        breaker: CircuitBreaker,
        failure: FailureClass,
        now: float,
        until: float,
        *,
        retry_after_given: bool = False,
        stale: bool = False,
    ) -> None:
        """Open a breaker, or extend an open one.

        Args:
            breaker: The breaker.
            failure: Class of the failure.
            now: Monotonic seconds.
            until: When it becomes half-open, infinite to wait for a manual recovery.
            retry_after_given: Whether the vendor stated the cooldown.
            stale: Whether the attempt began before the breaker last opened.
        """
        if stale or breaker.state is BreakerState.OPEN:
            # A failure from an attempt in flight may extend the cooldown. It never shortens it or advances the backoff.
            if until <= breaker.until or not (retry_after_given or breaker.state is BreakerState.OPEN):
                return
        else:
            breaker.advance_backoff(failure)
        was_open = breaker.state is BreakerState.OPEN
        breaker.open(failure, until, retry_after_given=retry_after_given)
        self._schedule(breaker.until, breaker)
        self.notify(breaker)
        if not was_open:
            self._changes.record_down(breaker, failure, now)

    def restore_open(self, breaker: CircuitBreaker) -> None:
        """Set the timer of a breaker that was opened from stored state."""
        self._schedule(breaker.until, breaker)
        self.notify(breaker)

    def close(self, breaker: CircuitBreaker, now: float) -> None:
        """Close a breaker after a success."""
        reason = breaker.close(now)
        self.notify(breaker)
        if breaker.ready:  # otherwise a suspension remains, and its end is the recovery
            self._changes.record_up(breaker, reason, now)

    def begin_probe(self, breaker: CircuitBreaker, now: float) -> int:
        """Make an attempt the probe of a half-open breaker. Returns its number, 0 when the attempt is not a probe."""
        if breaker.state is not BreakerState.HALF_OPEN or breaker.probe:
            return 0
        self._probes += 1
        breaker.begin_probe(self._probes)
        self._schedule(now + PROBE_TIMEOUT_S, breaker, breaker.probe)
        self.notify(breaker)
        return breaker.probe

    def end_probe(self, breaker: CircuitBreaker, probe: int) -> None:
        """Permit the next probe. Does nothing for a probe that ended before."""
        if probe and breaker.probe == probe:
            breaker.end_probe()
            self.notify(breaker)

    def advance(self, now: float) -> None:
        """Apply the timers that are due."""
        for breaker, generation, probe in self._timers.breakers.pop_due(now):
            if breaker.generation != generation:
                continue  # it opened again since, with a timer of its own
            if probe:
                self.end_probe(breaker, probe)
            elif breaker.state is BreakerState.OPEN and breaker.until <= now:
                breaker.half_open()
                self.notify(breaker)

    def notify(self, breaker: CircuitBreaker) -> None:
        """Notify the listeners of a breaker of its readiness."""
        if isinstance(breaker, ProviderHealth):
            if breaker.ready:
                breaker.admission.grant(breaker.free_slots)
            else:
                breaker.admission.notify_all()
            breaker.accepts = on = breaker.ready and breaker.has_room
            for listener, mask in breaker.listeners:
                listener.set_account_ready(breaker, mask, on=on)
        elif isinstance(breaker, ModelHealth):
            for listener, place in breaker.listeners:
                listener.set_ready(place, on=breaker.ready)

    def _schedule(self, when: float, breaker: CircuitBreaker, probe: int = 0) -> None:
        if not math.isinf(when):
            self._timers.push(self._timers.breakers, when, BreakerTimer(breaker, breaker.generation, probe))
