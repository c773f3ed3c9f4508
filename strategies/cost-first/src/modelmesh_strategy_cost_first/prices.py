"""The prices of a pool's members, put in order so that the cheapest for a request is found quickly."""

from __future__ import annotations

from collections.abc import Mapping

from modelmesh.contracts import ModelPricing, PoolView
from modelmesh_cdk.strategy import cost_nano_usd
from modelmesh_strategy_cost_first.envelope import Cheapest, Envelope, Price
from modelmesh_strategy_cost_first.spent import Spent

FEMTO_OF_NANO = 10**6
FEMTO = 10**15
THOUSAND = 1000


def usage_of(prompt: int, answer: int) -> Mapping[str, int]:
    """Return the usage of an answer that is still to come, in OpenAI's words."""
    return {"prompt_tokens": prompt, "completion_tokens": answer}


class PriceList:
    """What the members of a pool cost, as of when they were looked at.

    Models without a known price are in no order.

    Attributes:
        spent: What their answers have cost so far.
    """

    def __init__(self, pool: PoolView, spent: Spent) -> None:
        self.spent = spent
        self._members = pool.members
        self._pricings = [member.info.pricing for member in pool.members]
        self._read: dict[bool, tuple[Envelope, list[tuple[ModelPricing, int]]]] = {}

    def has_members_of(self, pool: PoolView) -> bool:
        """Whether the pool has the same members as when they were looked at."""
        return pool.members is self._members

    def is_of(self, pool: PoolView) -> bool:
        """Whether it is what the members cost now."""
        rows = zip(pool.members, self._pricings, strict=False)
        return self.has_members_of(pool) and all(member.info.pricing is pricing for member, pricing in rows)

    def order(self, prompt: int, answer: int, when: float) -> Cheapest:
        """Return the order for a request with so many tokens at a time, Unix seconds; of equals, by what they have cost."""
        writes = answer > 0
        if writes not in self._read:
            self._read[writes] = self._sorted(writes=writes)
        envelope, ruled = self._read[writes]
        if not ruled:
            return Cheapest(envelope, (), prompt, answer, self.spent)
        costs = ((cost_nano_usd(pricing, usage_of(prompt, answer), when), places) for pricing, places in ruled)
        others = [(cost * FEMTO_OF_NANO, places) for cost, places in costs if cost is not None]
        return Cheapest(envelope, others, prompt, answer, self.spent)

    def _sorted(self, *, writes: bool) -> tuple[Envelope, list[tuple[ModelPricing, int]]]:
        """Return prices that are the same for every token as one, and those with rules of their own."""
        flat: dict[tuple[int, int, int], int] = {}
        ruled: dict[str, tuple[ModelPricing, int]] = {}
        for place, pricing in enumerate(self._pricings):
            if pricing is None:
                continue
            if getattr(pricing, "bands", ()):  # it depends on the size of the prompt, or on the time
                alike = repr(pricing)  # rules need not be hashable
                ruled[alike] = (pricing, ruled.get(alike, (pricing, 0))[1] | 1 << place)
            elif cost_nano_usd(pricing, usage_of(1, int(writes))) is not None:
                output = pricing.output_per_1k_tokens if writes else 0
                key = (
                    _femto(pricing.input_per_1k_tokens, THOUSAND),
                    _femto(output, THOUSAND),
                    _femto(pricing.per_request),
                )
                flat[key] = flat.get(key, 0) | 1 << place
        return Envelope(Price(*key, places) for key, places in flat.items()), list(ruled.values())


def _femto(usd: float | None, per: int = 1) -> int:
    return round((usd or 0) * (FEMTO // per))
