"""How fast each member of a pool is asked, by our own count."""

from __future__ import annotations

from collections import deque

from modelmesh_cdk.strategy import Timers

MINUTE = 60.0


class Pace:
    """Members that rest: they were asked less than ``min_delta`` ago, or ``max_rpm`` times in the last minute.

    Attributes:
        resting: Their places, a mask.
    """

    def __init__(self, min_delta: float, max_rpm: int) -> None:
        """Take the limits.

        Args:
            min_delta: Seconds between two requests at least, 0 for none.
            max_rpm: Requests in any 60 seconds at most, 0 for any number.
        """
        self._min_delta = min_delta
        self._max_rpm = max_rpm
        self._asked: dict[int, deque[float]] = {}
        self._timers = Timers()
        self._latest = 0.0
        self.resting = 0

    def asked(self, place: int, now: float) -> None:
        """Note that a member is asked; a request that came earlier may be told of later."""
        now = self._latest = max(now, self._latest)
        until = now + self._min_delta if self._min_delta else 0.0
        if self._max_rpm:
            times = self._asked.setdefault(place, deque(maxlen=self._max_rpm))
            times.append(now)
            while times[0] <= now - MINUTE:
                times.popleft()
            if len(times) == self._max_rpm:
                until = max(until, times[0] + MINUTE)
        if until > now:
            self.resting |= 1 << place
            self._timers.set(place, until)

    def advance(self, now: float) -> None:
        """Let those go on that have rested long enough."""
        for place, _ in self._timers.due(now):
            self.resting &= ~(1 << place)
