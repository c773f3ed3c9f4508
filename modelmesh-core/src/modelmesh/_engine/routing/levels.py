"""How full the limits of a model still are: by what its vendor said last, else by what was counted here."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from attrs import frozen

from modelmesh._engine.limits.window import Period

if TYPE_CHECKING:
    from modelmesh._engine.limits.counter import LimitCounter
    from modelmesh._engine.routing.candidates import Candidate

BELIEVED_S = 60.0
"""How long a remainder is believed whose vendor does not say when there is more; then it is unknown again."""

KINDS = ("requests", "tokens")


@frozen
class Level:
    """What is left of one limit.

    Attributes:
        kind: ``requests`` or ``tokens``.
        limit: Of a window.
        left: Of it; the whole limit once its reset has passed.
        changes_at: When there will be more of it, or when it is no longer believed, monotonic seconds; ``inf`` when
            only an answer can change it.
    """

    kind: str
    limit: int
    left: int
    changes_at: float = math.inf

    @property
    def ratio(self) -> float:
        """Share of the limit that is left, 0 to 1."""
        return min(max(self.left / self.limit, 0.0), 1.0) if self.limit > 0 else 0.0

    def __str__(self) -> str:
        return f"{self.left} of {self.limit} {self.kind} left"


def levels(candidate: Candidate, now: float, *, epoch: float = 0.0) -> tuple[Level, ...]:
    """Return what is left of every limit that is known of a model; nothing when none is.

    For each kind the vendor's own word counts, by the headers of the model's latest answer; where it says nothing of a
    kind, what the meters of the model and of its account have counted.

    Args:
        candidate: The model.
        now: Monotonic seconds.
        epoch: Unix time at which the monotonic clock read 0, e.g. ``pool.ledger.epoch``.
    """
    told = list(_told(candidate, now))
    if not (candidate.health.counters or candidate.account.counters):
        return tuple(told)
    spoken_of = {level.kind for level in told}
    return (*told, *(level for level in _counted(candidate, now, epoch) if level.kind not in spoken_of))


def _told(candidate: Candidate, now: float) -> Iterator[Level]:
    at = candidate.answered_at
    for row in candidate.rate_limits(-math.inf):  # those whose reset has passed, too: they are full again
        if row.resets_in is None:
            if now < at + BELIEVED_S:
                yield Level(row.kind, row.limit, row.remaining, at + BELIEVED_S)
        elif now < at + row.resets_in:
            yield Level(row.kind, row.limit, row.remaining, at + row.resets_in)
        else:
            yield Level(row.kind, row.limit, row.limit)


def _counted(candidate: Candidate, now: float, epoch: float) -> Iterator[Level]:
    when = epoch + now
    for counter in (*candidate.health.counters, *candidate.account.counters):
        quota = counter.quota
        if quota.metric.value in KINDS and quota.enforce and quota.window.period is not Period.REQUEST:
            counter.roll(when)
            yield Level(quota.metric.value, quota.limit, counter.left, _more_at(counter, when) - epoch)


def _more_at(counter: LimitCounter, when: float) -> float:
    if counter.left >= counter.quota.limit:
        return math.inf
    return max(counter.resets(when), when + 1.0)  # the grains of a sliding window need not be looked at one by one


class Alarms:
    """Places of a pool that are to be looked at again at a time, one alarm each; needs no more room than its places."""

    def __init__(self) -> None:
        self._at: dict[int, float] = {}
        self._heap: list[tuple[float, int]] = []

    def set(self, place: int, when: float) -> None:
        """Look at a place then, and not when it was set to before; ``inf`` for never."""
        if math.isinf(when):
            self._at.pop(place, None)
            return
        if self._at.get(place) == when:
            return
        self._at[place] = when
        heapq.heappush(self._heap, (when, place))
        if len(self._heap) > 2 * len(self._at) + 64:
            self._heap = [(at, one) for one, at in self._at.items()]
            heapq.heapify(self._heap)

    def due(self, now: float) -> Iterator[tuple[int, float]]:
        """Yield the places whose time has come, and that time, the earliest first; each alarm rings once."""
        while self._heap and self._heap[0][0] <= now:
            when, place = heapq.heappop(self._heap)
            if self._at.get(place) == when:
                del self._at[place]
                yield place, when

    def __len__(self) -> int:
        return len(self._at)
