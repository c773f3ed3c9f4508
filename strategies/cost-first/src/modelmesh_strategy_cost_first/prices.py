"""Prices of the members of a pool, sorted for the search of the cheapest."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from operator import is_

from modelmesh.contracts import ModelPricing, PoolView, PriceBand
from modelmesh_cdk.strategy import cost_nano_usd
from modelmesh_strategy_cost_first.envelope import Cheapest, Envelope
from modelmesh_strategy_cost_first.price_table import ConstantPrice, PriceTable
from modelmesh_strategy_cost_first.spent import Spent

FEMTO_OF_NANO = 10**6

MAX_SORTED = 8
"""Sorted prices that are kept at the same time, for different sizes of prompts."""


def usage_of(prompt: int, answer: int) -> Mapping[str, int]:
    """Return the usage of an expected answer in OpenAI's format."""
    return {"prompt_tokens": prompt, "completion_tokens": answer}


class PriceList:
    """Prices of the members of a pool at the time of construction. Models without a known price are left out.

    Prices that depend on the size of the prompt only are constant between two sizes, so that prompts between them share sorted
    prices. Prices that depend on the time are evaluated for each request.

    Attributes:
        spent: Total cost of each model so far.
    """

    def __init__(self, pool: PoolView, spent: Spent) -> None:
        self.spent = spent
        self._members = pool.members
        self._pricings = [member.info.pricing for member in pool.members]
        self._sized: list[int] = []  # positions of prices that depend on the size of the prompt
        self._ruled: list[tuple[ModelPricing, int]] = []
        self._read_bands()
        sizes = {band.above_prompt_tokens for at in self._sized for band in _bands(self._pricings[at])}
        self._sizes = sorted(size for size in sizes if size is not None)
        self._sorted: dict[tuple[bool, int], Envelope] = {}

    def _read_bands(self) -> None:
        """Find the prices that are not constant."""
        ruled: dict[str, tuple[ModelPricing, int]] = {}
        for position, pricing in enumerate(self._pricings):
            if pricing is not None and pricing.bands:
                if all(isinstance(band, PriceBand) and not band.timed for band in pricing.bands):
                    self._sized.append(position)
                else:
                    alike = repr(pricing)  # prices need not be hashable
                    ruled[alike] = (pricing, ruled.get(alike, (pricing, 0))[1] | 1 << position)
        self._ruled = list(ruled.values())

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
        key = writes, bisect_left(self._sizes, prompt)  # a band applies above its size
        envelope = self._sorted.get(key)
        if envelope is None:
            if len(self._sorted) == MAX_SORTED:
                del self._sorted[next(iter(self._sorted))]
            envelope = self._sorted[key] = self._sort(prompt, writes=writes)
        if not self._ruled:
            return Cheapest(envelope, (), prompt, answer, self.spent)
        costs = ((cost_nano_usd(pricing, usage_of(prompt, answer), when), positions) for pricing, positions in self._ruled)
        others = [(cost * FEMTO_OF_NANO, positions) for cost, positions in costs if cost is not None]
        return Cheapest(envelope, others, prompt, answer, self.spent)

    def _sort(self, prompt: int, *, writes: bool) -> Envelope:
        """Return the prices that are constant for prompts of one size."""
        pricings: list[ModelPricing | ConstantPrice | None] = [*self._pricings]
        for at in self._sized:
            pricing = self._pricings[at]
            assert pricing is not None  # it has bands
            pricings[at] = _constant_price(pricing, prompt)
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
        return Envelope(PriceTable(pricings if known else (), writes=writes), known)


def _bands(pricing: ModelPricing | None) -> Sequence[PriceBand]:
    return () if pricing is None else pricing.bands


def _constant_price(pricing: ModelPricing, prompt: int) -> ConstantPrice:
    """Return the price for prompts of a size. A later band takes precedence, as in cost_nano_usd()."""
    price_in, price_out, per_request = pricing.input_per_1k_tokens, pricing.output_per_1k_tokens, pricing.per_request
    for band in pricing.bands:
        if band.fits(prompt):
            price_in = price_in if band.input_per_1k_tokens is None else band.input_per_1k_tokens
            price_out = price_out if band.output_per_1k_tokens is None else band.output_per_1k_tokens
            per_request = per_request if band.per_request is None else band.per_request
    return ConstantPrice(price_in, price_out, per_request)
