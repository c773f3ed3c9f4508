"""Maintenance windows: minutes in which models are withheld, again and again."""

from __future__ import annotations

import math
from collections.abc import Sequence

from attrs import define

from modelmesh.routing.circuits import Circuit
from modelmesh.routing.cron import Cron


@define(eq=False)
class Maintenance:
    """A window, and what is withheld in it.

    Attributes:
        cron: Its minutes.
        circuits: What is withheld.
        epoch: Unix time at which the monotonic clock read 0; the wall clock is never looked at again.
        turns: When it next begins or ends, Unix seconds.
    """

    cron: Cron
    circuits: Sequence[Circuit]
    epoch: float
    turns: float = -math.inf

    def turn(self, now: float) -> float | None:
        """Go on to the next beginning or end; return when a window that is open now ends, monotonic seconds.

        Args:
            now: Monotonic seconds.
        """
        when = max(self.epoch + now, self.turns)  # a timer may fire a hair early by the rounding of the sum
        if not self.cron.matches(when):
            begins = self.cron.begins(when)
            self.turns = math.inf if begins is None else begins
            return None
        ends = self.cron.ends(when)
        self.turns = math.inf if ends is None else ends
        return self.turns - self.epoch

    @property
    def due(self) -> float:
        """When :meth:`turn` is to be called next, monotonic seconds."""
        return self.turns - self.epoch
