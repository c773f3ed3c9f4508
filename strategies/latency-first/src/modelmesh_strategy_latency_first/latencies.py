"""Moving averages of the time to the first content, one for each model."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Iterator

from attrs import define

from modelmesh.contracts import Candidate

DECAY_S = 10.0
"""Time constant of the decay: after it, an observation has lost 63 % of its weight."""

DEFAULT_LATENCY_S = 1.0
"""Latency of every model before the first observation. Only the requests in flight distinguish the models then."""


@define(eq=False, order=False)
class Latency:
    """Latency of one model.

    Attributes:
        candidate: The model.
        seconds: Peak-sensitive moving average: a longer observation replaces it, a shorter one lowers it gradually.
        at: Time of the latest observation, monotonic seconds.
        number: Distinguishes models with the same average.
    """

    candidate: Candidate
    seconds: float
    at: float
    number: int

    def decayed(self, now: float) -> float:
        """Return the average, decayed by the time since the latest observation."""
        return self.seconds * _weight(now - self.at)

    @property
    def rank(self) -> tuple[float, int]:
        """Sort key."""
        return (self.seconds, self.number)


class Latencies:
    """Latencies of all models, for requests of one kind."""

    def __init__(self) -> None:
        self._of: dict[Candidate, Latency] = {}
        self._sorted: list[Latency] = []
        self._numbers = 0
        self._full = 64

    def observe(self, candidate: Candidate, seconds: float, now: float) -> None:
        """Add an observation."""
        known = self._of.get(candidate)
        if known is None:
            self._make_room()
            self._numbers += 1
            known = self._of[candidate] = Latency(candidate, seconds, now, self._numbers)
        else:
            del self._sorted[bisect_left(self._sorted, known.rank, key=_rank)]
            keep = _weight(now - known.at)
            between = known.seconds * keep + seconds * (1 - keep)
            known.seconds = max(seconds, min(known.seconds, between))  # rounding may exceed both averaged values
            known.at = max(known.at, now)
        insort(self._sorted, known, key=_rank)

    def _make_room(self) -> None:
        """Remove the models that no pool contains any more."""
        if len(self._of) >= self._full:
            self._of = {one: wait for one, wait in self._of.items() if one.memberships}
            self._sorted = sorted(self._of.values(), key=_rank)
            self._full = max(64, 2 * len(self._of))

    def of(self, candidate: Candidate) -> Latency | None:
        """Return the latency of a model, ``None`` before the first observation."""
        return self._of.get(candidate)

    def shortest(self) -> Iterator[Candidate]:
        """Return the models, the fastest first."""
        return (wait.candidate for wait in self._sorted)

    @property
    def median(self) -> float:
        """Median of the averages."""
        if not self._sorted:
            return DEFAULT_LATENCY_S
        half = len(self._sorted) // 2
        upper = self._sorted[half].seconds
        return upper if len(self._sorted) % 2 else (upper + self._sorted[half - 1].seconds) / 2

    def __len__(self) -> int:
        return len(self._of)


def _rank(wait: Latency) -> tuple[float, int]:
    return wait.rank


def _weight(age: float) -> float:
    return math.exp(-max(age, 0.0) / DECAY_S)
