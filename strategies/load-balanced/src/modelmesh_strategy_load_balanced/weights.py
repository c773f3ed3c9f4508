"""Weights of the members of a pool, and exact weighted draws from any set of members.

Members are grouped in classes whose weights are within a factor of four. A draw selects a class by its upper bound and a member
of it uniformly, and accepts the member with the ratio of its weight to the bound (rejection sampling). This is exact for every
set, because members outside of the set are rejected as well. Draws from a small set use the masks of the classes, so that few
of them are rejected.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import accumulate, repeat

from modelmesh.contracts import Candidate, PoolView
from modelmesh_cdk.strategy import mask_of

MAX_DRAWS = 32
"""Draws before another method is used. At least one in four is accepted where no model recovers and none is excluded."""

MIN_SHARE_FOR_DRAWS = 16
"""Sets with fewer than one member in this number are drawn from by masks at once."""

MIN_CLASS = -20
"""Weights below 4 to this power share a class."""


class _Class:
    """Members of similar weight, in pool order and as a mask. The mask is built when a draw needs it first."""

    __slots__ = ("_mask", "bound", "positions")

    def __init__(self, bound: float) -> None:
        self.bound = bound
        self._mask: int | None = None
        self.positions: list[int] = []

    @property
    def mask(self) -> int:
        if self._mask is None:
            self._mask = mask_of(self.positions)
        return self._mask

    def add(self, position: int) -> None:
        if self._mask is not None:
            self._mask |= 1 << position
        insort(self.positions, position)

    def remove(self, position: int) -> None:
        if self._mask is not None:
            self._mask &= ~(1 << position)
        del self.positions[bisect_left(self.positions, position)]


class Weights:
    """A weight for each member of a pool. ``None`` is unknown and counts as the median of the known weights."""

    def __init__(self, pool: PoolView, weights: Iterable[tuple[Sequence[int], float | None]]) -> None:
        """Set the initial weights.

        Args:
            pool: The pool.
            weights: Positions of some members, and their weight, at least 0. The weights of all others are unknown.
        """
        self._pool = pool
        size = len(pool.members)
        self._values: list[float | None] = [None] * size
        self._unknown = _Class(1.0)
        self._classes: dict[int, _Class] = {}
        self._known: list[float] = []
        for positions, weight in weights:
            if weight is None:
                continue
            for position in positions:
                self._values[position] = weight
            self._known.extend(repeat(weight, len(positions)))
            target = self._class_for(weight)
            if target is not None:
                target.positions.extend(positions)
        for kind in self._classes.values():
            kind.positions.sort()
        self._known.sort()
        if len(self._known) < size:
            self._unknown.positions.extend(at for at, weight in enumerate(self._values) if weight is None)
        self.typical = self._median()

    def set(self, position: int, weight: float | None) -> None:
        """Set the weight of a member."""
        before = self._values[position]
        if weight == before:
            return
        if before is None:
            self._unknown.remove(position)
        else:
            del self._known[bisect_left(self._known, before)]
            self._leave(position, before)
        self._values[position] = weight
        self._enter(position, weight)
        if weight is not None:
            insort(self._known, weight)
        self.typical = self._median()

    def _enter(self, position: int, weight: float | None) -> None:
        target = self._class_for(weight)
        if target is not None:
            target.add(position)

    def _class_for(self, weight: float | None) -> _Class | None:
        """Return the class of a weight, ``None`` for 0."""
        if weight is None:
            return self._unknown
        if weight <= 0:
            return None
        kind = _class_of(weight)
        if kind not in self._classes:
            self._classes[kind] = _Class(4.0**kind)
        return self._classes[kind]

    def _leave(self, position: int, weight: float) -> None:
        if weight > 0:
            kind = _class_of(weight)
            self._classes[kind].remove(position)
            if not self._classes[kind].positions:
                del self._classes[kind]

    def _median(self) -> float:
        """Return the median of the known weights, of those above 0 when it would be 0, and 1 without any."""
        positive = bisect_right(self._known, 0.0)
        if positive == len(self._known):
            return 1.0
        return _middle(self._known, 0) or _middle(self._known, positive)

    def of(self, position: int) -> float:
        """Return the weight of a member."""
        value = self._values[position]
        return self.typical if value is None else value

    def is_known(self, position: int) -> bool:
        """Return whether the weight of a member is known."""
        return self._values[position] is not None

    def draw(self, mask: int, random: Callable[[], float], share: Callable[[Candidate], float]) -> int:
        """Return a random position of a set, by weight times share. The draw is uniform when all weights are 0.

        Args:
            mask: The set, not empty.
            random: Returns numbers in [0, 1).
            share: Returns the share of its weight that a candidate has now, above 0 and at most 1.
        """
        self._unknown.bound = self.typical
        classes = [self._classes[kind] for kind in sorted(self._classes, reverse=True)]
        classes.append(self._unknown)
        position = None
        if mask.bit_count() * MIN_SHARE_FOR_DRAWS >= len(self._values):
            position = self._draw_and_reject(
                [(one.bound, len(one.positions), one.positions.__getitem__) for one in classes], mask, random, share
            )
        if position is None:
            parts = [(one.bound, mask & one.mask) for one in classes if mask & one.mask]
            if not parts:
                return self._nth(mask, int(random() * mask.bit_count()))
            position = self._draw_and_reject(
                [(bound, part.bit_count(), partial(self._nth, part)) for bound, part in parts], mask, random, share
            )
        return self._draw_exactly(mask, random(), share) if position is None else position

    def _draw_and_reject(
        self,
        rows: Sequence[tuple[float, int, Callable[[int], int]]],
        mask: int,
        random: Callable[[], float],
        share: Callable[[Candidate], float],
    ) -> int | None:
        """Draw until a member is accepted, ``None`` after too many draws.

        Args:
            rows: For each class the upper bound of its weights, its size, and a function from a number to a position.
            mask: Positions that may be accepted.
            random: Returns numbers in [0, 1).
            share: Returns the share of its weight that a candidate has now.
        """
        total = sum(bound * count for bound, count, _ in rows)
        for _ in range(MAX_DRAWS if total else 0):
            at = random() * total
            for bound, count, at_number in rows:
                if at < bound * count:
                    spot = at / bound
                    number = min(int(spot), count - 1)
                    position = at_number(number)
                    kept = mask >> position & 1 and (spot - number) * bound < self.of(position) * share(
                        self._pool.members[position]
                    )
                    if kept:
                        return position
                    break
                at -= bound * count
        return None

    def _draw_exactly(self, mask: int, chance: float, share: Callable[[Candidate], float]) -> int:
        candidates = list(self._pool.subset(mask))
        positions = [self._pool.position(candidate) or 0 for candidate in candidates]
        sums = list(accumulate(self.of(at) * share(one) for at, one in zip(positions, candidates, strict=True)))
        return positions[min(bisect_right(sums, chance * sums[-1]), len(positions) - 1)]

    def _nth(self, mask: int, number: int) -> int:
        return self._pool.position(self._pool.subset(mask).pick(number)) or 0


def _class_of(weight: float) -> int:
    """Return the lowest ``n`` with ``weight <= 4 ** n``."""
    mantissa, exponent = math.frexp(weight)
    if mantissa == 0.5:  # noqa: PLR2004 - frexp gives a power of two as half of the next
        exponent -= 1
    return max(-(-exponent // 2), MIN_CLASS)


def _middle(values: Sequence[float], start: int) -> float:
    low, high = (start + len(values) - 1) // 2, (start + len(values)) // 2
    return (values[low] + values[high]) / 2
