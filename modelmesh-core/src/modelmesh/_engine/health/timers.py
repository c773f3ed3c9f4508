"""Timers of health: the future changes of breakers, suspensions, refused parameters and maintenance windows.

All times are monotonic seconds.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from modelmesh._engine.foundation.suspension_reasons import SuspensionReason
    from modelmesh._engine.health.circuit_breaker import CircuitBreaker
    from modelmesh._engine.health.maintenance import MaintenanceWindow
    from modelmesh._engine.health.model_health import ModelHealth

T = TypeVar("T")


class BreakerTimer(NamedTuple):
    """End of a cooldown, or of the time that a probe may take.

    Attributes:
        breaker: The circuit breaker.
        generation: Its generation when the timer was set. A later generation makes the timer void.
        probe: Number of the probe, 0 for the end of a cooldown.
    """

    breaker: CircuitBreaker
    generation: int
    probe: int


class SuspensionTimer(NamedTuple):
    """End of a suspension."""

    breaker: CircuitBreaker
    reason: SuspensionReason
    until: float


class RefusalTimer(NamedTuple):
    """End of the time in which a model receives no requests with a parameter that it refused."""

    model: ModelHealth
    feature: str


class TimerQueue(Generic[T]):
    """Timers of one kind, the earliest first. Timers of the same time fire in the order in which they were set."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T]] = []
        self._sequence = 0

    @property
    def next_at(self) -> float:
        """Time of the earliest timer, infinite without one."""
        return self._heap[0][0] if self._heap else math.inf

    def push(self, when: float, timer: T) -> None:
        """Add a timer."""
        self._sequence += 1
        heapq.heappush(self._heap, (when, self._sequence, timer))

    def pop_due(self, now: float) -> Iterator[T]:
        """Remove and yield the timers that are due, those that are set meanwhile included."""
        while self._heap and self._heap[0][0] <= now:
            yield heapq.heappop(self._heap)[2]


class HealthTimers:
    """All timers of one health registry.

    Attributes:
        next_at: Time of the earliest timer. Most steps of a request compare this and do nothing else.
        refusals: Ends of refused parameters.
        suspensions: Ends of suspensions.
        windows: Next beginning or end of each maintenance window.
        breakers: Ends of cooldowns and of probes.
    """

    def __init__(self) -> None:
        self.next_at = math.inf
        self.refusals: TimerQueue[RefusalTimer] = TimerQueue()
        self.suspensions: TimerQueue[SuspensionTimer] = TimerQueue()
        self.windows: TimerQueue[MaintenanceWindow] = TimerQueue()
        self.breakers: TimerQueue[BreakerTimer] = TimerQueue()

    def push(self, queue: TimerQueue[T], when: float, timer: T) -> None:
        """Add a timer to one of the queues."""
        queue.push(when, timer)
        self.next_at = min(self.next_at, when)

    def refresh(self) -> None:
        """Compute :attr:`next_at` again after timers were removed."""
        self.next_at = min(queue.next_at for queue in (self.refusals, self.suspensions, self.windows, self.breakers))
