"""Maintenance windows: minutes in which models are withheld, again and again."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from attrs import define

from modelmesh._engine.foundation.clock import Clock
from modelmesh._engine.health.circuit_breaker import CircuitBreaker, SuspensionReason
from modelmesh._engine.health.cron import Cron

if TYPE_CHECKING:
    from modelmesh._engine.health.registry import HealthRegistry


@define(eq=False)
class MaintenanceWindow:
    """A window, and what is withheld in it.

    Attributes:
        cron: Its minutes.
        circuits: What is withheld.
        clock: Converts between monotonic and Unix time.
        turns: When it next begins or ends, Unix seconds.
    """

    cron: Cron
    circuits: list[CircuitBreaker]
    clock: Clock
    turns: float = -math.inf

    def turn(self, now: float) -> float | None:
        """Go on to the next beginning or end; return when a window that is open now ends, monotonic seconds.

        Args:
            now: Monotonic seconds.
        """
        when = max(self.clock.unix(now), self.turns)  # a timer may fire a hair early by the rounding of the sum
        if not self.cron.matches(when):
            begins = self.cron.begins(when)
            self.turns = math.inf if begins is None else begins
            return None
        ends = self.cron.ends(when)
        self.turns = math.inf if ends is None else ends
        return self.clock.monotonic(self.turns)

    def open_until(self, now: float) -> float | None:
        """Return when a window that is open now ends, monotonic seconds; ``None`` when none is."""
        return self.due if self.cron.matches(self.clock.unix(now)) else None

    def join(self, circuit: CircuitBreaker, health: HealthRegistry, now: float) -> None:
        """Be for one more from now on; a window that is open holds it at once."""
        self.circuits.append(circuit)
        if self.cron.matches(self.clock.unix(now)):
            health.suspend(circuit, SuspensionReason.MAINTENANCE_WINDOW, self.due)

    @property
    def due(self) -> float:
        """When :meth:`turn` is to be called next, monotonic seconds."""
        return self.clock.monotonic(self.turns)
