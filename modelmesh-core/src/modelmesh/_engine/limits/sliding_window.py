"""What was counted in the last seconds: a window that slides has no moment at which it begins anew.

Processes that count together do so in pieces: each as long as the window and at the same place in time for everybody, so
that the sum of a piece can be kept in a store. Two pieces hold any window. Where in a piece others spent is told nowhere;
it is taken to be as late as it can have been, so that nothing is forgotten too soon. What is older than the window, yet in
the same piece as its beginning, is remembered: it is in that piece's sum.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

GRAINS = 60
"""Into how many grains a window, and so a piece, is cut; what happens within one is kept as one."""


class SlidingLog:
    """Amounts and when they were spent, as far back as the window reaches.

    Attributes:
        span: Seconds that the window looks back.
        total: All that is in it.
    """

    def __init__(self, span: float) -> None:
        self.span = span
        self.total = 0
        self._rows: deque[tuple[float, int]] = deque()  # by time
        self._past: deque[tuple[float, int]] = deque()

    def piece(self, when: float) -> float:
        """Return the end of the piece that holds a time, Unix seconds."""
        return (when // self.span + 1) * self.span

    @property
    def oldest(self) -> float | None:
        """When the first of what is in the window was spent, ``None`` when there is nothing."""
        return self._rows[0][0] if self._rows else None

    def forget(self, when: float) -> None:
        """Let go of what is older than the window."""
        while self._rows and self._rows[0][0] <= when - self.span:
            self.total -= self._rows[0][1]
            self._past.append(self._rows.popleft())
        begins = self.piece(when) - 2 * self.span
        while self._past and self._past[0][0] < begins:
            self._past.popleft()

    def add(self, amount: int, when: float) -> None:
        """Take up what was spent at a time."""
        if amount <= 0:
            return
        later: list[tuple[float, int]] = []
        while self._rows and self._rows[-1][0] > when:
            later.append(self._rows.pop())
        self.total += amount
        grain = self.span / GRAINS  # each has its place: one that began anew with each amount would last as long as there are any
        if self._rows and self._rows[-1][0] // grain == when // grain:
            amount += self._rows.pop()[1]  # kept to the later of the two times: nothing is forgotten too soon
        self._rows.append((when, amount))
        self._rows.extend(reversed(later))

    def settle(self, ends: float, amount: int, when: float) -> None:
        """Make what is known of the piece with this end come to an amount, which is what everybody has spent in it."""
        begins = ends - self.span
        more = amount - sum(part for rows in (self._past, self._rows) for at, part in rows if begins <= at < ends)
        if more >= 0:
            self.add(more, max(begins, min(when, math.nextafter(ends, 0.0))))
        else:
            left = _take_back(self._rows, -more, begins, ends)
            self.total -= -more - left
            _take_back(self._past, left, begins, ends)

    def pieces(self, ends: float) -> Iterator[tuple[float, int]]:
        """Yield the ends of the piece before and of this one, and what is known of each."""
        for end in (ends - self.span, ends):
            yield end, sum(part for rows in (self._past, self._rows) for at, part in rows if end - self.span <= at < end)

    def clear(self) -> None:
        """Forget everything."""
        self._rows.clear()
        self._past.clear()
        self.total = 0

    # -- between runs -----------------------------------------------------------------------------------------------

    def saved(self) -> list[list[float]]:
        """Return it as plain data."""
        return [list(row) for rows in (self._past, self._rows) for row in rows]

    def restore(self, rows: Iterable[Any], when: float) -> None:
        """Take up what an earlier run has counted; what was spent later than now was spent: the clock was set back."""
        read = [(min(float(at), when), int(amount)) for at, amount in rows]
        begins = self.piece(when) - 2 * self.span
        for at, amount in read:
            if begins <= at:
                self.add(amount, at)
        self.forget(when)


def _take_back(rows: deque[tuple[float, int]], amount: int, begins: float, ends: float) -> int:
    """Take an amount out of what was spent between two times, the latest first; return what is left to take."""
    kept: list[tuple[float, int]] = []
    while amount and rows and rows[-1][0] >= begins:
        at, part = rows.pop()
        taken = min(amount, part) if at < ends else 0
        amount -= taken
        if part > taken:
            kept.append((at, part - taken))
    rows.extend(reversed(kept))
    return amount
