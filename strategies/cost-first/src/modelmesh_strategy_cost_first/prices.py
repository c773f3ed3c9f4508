"""Prices of the members of a pool, sorted for the search of the cheapest."""

from __future__ import annotations

from collections.abc import Mapping
from operator import is_

from modelmesh.contracts import ModelPricing, PoolView
from modelmesh_cdk.strategy import cost_nano_usd
from modelmesh_strategy_cost_first.envelope import Cheapest, Envelope
from modelmesh_strategy_cost_first.price_table import PriceTable
from modelmesh_strategy_cost_first.spent import Spent

FEMTO_OF_NANO = 10**6


def usage_of(prompt: int, answer: int) -> Mapping[str, int]:
    """Return the usage of an expected answer in OpenAI's format."""
    return {"prompt_tokens": prompt, "completion_tokens": answer}


class PriceList:
    """Prices of the members of a pool at the time of construction. Models without a known price are left out.

    Attributes:
        spent: Total cost of each model so far.
    """

    def __init__(self, pool: PoolView, spent: Spent) -> None:
        self.spent = spent
        self._members = pool.members
        self._pricings = [member.info.pricing for member in pool.members]
        self._read: dict[bool, tuple[Envelope, list[tuple[ModelPricing, int]]]] = {}

    def has_members_of(self, pool: PoolView) -> bool:
        """Return whether the pool still has the same members."""
        return pool.members is self._members

    def is_of(self, pool: PoolView) -> bool:
        """Return whether members and prices of the pool are still the same."""
        return self.has_members_of(pool) and all(map(is_, [member.info.pricing for member in pool.members], self._pricings))

    def order(self, prompt: int, answer: int, when: float) -> Cheapest:
        """Return the order for a request.

        Args:
            prompt: Tokens of the prompt.
            answer: Expected tokens of the output.
            when: Unix seconds, for prices that depend on the time of day.
        """
        writes = answer > 0
        if writes not in self._read:
            self._read[writes] = self._sorted(writes=writes)
        envelope, ruled = self._read[writes]
        if not ruled:
            return Cheapest(envelope, (), prompt, answer, self.spent)
        costs = ((cost_nano_usd(pricing, usage_of(prompt, answer), when), positions) for pricing, positions in ruled)
        others = [(cost * FEMTO_OF_NANO, positions) for cost, positions in costs if cost is not None]
        return Cheapest(envelope, others, prompt, answer, self.spent)

    def _sorted(self, *, writes: bool) -> tuple[Envelope, list[tuple[ModelPricing, int]]]:
        """Return the prices with a constant cost of tokens, and those with bands."""
        pricings = self._pricings
        ruled: dict[str, tuple[ModelPricing, int]] = {}
        for position, pricing in enumerate(pricings):
            if pricing is not None and pricing.bands:  # depends on the size of the prompt or on the time
                alike = repr(pricing)  # prices need not be hashable
                ruled[alike] = (pricing, ruled.get(alike, (pricing, 0))[1] | 1 << position)
        # A known cost has a price for each kind of tokens, or one for the request, as in cost_nano_usd().
        known = [
            at
            for at, one in enumerate(pricings)
            if one is not None
            and (
                one.per_request is not None
                or (one.input_per_1k_tokens is not None and not (writes and one.output_per_1k_tokens is None))
            )
            and not one.bands
        ]
        return Envelope(PriceTable(pricings if known else (), writes=writes), known), list(ruled.values())
