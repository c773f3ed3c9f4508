"""Sliding window of samples, limited by number and age."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

SMOOTHING = 0.3
"""Weight of the latest sample in the smoothed value."""


class RollingWindow:
    """Samples of a value, each a success or a failure. Not thread-safe.

    Every statistic is ``None`` without samples.

    Example:
        ::

            window = RollingWindow(size=50, seconds=300)
            window.record(0.25)
            window.record(9.0, success=False)
            window.average, window.rate
    """

    def __init__(self, size: int = 100, seconds: float = 300.0, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Create an empty window.

        Args:
            size: Maximum number of samples.
            seconds: Maximum age of a sample.
            clock: Returns monotonic seconds.
        """
        self._seconds, self._clock = seconds, clock
        self._samples: deque[tuple[float, float, bool]] = deque(maxlen=size)

    def record(self, value: float, *, success: bool = True) -> None:
        """Add a sample."""
        self._samples.append((self._clock(), value, success))

    def __len__(self) -> int:
        self._drop()
        return len(self._samples)

    @property
    def rate(self) -> float | None:
        """Share of successes, 0 to 1."""
        return sum(success for _, _, success in self._samples) / len(self._samples) if len(self) else None

    @property
    def average(self) -> float | None:
        """Mean of the values."""
        return sum(value for _, value, _ in self._samples) / len(self._samples) if len(self) else None

    @property
    def smoothed(self) -> float | None:
        """Exponential moving average of the values."""
        if not len(self):
            return None
        values = [value for _, value, _ in self._samples]
        level = values[0]
        for value in values[1:]:
            level += SMOOTHING * (value - level)
        return level

    def _drop(self) -> None:
        oldest = self._clock() - self._seconds
        while self._samples and self._samples[0][0] < oldest:
            self._samples.popleft()
