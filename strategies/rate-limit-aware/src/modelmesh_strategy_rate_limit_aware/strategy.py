"""Selection of one model until its rate limit comes near, then of the one with the most remaining capacity."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar

from attrs import frozen

from modelmesh.contracts import Candidate, Candidates, PoolView, SelectionRequest, SelectionResult, parse_duration
from modelmesh.errors import ConfigurationError
from modelmesh_cdk.strategy import BaseStrategy, MemberTimers, Remaining, membership, remaining, remaining_of_members
from modelmesh_strategy_rate_limit_aware.pace import Pace
from modelmesh_strategy_rate_limit_aware.standings import STEPS, Standings, to_steps

CURRENT, HAS_ROOM, UNKNOWN, SCARCE, PACED, EMPTY = 4.0, 2.0, 2.0, 0.0, -1.0, -2.0
"""Scores. The remaining share of the limit, 0 to 1, is added."""


class RateLimitAware(BaseStrategy):
    """Stays with one model until ``threshold`` of its rate limit is used, then selects the one with the most remaining capacity.

    The scarcer of requests and tokens counts. A model with an unknown limit ranks after those with known room. A model with a
    request less than ``min_delta`` ago, or with ``max_rpm`` requests in the last minute, is avoided like one above the threshold.
    When no model has room, the one with the most remaining capacity is selected.
    """

    id: ClassVar[str] = "modelmesh.rate-limit-aware.v1"
    options: ClassVar[Collection[str]] = ("rate_limit",)

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        """Read the settings.

        Args:
            config: ``rate_limit``: ``threshold`` (0 to 1), ``min_delta`` (a duration), ``max_rpm``.

        Raises:
            ConfigurationError: A setting is invalid.
        """
        super().__init__(config)
        self._threshold, self._min_delta, self._max_rpm = _settings(self.config.get("rate_limit") or {})
        self._current: Candidate | None = None
        self._pool: PoolView | None = None
        self._pace = Pace(self._min_delta, self._max_rpm)
        self._standings: Standings
        self._timers = MemberTimers()

    def select(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult:
        """Return the current model while it has room, else the one with the most remaining capacity."""
        pool = candidates.pool
        standings = self._up_to_date(pool, request.now)
        order = _Order(standings, self._pace.paced)
        current = self._current
        position = pool.position(current) if current is not None and current in candidates else None
        if current is not None and position is not None and order.has_room(position):
            return SelectionResult(current, CURRENT, f"current model: {self._describe(position)}")
        chosen = candidates.first_of(order)
        assert chosen is not None  # a strategy receives at least one candidate
        at = pool.position(chosen) or 0
        return SelectionResult(chosen, order.score(at), self._reason(order, at, position))

    def score(self, candidate: Candidate, request: SelectionRequest) -> float:
        """Return 4 for the current model with room, 2 plus the remaining share for others with room, and less for the rest."""
        seat = membership(candidate, request)
        if seat is None:
            return UNKNOWN
        pool, position = seat
        order = _Order(self._up_to_date(pool, request.now), self._pace.paced)
        return CURRENT if candidate is self._current and order.has_room(position) else order.score(position)

    def _reason(self, order: _Order, position: int, left: int | None) -> str:
        text = self._describe(position)
        if order.has_room(position):
            text = f"most room: {text}" if order.standings.shares[position] is not None else text
        else:
            text = f"no model has room: {text}"
        return text if left is None or left == position else f"{text} (before: {self._describe(left)})"

    def _describe(self, position: int) -> str:
        share = self._standings.shares[position]
        known = "its limit is unknown" if share is None else f"{share:.1%} of its limit left"
        return f"{known}, at its configured request rate" if self._pace.paced >> position & 1 else known

    # -- measurement ------------------------------------------------------------------------------------------------

    def picked(self, candidate: Candidate, request: SelectionRequest) -> None:
        """Make it the current model."""
        self._current = candidate
        seat = membership(candidate, request)
        if seat is not None:
            pool, position = seat
            self._up_to_date(pool, request.now)
            self._pace.record_request(position, request.now)
            self._measure(pool, position, request.now)

    def succeeded(self, candidate: Candidate, request: SelectionRequest, outcome: Mapping[str, Any]) -> None:
        """Measure it after an answer."""
        self._remeasure(candidate, request, max(candidate.answered_at, request.now))

    def failed(self, candidate: Candidate, request: SelectionRequest, error: Exception) -> None:
        """Measure it after the release of its reservation."""
        self._remeasure(candidate, request, request.now)

    def _remeasure(self, candidate: Candidate, request: SelectionRequest, now: float) -> None:
        seat = membership(candidate, request)
        if seat is not None and seat[0] is self._pool:
            pool, position = seat
            self._up_to_date(pool, request.now)
            self._measure(pool, position, now)

    def _up_to_date(self, pool: PoolView, now: float) -> Standings:
        """Return the standings after applying the changes that are due."""
        if pool is not self._pool:
            size = len(pool.members)
            self._pool, self._timers = pool, MemberTimers()
            self._standings, self._pace = Standings(size, self._threshold), Pace(self._min_delta, self._max_rpm)
            shares: dict[float, list[int]] = {}
            for positions, found in remaining_of_members(pool, now):
                share, changes_at = _scarcest(found)
                if share is not None:
                    shares.setdefault(share, []).extend(positions)
                self._timers.set_all(positions, changes_at)
            for share, members in shares.items():
                self._standings.set_all(members, share)
        for position in self._standings.grow(len(pool.members)):
            self._measure(pool, position, now)
        for position, when in self._timers.due(now):
            self._measure(pool, position, when)
        self._pace.advance(now)
        return self._standings

    def _measure(self, pool: PoolView, position: int, now: float) -> None:
        """Measure the remaining capacity of a member, and set a timer for its next change."""
        share, changes_at = _scarcest(remaining(pool.members[position], pool, now))
        self._timers.set(position, changes_at)
        self._standings.set(position, share)


@frozen
class _Order:
    """Order of preference when the current model is not kept.

    Attributes:
        standings: Remaining capacity of the members.
        paced: Mask of the members that exceed the configured rate.
    """

    standings: Standings
    paced: int

    def first(self, mask: int) -> int | None:
        known, awake = self.standings, mask & ~self.paced
        for best in (awake & ~known.over, awake & ~known.empty, mask & ~known.empty, mask):
            position = known.best(best)
            if position is not None:
                return position
            unknown = best & known.unknown
            if unknown:
                return (unknown & -unknown).bit_length() - 1
        return None

    def has_room(self, position: int) -> bool:
        return not (self.paced | self.standings.over) >> position & 1

    def score(self, position: int) -> float:
        share = self.standings.shares[position]
        left = 0.0 if share is None else to_steps(share) / STEPS
        if share == 0:
            return EMPTY
        if self.paced >> position & 1:
            return PACED + left
        if share is None:
            return UNKNOWN
        return (SCARCE if self.standings.over >> position & 1 else HAS_ROOM) + left


def _scarcest(found: Iterable[Remaining]) -> tuple[float | None, float]:
    """Return the smallest remaining share of some limits, and the time of the next change."""
    rows = tuple(found)
    return min((row.ratio for row in rows), default=None), min((row.changes_at for row in rows), default=math.inf)


def _settings(settings: Mapping[str, Any]) -> tuple[float, float, int]:
    threshold, max_rpm = settings.get("threshold", 0.8), settings.get("max_rpm") or 0
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        message = f"rate_limit.threshold must be a share of the limit, 0 to 1, not {threshold!r}. Example: 0.8."
        raise ConfigurationError(message, where="rate_limit.threshold")
    if isinstance(max_rpm, bool) or not isinstance(max_rpm, int) or max_rpm < 0:
        message = f"rate_limit.max_rpm must be a whole number, not {max_rpm!r}. 0 is no limit."
        raise ConfigurationError(message, where="rate_limit.max_rpm")
    try:
        return float(threshold), parse_duration(settings.get("min_delta") or 0), max_rpm
    except ValueError as error:
        message = f"rate_limit.min_delta: {error}."
        raise ConfigurationError(message, where="rate_limit.min_delta") from None
