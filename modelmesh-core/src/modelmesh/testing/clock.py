"""Virtual clock: time advances on request and on sleep."""

from __future__ import annotations

from threading import Lock


class VirtualClock:
    """Monotonic seconds under the test's control.

    Pass it to a mesh: ``ModelMesh(clock=clock, sleep=clock.sleep, asleep=clock.asleep)``. A sleep advances the clock at once, so
    a day of cooldowns takes no real time.

    Attributes:
        slept: The requested waits, in seconds.
    """

    def __init__(self, now: float = 1_000.0) -> None:
        self._now = now
        self._lock = Lock()
        self.slept: list[float] = []

    def __call__(self) -> float:
        """Return the time."""
        return self._now

    def advance(self, seconds: float) -> float:
        """Advance the clock and return the new time."""
        with self._lock:
            self._now += seconds
            return self._now

    def sleep(self, seconds: float) -> None:
        """Advance the clock, in place of ``time.sleep``."""
        self.slept.append(seconds)
        self.advance(seconds)

    async def asleep(self, seconds: float) -> None:
        """Advance the clock, in place of ``asyncio.sleep``."""
        self.sleep(seconds)

    def __repr__(self) -> str:
        return f"<VirtualClock {self._now:g} s>"
