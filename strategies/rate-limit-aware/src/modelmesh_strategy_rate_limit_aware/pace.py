"""Request rate of each member of a pool, as counted by the strategy."""

from __future__ import annotations

from collections import deque

from modelmesh_cdk.strategy import MemberTimers

MINUTE = 60.0


class Pace:
    """Tracks the members with a request less than ``min_delta`` ago, or with ``max_rpm`` requests in the last minute.

    Attributes:
        paced: Mask of these members.
    """

    def __init__(self, min_delta: float, max_rpm: int) -> None:
        """Set the limits.

        Args:
            min_delta: Minimum number of seconds between two requests, 0 for no limit.
            max_rpm: Maximum number of requests in any 60 seconds, 0 for no limit.
        """
        self._min_delta = min_delta
        self._max_rpm = max_rpm
        self._requests: dict[int, deque[float]] = {}
        self._timers = MemberTimers()
        self._latest = 0.0
        self.paced = 0

    def record_request(self, position: int, now: float) -> None:
        """Record a request to a member. Requests may be recorded out of order."""
        now = self._latest = max(now, self._latest)
        until = now + self._min_delta if self._min_delta else 0.0
        if self._max_rpm:
            times = self._requests.setdefault(position, deque(maxlen=self._max_rpm))
            times.append(now)
            while times[0] <= now - MINUTE:
                times.popleft()
            if len(times) == self._max_rpm:
                until = max(until, times[0] + MINUTE)
        if until > now:
            self.paced |= 1 << position
            self._timers.set(position, until)

    def advance(self, now: float) -> None:
        """Remove the members that may receive requests again."""
        for position, _ in self._timers.due(now):
            self.paced &= ~(1 << position)
