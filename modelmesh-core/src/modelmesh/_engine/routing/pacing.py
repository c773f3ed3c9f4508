"""The pace of a pool: how often requests may go to one of its models."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from modelmesh._engine.routing.candidates import Candidate

WINDOW_S = 60.0
"""Length of the sliding window of ``max_rpm``."""


class Pacer:
    """Records when requests went to each model of a pool, and computes how long to wait before the next."""

    def __init__(self, max_rpm: int = 0, min_delta: float = 0.0) -> None:
        """Take the limits.

        Args:
            max_rpm: Requests of one model in any 60 s; 0 is no limit.
            min_delta: Least seconds between two requests of one model.
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
        """Return the seconds until the first of some models may be sent a request."""
        return min((self.delay(candidate, now) for candidate in candidates), default=0.0)
