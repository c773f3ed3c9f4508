"""Maintenance windows: recurring times in which models are suspended."""

from __future__ import annotations

import math

from attrs import define

from modelmesh._engine.foundation.clock import Clock
from modelmesh._engine.health.circuit_breaker import CircuitBreaker
from modelmesh._engine.health.cron import Cron


@define(eq=False)
class MaintenanceWindow:
    """A recurring window, and the models that it suspends.

    Attributes:
        cron: Its minutes.
        breakers: The models.
        clock: Converts between monotonic and Unix time.
        changes_at: When it next opens or closes, Unix seconds.
    """

    cron: Cron
    breakers: list[CircuitBreaker]
    clock: Clock
    changes_at: float = -math.inf

    def advance(self, now: float) -> float | None:
        """Compute the next opening or closing.

        Args:
            now: Monotonic seconds.

        Returns:
            When a window that is open now closes, monotonic seconds. ``None`` when it is closed.
        """
        when = max(self.clock.unix(now), self.changes_at)  # rounding of the sum may fire a timer slightly early
        if not self.cron.matches(when):
            begins = self.cron.begins(when)
            self.changes_at = math.inf if begins is None else begins
            return None
        ends = self.cron.ends(when)
        self.changes_at = math.inf if ends is None else ends
        return self.next_at

    def is_open(self, now: float) -> bool:
        """Return whether the window is open at a time, monotonic seconds."""
        return self.cron.matches(self.clock.unix(now))

    @property
    def next_at(self) -> float:
        """When the window next opens or closes, monotonic seconds."""
        return self.clock.monotonic(self.changes_at)
