"""MemberTimers of the members of a pool."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator


class MemberTimers:
    """At most one timer for each position of a pool. The memory used is proportional to the number of timers."""

    def __init__(self) -> None:
        self._at: dict[int, float] = {}
        self._heap: list[tuple[float, int]] = []

    def set(self, position: int, when: float) -> None:
        """Set or replace the timer of a position. ``inf`` removes it."""
        if math.isinf(when):
            self._at.pop(position, None)
            return
        if self._at.get(position) == when:
            return
        self._at[position] = when
        heapq.heappush(self._heap, (when, position))
        if len(self._heap) > 2 * len(self._at) + 64:
            self._heap = [(at, one) for one, at in self._at.items()]
            heapq.heapify(self._heap)

    def set_all(self, positions: Iterable[int], when: float) -> None:
        """Set the timers of positions that have none. ``inf`` sets none."""
        if not math.isinf(when):
            for position in positions:
                self.set(position, when)

    def due(self, now: float) -> Iterator[tuple[int, float]]:
        """Remove the timers that are due, and yield their positions and times, the earliest first."""
        while self._heap and self._heap[0][0] <= now:
            when, position = heapq.heappop(self._heap)
            if self._at.get(position) == when:
                del self._at[position]
                yield position, when

    def __len__(self) -> int:
        return len(self._at)
