"""The same model until its rate limit comes near."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from attrs import frozen

from modelmesh.contracts import Candidate, Candidates, PoolView, SelectionRequest, SelectionResult, duration
from modelmesh.errors import ConfigurationError
from modelmesh_cdk.strategy import BaseStrategy, Timers, membership, remaining
from modelmesh_strategy_rate_limit_aware.pace import Pace
from modelmesh_strategy_rate_limit_aware.standings import STEPS, Standings, in_steps

STAYS, HAS_ROOM, UNKNOWN, SCARCE, RESTS, EMPTY = 4.0, 2.0, 2.0, 0.0, -1.0, -2.0
"""Scores; what is left of a limit, 0 to 1, comes on top."""


class RateLimitAware(BaseStrategy):
    """Stays with one model until ``threshold`` of its rate limit is used, then goes to the one with most left.

    Of requests and tokens the scarcer counts. A model of which nothing is known can be used, after those that are known to
    have room. A model that was asked less than ``min_delta`` ago, or ``max_rpm`` times in the last minute, is passed over
    as one above the threshold is. When none has room, the one with most left is asked.
    """

    id: ClassVar[str] = "modelmesh.rate-limit-aware.v1"
    options: ClassVar[Collection[str]] = ("rate_limit",)

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        """Read the settings.

        Args:
            config: ``rate_limit``: ``threshold`` (0 to 1), ``min_delta`` (a duration), ``max_rpm``.

        Raises:
            ConfigurationError: One of them cannot be used.
        """
        super().__init__(config)
        self._threshold, self._min_delta, self._max_rpm = _settings(self.config.get("rate_limit") or {})
        self._current: Candidate | None = None
        self._pool: PoolView | None = None
        self._pace = Pace(self._min_delta, self._max_rpm)
        self._standings: Standings
        self._timers = Timers()

    def select(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult:
        """Return the current one while it has room, else the one with most left."""
        pool = candidates.pool
        standings = self._up_to_date(pool, request.now)
        order = _Order(standings, self._pace.resting)
        current = self._current
        place = pool.position(current) if current is not None and current in candidates else None
        if current is not None and place is not None and order.has_room(place):
            return SelectionResult(current, STAYS, f"stays: {self._said(place)}")
        chosen = candidates.first_of(order)
        assert chosen is not None  # candidates are never empty
        at = pool.position(chosen) or 0
        return SelectionResult(chosen, order.worth(at), self._why(order, at, place))

    def score(self, candidate: Candidate, request: SelectionRequest) -> float:
        """4 for the current one while it has room; 2 and what is left for others; less for those that are passed over."""
        seat = membership(candidate, request)
        if seat is None:
            return UNKNOWN
        pool, place = seat
        order = _Order(self._up_to_date(pool, request.now), self._pace.resting)
        return STAYS if candidate is self._current and order.has_room(place) else order.worth(place)

    def _why(self, order: _Order, place: int, left: int | None) -> str:
        said = self._said(place)
        if order.has_room(place):
            said = f"most room: {said}" if order.standings.shares[place] is not None else said
        else:
            said = f"none has room; {said}"
        return said if left is None or left == place else f"{said} (before: {self._said(left)})"

    def _said(self, place: int) -> str:
        share = self._standings.shares[place]
        known = "nothing is known of its limit" if share is None else f"{share:.1%} of its limit left"
        return f"{known}, asked as often as it may be" if self._pace.resting >> place & 1 else known

    # -- keeping count ------------------------------------------------------------------------------------------------

    def picked(self, candidate: Candidate, request: SelectionRequest) -> None:
        """Stay with it from here."""
        self._current = candidate
        seat = membership(candidate, request)
        if seat is not None:
            pool, place = seat
            self._up_to_date(pool, request.now)
            self._pace.asked(place, request.now)
            self._look(pool, place, request.now)

    def succeeded(self, candidate: Candidate, request: SelectionRequest, outcome: Mapping[str, Any]) -> None:
        """Take what its answer said of its limits."""
        self._remeasure(candidate, request, max(candidate.answered_at, request.now))

    def failed(self, candidate: Candidate, request: SelectionRequest, error: Exception) -> None:
        """Take back what was reserved for it."""
        self._remeasure(candidate, request, request.now)

    def _remeasure(self, candidate: Candidate, request: SelectionRequest, now: float) -> None:
        seat = membership(candidate, request)
        if seat is not None and seat[0] is self._pool:
            pool, place = seat
            self._up_to_date(pool, request.now)
            self._look(pool, place, now)

    def _up_to_date(self, pool: PoolView, now: float) -> Standings:
        """Return the standings, with everything in them that time alone has changed."""
        if pool is not self._pool:
            size = len(pool.members)
            self._pool, self._timers = pool, Timers()
            self._standings, self._pace = Standings(size, self._threshold), Pace(self._min_delta, self._max_rpm)
            for place in range(size):
                self._look(pool, place, now)
        for place in self._standings.grow(len(pool.members)):
            self._look(pool, place, now)
        for place, when in self._timers.due(now):
            self._look(pool, place, when)
        self._pace.advance(now)
        return self._standings

    def _look(self, pool: PoolView, place: int, now: float) -> None:
        """Read what is left of a member's limits, and look again when time changes it."""
        found = remaining(pool.members[place], pool, now)
        self._timers.set(place, min((level.changes_at for level in found), default=math.inf))
        self._standings.set(place, min((level.ratio for level in found), default=None))


@frozen
class _Order:
    """Who is preferred when the current one is not kept.

    Attributes:
        standings: What is left of the limits.
        resting: Places that are asked often enough, a mask.
    """

    standings: Standings
    resting: int

    def first(self, mask: int) -> int | None:
        known, awake = self.standings, mask & ~self.resting
        for best in (awake & ~known.over, awake & ~known.empty, mask & ~known.empty, mask):
            place = known.best(best)
            if place is not None:
                return place
            unknown = best & known.unknown
            if unknown:
                return (unknown & -unknown).bit_length() - 1
        return None

    def has_room(self, place: int) -> bool:
        return not (self.resting | self.standings.over) >> place & 1

    def worth(self, place: int) -> float:
        share = self.standings.shares[place]
        left = 0.0 if share is None else in_steps(share) / STEPS
        if share == 0:
            return EMPTY
        if self.resting >> place & 1:
            return RESTS + left
        if share is None:
            return UNKNOWN
        return (SCARCE if self.standings.over >> place & 1 else HAS_ROOM) + left


def _settings(stated: Mapping[str, Any]) -> tuple[float, float, int]:
    threshold, most = stated.get("threshold", 0.8), stated.get("max_rpm") or 0
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        message = f"rate_limit.threshold must be a share of the limit, 0 to 1, not {threshold!r}; e.g. 0.8."
        raise ConfigurationError(message, where="rate_limit.threshold")
    if isinstance(most, bool) or not isinstance(most, int) or most < 0:
        message = f"rate_limit.max_rpm must be a whole number, not {most!r}; 0 is no limit."
        raise ConfigurationError(message, where="rate_limit.max_rpm")
    try:
        return float(threshold), duration(stated.get("min_delta") or 0), most
    except ValueError as error:
        message = f"rate_limit.min_delta: {error}."
        raise ConfigurationError(message, where="rate_limit.min_delta") from None
