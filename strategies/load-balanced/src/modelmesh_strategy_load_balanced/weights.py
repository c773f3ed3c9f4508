"""Weights of the members of a pool, and exact draws by them from any set of members.

Members are kept in classes whose weights are within a factor of four. A draw takes a class by the most that its members may
weigh, a member of it evenly, and keeps that one as often as it really weighs; else it draws again. That is exact for every
set: what is not in it is drawn again like what weighs less. From a set that leaves most members out it is drawn through the
classes' masks, so that few draws are in vain.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Sequence
from functools import partial
from itertools import accumulate

from modelmesh.contracts import Candidate, PoolView

TRIES = 32
"""Draws before another way is taken; one in four is kept at least where nothing recovers and nothing is left out."""

MOST_LEFT_OUT = 16
"""Sets smaller than one member in so many are drawn from through masks at once."""

LEAST_CLASS = -20
"""Weights below 4 to this power share a class."""


class _Class:
    """Members of about one weight, as a mask and in pool order."""

    __slots__ = ("bound", "mask", "places")

    def __init__(self, bound: float) -> None:
        self.bound = bound
        self.mask = 0
        self.places: list[int] = []

    def add(self, place: int) -> None:
        self.mask |= 1 << place
        insort(self.places, place)

    def remove(self, place: int) -> None:
        self.mask &= ~(1 << place)
        del self.places[bisect_left(self.places, place)]


class Weights:
    """A weight for each member of a pool; ``None`` is unknown and weighs as much as the median of the known ones."""

    def __init__(self, pool: PoolView, weights: Sequence[float | None]) -> None:
        """Take the weights.

        Args:
            pool: Whose members they are of.
            weights: One for each member, in pool order, none below 0.
        """
        self._pool = pool
        self._values: list[float | None] = list(weights)
        self._unknown = _Class(1.0)
        self._classes: dict[int, _Class] = {}
        for place, weight in enumerate(weights):
            self._enter(place, weight)
        self._known = sorted(weight for weight in weights if weight is not None)
        self.typical = self._median()

    def set(self, place: int, weight: float | None) -> None:
        """Change the weight of a member."""
        before = self._values[place]
        if weight == before:
            return
        if before is None:
            self._unknown.remove(place)
        else:
            del self._known[bisect_left(self._known, before)]
            self._leave(place, before)
        self._values[place] = weight
        self._enter(place, weight)
        if weight is not None:
            insort(self._known, weight)
        self.typical = self._median()

    def _enter(self, place: int, weight: float | None) -> None:
        if weight is None:
            self._unknown.add(place)
        elif weight > 0:
            kind = _class_of(weight)
            if kind not in self._classes:
                self._classes[kind] = _Class(4.0**kind)
            self._classes[kind].add(place)

    def _leave(self, place: int, weight: float) -> None:
        if weight > 0:
            kind = _class_of(weight)
            self._classes[kind].remove(place)
            if not self._classes[kind].places:
                del self._classes[kind]

    def _median(self) -> float:
        """Return the median of the known ones, of those above 0 when it would be 0, and 1 when there is none."""
        positive = bisect_right(self._known, 0.0)
        if positive == len(self._known):
            return 1.0
        return _middle(self._known, 0) or _middle(self._known, positive)

    def of(self, place: int) -> float:
        """Return what a member weighs."""
        value = self._values[place]
        return self.typical if value is None else value

    def is_known(self, place: int) -> bool:
        """Whether a member has a weight of its own."""
        return self._values[place] is not None

    def draw(self, mask: int, random: Callable[[], float], share: Callable[[Candidate], float]) -> int:
        """Return one of a set, each as often as its weight times its share says; each alike when all weigh nothing.

        Args:
            mask: The places it is drawn from; there is at least one.
            random: Gives numbers in [0, 1).
            share: How much of its weight a candidate has now, above 0 and at most 1.
        """
        self._unknown.bound = self.typical
        classes = [self._classes[kind] for kind in sorted(self._classes, reverse=True)]
        classes.append(self._unknown)
        place = None
        if mask.bit_count() * MOST_LEFT_OUT >= len(self._values):
            place = self._tries([(one.bound, len(one.places), one.places.__getitem__) for one in classes], mask, random, share)
        if place is None:
            parts = [(one.bound, mask & one.mask) for one in classes if mask & one.mask]
            if not parts:
                return self._nth(mask, int(random() * mask.bit_count()))
            place = self._tries(
                [(bound, part.bit_count(), partial(self._nth, part)) for bound, part in parts], mask, random, share
            )
        return self._exactly(mask, random(), share) if place is None else place

    def _tries(
        self,
        rows: Sequence[tuple[float, int, Callable[[int], int]]],
        mask: int,
        random: Callable[[], float],
        share: Callable[[Candidate], float],
    ) -> int | None:
        """Draw until one is kept; ``None`` after too many.

        Args:
            rows: Of each class the most a member weighs, how many there are, and which one is at a number.
            mask: Those that may be kept.
            random: Gives numbers in [0, 1).
            share: How much of its weight a candidate has.
        """
        total = sum(bound * count for bound, count, _ in rows)
        for _ in range(TRIES if total else 0):
            at = random() * total
            for bound, count, at_number in rows:
                if at < bound * count:
                    spot = at / bound
                    number = min(int(spot), count - 1)
                    place = at_number(number)
                    kept = mask >> place & 1 and (spot - number) * bound < self.of(place) * share(self._pool.members[place])
                    if kept:
                        return place
                    break
                at -= bound * count
        return None

    def _exactly(self, mask: int, chance: float, share: Callable[[Candidate], float]) -> int:
        candidates = list(self._pool.subset(mask))
        places = [self._pool.position(candidate) or 0 for candidate in candidates]
        sums = list(accumulate(self.of(at) * share(one) for at, one in zip(places, candidates, strict=True)))
        return places[min(bisect_right(sums, chance * sums[-1]), len(places) - 1)]

    def _nth(self, mask: int, number: int) -> int:
        return self._pool.position(self._pool.subset(mask).pick(number)) or 0


def _class_of(weight: float) -> int:
    """Return the lowest ``n`` with ``weight <= 4 ** n``."""
    mantissa, exponent = math.frexp(weight)
    if mantissa == 0.5:  # noqa: PLR2004 - frexp gives a power of two as half of the next
        exponent -= 1
    return max(-(-exponent // 2), LEAST_CLASS)


def _middle(values: Sequence[float], start: int) -> float:
    low, high = (start + len(values) - 1) // 2, (start + len(values)) // 2
    return (values[low] + values[high]) / 2
