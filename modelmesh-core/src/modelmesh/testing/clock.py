"""A clock that moves only when it is told to, or when somebody sleeps by it."""

from __future__ import annotations

from threading import Lock


class VirtualClock:
    """Monotonic seconds under the test's control.

    Give it to a mesh: ``ModelMesh(clock=clock, sleep=clock.sleep, asleep=clock.asleep)``. Sleeping moves it on at once,
    so a day of cooldowns passes in no time.

    Attributes:
        slept: Every wait that was asked for, seconds.
    """

    def __init__(self, now: float = 1_000.0) -> None:
        self._now = now
        self._lock = Lock()
        self.slept: list[float] = []

    def __call__(self) -> float:
        """Return the time."""
        return self._now

    def advance(self, seconds: float) -> float:
        """Let time pass and return the new time."""
        with self._lock:
            self._now += seconds
            return self._now

    def sleep(self, seconds: float) -> None:
        """Let time pass, as ``time.sleep`` does."""
        self.slept.append(seconds)
        self.advance(seconds)

    async def asleep(self, seconds: float) -> None:
        """Let time pass, as ``asyncio.sleep`` does."""
        self.sleep(seconds)

    def __repr__(self) -> str:
        return f"<VirtualClock {self._now:g} s>"
