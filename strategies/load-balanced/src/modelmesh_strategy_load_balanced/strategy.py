"""Weighted random selection by remaining rate limits or by configured weights."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from attrs import define

from modelmesh.contracts import Candidate, Candidates, PoolView, SelectionRequest, SelectionResult
from modelmesh_cdk.strategy import BaseStrategy, MemberTimers, Remaining, membership, remaining, remaining_of_members
from modelmesh_strategy_load_balanced.settings import MAX_WEIGHT, balance_mode, configured_weights, weights_for
from modelmesh_strategy_load_balanced.weights import Weights


class LoadBalanced(BaseStrategy):
    """Selects a random candidate, with probabilities proportional to weights.

    The weight is the remaining capacity of the model's rate limit: a share of the limit (``balance_mode: relative``), or a number
    of requests (``absolute``). A model without a known limit has the median weight. Configured weights replace all of this. After
    a recovery, a model has a part of its weight for a while.
    """

    id: ClassVar[str] = "modelmesh.load-balanced.v1"
    options: ClassVar[Collection[str]] = ("balance_mode", "weights", "model_weights")

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        """Read the settings.

        Args:
            config: ``balance_mode``, and ``weights`` (or ``model_weights``) by model or provider.

        Raises:
            ConfigurationError: A weight or the mode is invalid.
        """
        super().__init__(config)
        self._configured = configured_weights(self.config)
        self._absolute = balance_mode(self.config) == "absolute"
        self._members: tuple[Candidate, ...] = ()
        self._weights: Weights
        self._timers = MemberTimers()

    def select(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult:
        """Return a random candidate."""
        weights = self._up_to_date(candidates.pool, request.now)
        draw = _Draw(weights, request)
        chosen = candidates.first_of(draw)
        assert chosen is not None  # a strategy receives at least one candidate
        weight, part = weights.of(draw.position), chosen.slow_start_weight(request.now)
        return SelectionResult(chosen, weight * part, self._reason(draw.position, weight, part))

    def score(self, candidate: Candidate, request: SelectionRequest) -> float:
        """Return the current weight of a candidate."""
        seat = membership(candidate, request)
        if seat is None:
            return 0.0
        pool, position = seat
        return self._up_to_date(pool, request.now).of(position) * candidate.slow_start_weight(request.now)

    def _reason(self, position: int, weight: float, part: float) -> str:
        if self._configured:
            text = f"drawn by its configured weight, {weight:.4g}"
        elif not self._weights.is_known(position):
            text = f"drawn by the median weight, {weight:.3g}, as its limit is unknown"
        elif not weight:
            text = "drawn evenly, as no available model has anything left of its limit"
        elif self._absolute:
            text = f"drawn by its weight, {weight:.0f} requests left"
        else:
            text = f"drawn by its weight, {weight:.1%} of its limit left"
        return text if part == 1 else f"{text}, of which {part:.0%} as it recovered recently"

    # -- updates of the weights ------------------------------------------------------------------------------------------

    def picked(self, candidate: Candidate, request: SelectionRequest) -> None:
        """Update the weight for the reservation of the attempt."""
        self._remeasure(candidate, request, request.now)

    def succeeded(self, candidate: Candidate, request: SelectionRequest, outcome: Mapping[str, Any]) -> None:
        """Update the weight from the rate limits of the answer."""
        self._remeasure(candidate, request, max(candidate.answered_at, request.now))

    def failed(self, candidate: Candidate, request: SelectionRequest, error: Exception) -> None:
        """Update the weight for the released reservation."""
        self._remeasure(candidate, request, request.now)

    def _up_to_date(self, pool: PoolView, now: float) -> Weights:
        """Return the weights after applying the changes that are due."""
        if pool.members is not self._members:
            self._members, self._timers = pool.members, MemberTimers()
            if self._configured:
                self._weights = Weights(pool, weights_for(pool, self._configured))
            else:
                self._weights = Weights(pool, self._measure_all(pool, now))
        for position, when in self._timers.due(now):
            self._weights.set(position, self._measure(pool, position, when))
        return self._weights

    def _remeasure(self, candidate: Candidate, request: SelectionRequest, now: float) -> None:
        seat = membership(candidate, request)
        if seat is None or self._configured:
            return
        pool, position = seat
        if pool.members is self._members:  # else select() reads the whole pool
            self._weights.set(position, self._measure(pool, position, now))

    def _measure_all(self, pool: PoolView, now: float) -> Iterator[tuple[Sequence[int], float | None]]:
        """Set the timers, and yield positions of members with known limits and their remaining capacity."""
        for positions, found in remaining_of_members(pool, now):
            weight, changes_at = self._weight(found)
            self._timers.set_all(positions, changes_at)
            yield positions, weight

    def _measure(self, pool: PoolView, position: int, now: float) -> float | None:
        """Return a member's remaining capacity, ``None`` without a known limit, and set a timer for its next change."""
        weight, changes_at = self._weight(remaining(pool.members[position], pool, now))
        self._timers.set(position, changes_at)
        return weight

    def _weight(self, levels: Iterable[Remaining]) -> tuple[float | None, float]:
        """Return the weight for a remaining capacity, and the time of its next change."""
        found = [level for level in levels if not self._absolute or level.kind == "requests"]
        changes_at = min((row.changes_at for row in found), default=math.inf)
        if self._absolute:
            return min((float(min(row.left, MAX_WEIGHT)) for row in found), default=None), changes_at
        return min((row.ratio for row in found), default=None), changes_at


@define
class _Draw:
    """Order that prefers a random member.

    Attributes:
        weights: Weights of the pool.
        request: The request.
        position: The member that was drawn. A search for its position takes as long as the draw among ten thousand members.
    """

    weights: Weights
    request: SelectionRequest
    position: int = 0

    def first(self, mask: int) -> int:
        now = self.request.now
        self.position = self.weights.draw(mask, self.request.rng.random, lambda candidate: candidate.slow_start_weight(now))
        return self.position
