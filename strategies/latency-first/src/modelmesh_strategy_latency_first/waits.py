"""How long models make a request wait for its first content, as far as they were asked lately."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Iterator

from attrs import define

from modelmesh.contracts import Candidate

DECAY_S = 10.0
"""After so many seconds an observation has lost nearly two thirds of its weight."""

UNTOLD_S = 1.0
"""Stands for every model while nothing is known of any; only how busy they are tells them apart then."""


@define(eq=False, order=False)
class Wait:
    """What is known of one model.

    Attributes:
        candidate: The model.
        seconds: The average, in which older observations fade and a longer one counts in full at once.
        at: When that was last observed, monotonic seconds.
        number: Tells it from others with the same average.
    """

    candidate: Candidate
    seconds: float
    at: float
    number: int

    def faded(self, now: float) -> float:
        """Return the average as it counts now: what nobody has looked at for a while weighs little."""
        return self.seconds * _weight(now - self.at)

    @property
    def rank(self) -> tuple[float, int]:
        """Its place among others."""
        return (self.seconds, self.number)


class Waits:
    """What is known of all models, for requests of one kind; at most one entry a model."""

    def __init__(self) -> None:
        self._of: dict[Candidate, Wait] = {}
        self._sorted: list[Wait] = []
        self._numbers = 0
        self._full = 64

    def observe(self, candidate: Candidate, seconds: float, now: float) -> None:
        """Take up an observation: the average follows a longer one at once, a shorter one by the time that has passed."""
        known = self._of.get(candidate)
        if known is None:
            self._make_room()
            self._numbers += 1
            known = self._of[candidate] = Wait(candidate, seconds, now, self._numbers)
        else:
            del self._sorted[bisect_left(self._sorted, known.rank, key=_rank)]
            keep = _weight(now - known.at)
            between = known.seconds * keep + seconds * (1 - keep)
            known.seconds = max(seconds, min(known.seconds, between))  # rounding may carry it past what was averaged
            known.at = max(known.at, now)
        insort(self._sorted, known, key=_rank)

    def _make_room(self) -> None:
        """Forget models that no pool has any more."""
        if len(self._of) >= self._full:
            self._of = {one: wait for one, wait in self._of.items() if one.memberships}
            self._sorted = sorted(self._of.values(), key=_rank)
            self._full = max(64, 2 * len(self._of))

    def of(self, candidate: Candidate) -> Wait | None:
        """Return what is known of a model."""
        return self._of.get(candidate)

    def shortest(self) -> Iterator[Candidate]:
        """Return the models, the quickest first."""
        return (wait.candidate for wait in self._sorted)

    @property
    def median(self) -> float:
        """The median of the averages."""
        if not self._sorted:
            return UNTOLD_S
        half = len(self._sorted) // 2
        upper = self._sorted[half].seconds
        return upper if len(self._sorted) % 2 else (upper + self._sorted[half - 1].seconds) / 2

    def __len__(self) -> int:
        return len(self._of)


def _rank(wait: Wait) -> tuple[float, int]:
    return wait.rank


def _weight(age: float) -> float:
    return math.exp(-max(age, 0.0) / DECAY_S)
