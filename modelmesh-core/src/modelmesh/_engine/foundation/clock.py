"""Monotonic clock of a mesh, and its conversion to Unix time.

The offset between both is measured once, when the mesh starts. A later change of the wall clock therefore has no effect on
windows, cooldowns and stored times.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from attrs import frozen


@frozen
class Clock:
    """Monotonic time, and Unix time derived from it. All values are seconds.

    Attributes:
        now: Returns the monotonic time.
        epoch: Unix time at which the monotonic clock read 0.
    """

    now: Callable[[], float] = time.monotonic
    epoch: float = 0.0

    @classmethod
    def start(cls, monotonic: Callable[[], float], wall: Callable[[], float]) -> Clock:
        """Measure the offset between a monotonic clock and a wall clock."""
        return cls(monotonic, wall() - monotonic())

    def unix(self, at: float) -> float:
        """Convert monotonic time to Unix time."""
        return self.epoch + at

    def monotonic(self, when: float) -> float:
        """Convert Unix time to monotonic time."""
        return when - self.epoch

    def unix_now(self) -> float:
        """Return the current Unix time."""
        return self.epoch + self.now()
