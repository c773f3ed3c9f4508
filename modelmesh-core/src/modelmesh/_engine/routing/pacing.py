"""Request rate of a pool: limits for each of its models."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from modelmesh._engine.routing.candidates import Candidate

WINDOW_S = 60.0
"""Length of the sliding window of ``max_rpm``."""


class Pacer:
    """Records the requests to each model of a pool, and computes the delay before the next one."""

    def __init__(self, max_rpm: int = 0, min_delta: float = 0.0) -> None:
        """Set the limits.

        Args:
            max_rpm: Maximum number of requests to one model in any 60 s, 0 for no limit.
            min_delta: Minimum number of seconds between two requests to one model.
        """
        self.max_rpm = max_rpm
        self.min_delta = min_delta
        self._sent: dict[int, deque[float]] = {}

    def sent(self, candidate: Candidate, now: float) -> None:
        """Count a request."""
        times = self._sent.setdefault(id(candidate), deque(maxlen=max(self.max_rpm, 1)))
        times.append(now)

    def delay(self, candidate: Candidate, now: float) -> float:
        """Return the seconds until the next request may go to a model, 0 when it may go now."""
        times = self._sent.get(id(candidate))
        if not times:
            return 0.0
        due = times[-1] + self.min_delta
        if self.max_rpm and len(times) == self.max_rpm:
            due = max(due, times[0] + WINDOW_S)
        return max(due - now, 0.0)

    def shortest_delay(self, candidates: Iterable[Candidate], now: float) -> float:
        """Return the seconds until a request may go to the first of some models."""
        return min((self.delay(candidate, now) for candidate in candidates), default=0.0)
