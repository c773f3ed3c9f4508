"""Amounts in a sliding window, for limits without a fixed reset.

Processes that share a limit do so by buckets. A bucket is a fixed window as long as the sliding one and the same for all
processes, so that a store can keep its sum. Any position of the sliding window overlaps two buckets. Other processes report
only the sum of a bucket. Their amounts are assumed to be as late as possible, so that the window never forgets early. An
amount that is older than the window stays recorded while it belongs to the bucket in which the window begins, because the sum
of that bucket contains it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

SLOTS = 60
"""Slots of a window. Amounts in the same slot are merged."""


class SlidingLog:
    """Amounts and their times, as far back as the window and its first bucket reach.

    Attributes:
        span: Length of the window in seconds.
        total: Sum of the amounts in the window.
    """

    def __init__(self, span: float) -> None:
        self.span = span
        self.total = 0
        self._rows: deque[tuple[float, int]] = deque()  # by time
        self._expired: deque[tuple[float, int]] = deque()

    def bucket_end(self, when: float) -> float:
        """Return the end of the bucket that contains a time, Unix seconds."""
        return (when // self.span + 1) * self.span

    @property
    def oldest(self) -> float | None:
        """Time of the oldest amount in the window, ``None`` when it is empty."""
        return self._rows[0][0] if self._rows else None

    def expire(self, when: float) -> None:
        """Remove amounts that are older than the window."""
        while self._rows and self._rows[0][0] <= when - self.span:
            self.total -= self._rows[0][1]
            self._expired.append(self._rows.popleft())
        if self._expired:
            begins = self.bucket_end(when) - 2 * self.span
            while self._expired and self._expired[0][0] < begins:
                self._expired.popleft()

    def add(self, amount: int, when: float) -> None:
        """Add an amount at a time."""
        if amount <= 0:
            return
        later: list[tuple[float, int]] = []
        while self._rows and self._rows[-1][0] > when:
            later.append(self._rows.pop())
        self.total += amount
        slot = self.span / SLOTS  # slots are fixed: one that began with each amount could last as long as amounts arrive
        if self._rows and self._rows[-1][0] // slot == when // slot:
            amount += self._rows.pop()[1]  # the later of both times, so that nothing expires early
        self._rows.append((when, amount))
        self._rows.extend(reversed(later))

    def set_bucket_total(self, ends: float, amount: int, when: float) -> None:
        """Adjust the amounts of a bucket to the total of all processes.

        Args:
            ends: End of the bucket.
            amount: The total.
            when: Unix seconds.
        """
        begins = ends - self.span
        more = amount - sum(part for rows in (self._expired, self._rows) for at, part in rows if begins <= at < ends)
        if more >= 0:
            self.add(more, max(begins, min(when, math.nextafter(ends, 0.0))))
        else:
            left = _subtract(self._rows, -more, begins, ends)
            self.total -= -more - left
            _subtract(self._expired, left, begins, ends)

    def buckets(self, ends: float) -> Iterator[tuple[float, int]]:
        """Yield the end and the known sum of the bucket with this end and of the one before it."""
        for end in (ends - self.span, ends):
            yield end, sum(part for rows in (self._expired, self._rows) for at, part in rows if end - self.span <= at < end)

    def clear(self) -> None:
        """Remove every amount."""
        self._rows.clear()
        self._expired.clear()
        self.total = 0

    # -- stored state -----------------------------------------------------------------------------------------------

    def saved(self) -> list[list[float]]:
        """Return the amounts as plain data."""
        return [list(row) for rows in (self._expired, self._rows) for row in rows]

    def restore(self, rows: Iterable[Any], when: float) -> None:
        """Restore the amounts of an earlier run. Times in the future (the clock was set back) count as now."""
        read = [(min(float(at), when), int(amount)) for at, amount in rows]
        begins = self.bucket_end(when) - 2 * self.span
        for at, amount in read:
            if begins <= at:
                self.add(amount, at)
        self.expire(when)


def _subtract(rows: deque[tuple[float, int]], amount: int, begins: float, ends: float) -> int:
    """Subtract an amount from those between two times, the latest first. Returns the remainder."""
    kept: list[tuple[float, int]] = []
    while amount and rows and rows[-1][0] >= begins:
        at, part = rows.pop()
        taken = min(amount, part) if at < ends else 0
        amount -= taken
        if part > taken:
            kept.append((at, part - taken))
    rows.extend(reversed(kept))
    return amount
