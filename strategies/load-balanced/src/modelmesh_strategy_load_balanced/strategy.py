"""By chance, weighted with what the rate limits leave."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from attrs import frozen

from modelmesh.contracts import Candidate, Candidates, PoolView, SelectionRequest, SelectionResult
from modelmesh_cdk.strategy import BaseStrategy, Timers, membership, remaining
from modelmesh_strategy_load_balanced.settings import MOST, balance_mode, configured_weights, weights_for
from modelmesh_strategy_load_balanced.weights import Weights


class LoadBalanced(BaseStrategy):
    """Draws one of the candidates, each as often as its weight says.

    A weight is what is left of the model's rate limit: a share of the limit (``balance_mode: relative``), or a number of
    requests (``absolute``). A model of which nothing is known weighs as much as the median of the others; weights in the
    configuration count instead of all that. A model that has just recovered has a part of its weight for a while.
    """

    id: ClassVar[str] = "modelmesh.load-balanced.v1"
    options: ClassVar[Collection[str]] = ("balance_mode", "weights", "model_weights")

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        """Read the settings.

        Args:
            config: ``balance_mode``, and ``weights`` (or ``model_weights``) by model or provider.

        Raises:
            ConfigurationError: A weight or the mode is none.
        """
        super().__init__(config)
        self._stated = configured_weights(self.config)
        self._absolute = balance_mode(self.config) == "absolute"
        self._pool: PoolView | None = None
        self._members: tuple[Candidate, ...] = ()
        self._weights: Weights
        self._timers = Timers()

    def select(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult:
        """Return one by chance."""
        weights = self._up_to_date(candidates.pool, request.now)
        chosen = candidates.first_of(_Draw(weights, request))
        assert chosen is not None  # candidates are never empty
        weight, part = weights.of(candidates.pool.position(chosen) or 0), chosen.slow_start_weight(request.now)
        return SelectionResult(chosen, weight * part, self._said(chosen, weight, part))

    def score(self, candidate: Candidate, request: SelectionRequest) -> float:
        """Return its weight now."""
        seat = membership(candidate, request)
        if seat is None:
            return 0.0
        pool, place = seat
        return self._up_to_date(pool, request.now).of(place) * candidate.slow_start_weight(request.now)

    def _said(self, chosen: Candidate, weight: float, part: float) -> str:
        if self._stated:
            said = f"drawn by its configured weight, {weight:.4g}"
        elif self._pool is not None and not self._weights.is_known(self._pool.position(chosen) or 0):
            said = f"drawn; what its limit leaves is unknown, so it has the median weight, {weight:.3g}"
        elif not weight:
            said = "drawn evenly: no model that is ready has anything left of its limit"
        elif self._absolute:
            said = f"drawn by its weight, {weight:.0f} requests left"
        else:
            said = f"drawn by its weight, {weight:.1%} of its limit left"
        return said if part == 1 else f"{said}; {part:.0%} of that, as it has just recovered"

    # -- keeping the weights ------------------------------------------------------------------------------------------

    def picked(self, candidate: Candidate, request: SelectionRequest) -> None:
        """Count what is reserved for it."""
        self._look(candidate, request, request.now)

    def succeeded(self, candidate: Candidate, request: SelectionRequest, outcome: Mapping[str, Any]) -> None:
        """Take what its answer said of its limits."""
        self._look(candidate, request, max(candidate.answered_at, request.now))

    def failed(self, candidate: Candidate, request: SelectionRequest, error: Exception) -> None:
        """Take back what was reserved for it."""
        self._look(candidate, request, request.now)

    def _up_to_date(self, pool: PoolView, now: float) -> Weights:
        """Return the weights, with everything in them that time alone has changed."""
        if pool.members is not self._members:
            self._pool, self._members, self._timers = pool, pool.members, Timers()
            if self._stated:
                self._weights = Weights(pool, weights_for(pool, self._stated))
            else:
                seen = [self._measure(pool, place, now) for place in range(len(pool.members))]
                self._weights = Weights(pool, seen)
        for place, when in self._timers.due(now):
            self._weights.set(place, self._measure(pool, place, when))
        return self._weights

    def _look(self, candidate: Candidate, request: SelectionRequest, now: float) -> None:
        seat = membership(candidate, request)
        if seat is None or self._stated:
            return
        pool, place = seat
        if pool.members is self._members:  # else select() reads the whole pool
            self._weights.set(place, self._measure(pool, place, now))

    def _measure(self, pool: PoolView, place: int, now: float) -> float | None:
        """Return a member's headroom, ``None`` when nothing is known of it, and look again when time changes it."""
        found = [level for level in remaining(pool.members[place], pool, now) if not self._absolute or level.kind == "requests"]
        self._timers.set(place, min((level.changes_at for level in found), default=math.inf))
        if self._absolute:
            return min((float(min(level.left, MOST)) for level in found), default=None)
        return min((level.ratio for level in found), default=None)


@frozen
class _Draw:
    """An order of preference that chance makes."""

    weights: Weights
    request: SelectionRequest

    def first(self, mask: int) -> int:
        now = self.request.now
        return self.weights.draw(mask, self.request.rng.random, lambda candidate: candidate.slow_start_weight(now))
