"""Selection of the model at which a request costs least."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from modelmesh.contracts import Call, Candidate, Candidates, PoolView, SelectionRequest, SelectionResult, reported_tokens
from modelmesh_cdk.strategy import (
    EWMA_ALPHA,
    NANO,
    TYPICAL_OUTPUT,
    BaseStrategy,
    allowed_output,
    cost_nano_usd,
    expected_usage,
    is_media,
    mask_of,
    membership,
    prompt_size,
)
from modelmesh_strategy_cost_first.prices import PriceList, usage_of
from modelmesh_strategy_cost_first.spent import Spent

PRICE_CHECK_S = 60.0
"""Interval at which changed prices are noticed."""

UNKNOWN_SCORE = -1e9
"""Score of a model without a known price, below that of any request."""


class CostFirst(BaseStrategy):
    """Selects the model at which the request costs least.

    The cost is estimated: prompt tokens from the text, output tokens from the moving average of this pool's answers, within the
    limit that the caller states. The estimated output is the same for all models. Among equal costs, the model with the least
    total cost so far is selected, and the earlier one in pool order for equal totals. A model without a known price is selected
    when there is no other.
    """

    id: ClassVar[str] = "modelmesh.cost-first.v1"
    options: ClassVar[Collection[str]] = ()

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(config)
        self._typical: float | None = None
        self._lists: WeakKeyDictionary[PoolView, tuple[PriceList, float]] = WeakKeyDictionary()

    def select(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult:
        """Return the cheapest candidate."""
        if is_media(request.call):
            return self._select_media(candidates, request)
        prompt, answer = self._expected(request.call)
        pool = candidates.pool
        when = pool.unix_time(request.now)
        # Without a prompt, as in a view of the pool, models are compared as for the shortest one.
        chosen = candidates.first_of(self._prices(pool, request.now).order(max(prompt, 1), answer, when))
        if chosen is None:
            chosen = candidates.first()
            assert chosen is not None  # a strategy receives at least one candidate
        return _result(chosen, cost_nano_usd(chosen.info.pricing, usage_of(prompt, answer), when))

    def _select_media(self, candidates: Candidates, request: SelectionRequest) -> SelectionResult:
        """Return the cheapest candidate for images, audio and other media, by the price of each candidate's unit."""
        usage = expected_usage(request.call, prompt_size(request.call)).estimated
        pool = candidates.pool
        when, spent = pool.unix_time(request.now), self._prices(pool, request.now).spent
        costs = {candidate: cost_nano_usd(candidate.info.pricing, usage, when) for candidate in candidates}
        cheapest = min((cost for cost in costs.values() if cost is not None), default=None)
        equals = [candidate for candidate, cost in costs.items() if cost == cheapest]
        seats = [seat for candidate in equals if (seat := membership(candidate, request)) is not None]
        if len(seats) < len(equals):
            return _result(equals[0], cheapest)
        return _result(pool.members[spent.least(mask_of([position for _, position in seats]))], cheapest)

    def score(self, candidate: Candidate, request: SelectionRequest) -> float:
        """Return the negative expected cost in USD, or -1,000,000,000 for a model without a known price."""
        when = candidate.memberships[0][0].unix_time(request.now) if candidate.memberships else None
        call = request.call
        expected = expected_usage(call, prompt_size(call)).estimated if is_media(call) else usage_of(*self._expected(call))
        cost = cost_nano_usd(candidate.info.pricing, expected, when)
        return UNKNOWN_SCORE if cost is None else -cost / NANO

    def succeeded(self, candidate: Candidate, request: SelectionRequest, outcome: Mapping[str, Any]) -> None:
        """Update the typical output and the total cost of the model."""
        tokens = reported_tokens((outcome.get("usage") or {}).get("completion_tokens"))
        if tokens is not None and not is_media(request.call) and request.call.operation.streams:
            self._typical = tokens if self._typical is None else self._typical + (tokens - self._typical) * EWMA_ALPHA
        seat = membership(candidate, request)
        if seat is not None:
            pool, position = seat
            cost = cost_nano_usd(candidate.info.pricing, outcome.get("usage"), pool.unix_time(request.now))
            if cost:
                self._prices(pool, request.now).spent.add(position, cost)

    def _expected(self, call: Call) -> tuple[int, int]:
        """Return the expected tokens of prompt and output. Only operations that can be streamed have output tokens."""
        prompt = prompt_size(call).estimated
        if not call.operation.streams:
            return prompt, 0
        answer = round(TYPICAL_OUTPUT if self._typical is None else self._typical)
        allowed = allowed_output(call)
        return prompt, answer if allowed is None else min(answer, allowed)

    def _prices(self, pool: PoolView, now: float) -> PriceList:
        found, checked_at = self._lists.get(pool, (None, 0.0))
        if found is not None and found.has_members_of(pool) and abs(now - checked_at) < PRICE_CHECK_S:
            return found
        if found is None or not found.is_of(pool):
            found = PriceList(pool, Spent() if found is None else found.spent)
        self._lists[pool] = (found, now)
        return found


def _result(chosen: Candidate, cost: int | None) -> SelectionResult:
    if cost is None:
        return SelectionResult(chosen, UNKNOWN_SCORE, "no price is known; first in pool order")
    amount = f"about {_usd(cost)}" if cost else "free"
    return SelectionResult(chosen, -cost / NANO, f"cheapest for this request: {amount}")


def _usd(nano: int) -> str:
    usd = nano / NANO
    return f"${usd:.{max(2, 1 - math.floor(math.log10(usd)))}f}"
