"""Enforcement of limits: suspension of exhausted targets, alerts, and the map from targets to counters."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from modelmesh._engine.foundation.clock import Clock
from modelmesh._engine.limits.counter import LimitCounter, Metric, OnExhausted
from modelmesh._engine.limits.reservation import LimitEvent, LimitExceeded
from modelmesh._engine.limits.suspension import Suspender, SuspensionTarget

MAX_EVENTS = 1000
"""Events that are kept until they are published. Without a subscriber the oldest are dropped."""


class LimitEnforcement:
    """Applies the state of limit counters to the models and provider accounts that they limit.

    Attributes:
        counters: Counters of each target.
        events: Events that were not published yet.
        exhausted: Counters that are exhausted, or that refused an attempt since they last had room.
    """

    def __init__(self, suspender: Suspender, clock: Clock) -> None:
        self._suspender = suspender
        self._clock = clock
        self.counters: dict[SuspensionTarget, list[LimitCounter]] = {}
        self.events: deque[LimitEvent] = deque(maxlen=MAX_EVENTS)
        self.exhausted: set[LimitCounter] = set()

    def counters_of(self, target: SuspensionTarget) -> Sequence[LimitCounter]:
        """Return the counters that limit a target."""
        return self.counters.get(target, ())

    def attach(self, target: SuspensionTarget, counters: Iterable[LimitCounter]) -> None:
        """Attach counters to a target, which is suspended while one of them is exhausted."""
        own = self.counters.setdefault(target, [])
        for counter in counters:
            own.append(counter)
            counter.targets.append(target)

    def update(self, counter: LimitCounter, now: float) -> None:
        """Suspend the targets of an exhausted counter or resume those that have room, and alert once in a window."""
        limit = counter.limit
        if counter.exhausted:
            self.exhausted.add(counter)
            self._suspend(counter, now)
        else:
            self.exhausted.discard(counter)
            if limit.enforce:
                for target in counter.targets:
                    if limit.reason in target.suspensions and not self._is_exhausted(target, counter):
                        self._suspender.resume(target, limit.reason)
        if limit.alert is not None and not counter.alerted and 0 < counter.used >= limit.alert * limit.amount:
            counter.alerted = True
            self.events.append(LimitEvent("budget_alert", counter, counter.used))

    def record_exceeded(self, exceeded: LimitExceeded, now: float) -> None:
        """Record that a limit refused an attempt."""
        counter = exceeded.counter
        if counter.limit.metric is Metric.COST and exceeded.needed is not None:
            self.events.append(LimitEvent("budget_exceeded", counter, counter.used + counter.reserved))
        self.exhausted.add(counter)
        if counter.exhausted:
            self._suspend(counter, now)

    def _is_exhausted(self, target: SuspensionTarget, counter: LimitCounter) -> bool:
        """Return whether any counter with the same reason keeps a target suspended."""
        reason = counter.limit.reason
        return any(other.exhausted for other in self.counters_of(target) if other.limit.reason is reason)

    def _suspend(self, counter: LimitCounter, now: float) -> None:
        if counter.limit.enforce and counter.limit.on_exhausted is OnExhausted.ROTATE:
            when = self._clock.unix(now)
            until = now + max(counter.resets_at(when) - when, 0.0)
            for target in counter.targets:
                self._suspender.suspend(target, counter.limit.reason, until)
