"""Remaining capacity of a model under its rate limits, as reported by the vendor or counted by the mesh."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from operator import methodcaller

from attrs import frozen

from modelmesh.contracts.candidates import Candidate, CountedLimit, PoolView

STALE_AFTER_S = 60.0
"""Time after which a reported remainder without a reset time is ignored."""


@frozen
class Remaining:
    """Remaining capacity under one rate limit.

    Attributes:
        kind: ``requests`` or ``tokens``.
        limit: Size of the window.
        left: What is left of the window. The whole limit once its reset has passed.
        changes_at: Monotonic seconds at which more becomes available or the value becomes stale, ``inf`` when only an answer
            can change it.
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


def remaining(candidate: Candidate, pool: PoolView, now: float) -> tuple[Remaining, ...]:
    """Return the remaining capacity under every known rate limit of a model, empty when none is known.

    For each kind of limit, the report of the model's latest answer takes precedence over the mesh's own count.

    Args:
        candidate: The model.
        pool: A pool that contains it.
        now: Monotonic seconds.
    """
    reported = tuple(_reported(candidate, now))
    counted = pool.counted_limits(candidate, now)
    if not counted:
        return reported
    kinds = {row.kind for row in reported}
    return (*reported, *(_counted(row) for row in counted if row.kind not in kinds))


def remaining_of_members(pool: PoolView, now: float) -> Iterator[tuple[Sequence[int], tuple[Remaining, ...]]]:
    """Yield the positions of members with known rate limits, and their remaining capacity, as :func:`remaining` returns it.

    Members with equal limits come together, so that a strategy reads a large pool in little time. Members without a known limit
    are left out.

    Args:
        pool: The pool.
        now: Monotonic seconds.
    """
    members = pool.members
    reporting = [position for position, rows in enumerate(map(methodcaller("rate_limits", -math.inf), members)) if rows]
    for position in reporting:
        found = remaining(members[position], pool, now)
        if found:
            yield (position,), found
    seen = set(reporting)
    for positions, counted in pool.limit_groups(now):
        fresh = [position for position in positions if position not in seen] if seen else positions
        if fresh:
            yield fresh, tuple(map(_counted, counted))


def _counted(row: CountedLimit) -> Remaining:
    return Remaining(row.kind, row.limit, row.remaining, row.resets_at)


def _reported(candidate: Candidate, now: float) -> Iterator[Remaining]:
    at = candidate.answered_at
    for row in candidate.rate_limits(-math.inf):
        if row.resets_in is None:
            if now < at + STALE_AFTER_S:
                yield Remaining(row.kind, row.limit, row.remaining, at + STALE_AFTER_S)
        elif now < at + row.resets_in:
            yield Remaining(row.kind, row.limit, row.remaining, at + row.resets_in)
        else:
            yield Remaining(row.kind, row.limit, row.limit)
