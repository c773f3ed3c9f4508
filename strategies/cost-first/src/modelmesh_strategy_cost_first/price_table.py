"""Constant prices of the members of a pool, by position: as floats, and as whole femto-dollars where they are compared.

Columns of floats are read ten times as fast as one object for each price, which counts among ten thousand models.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from modelmesh.contracts import ModelPricing, PriceBand
from modelmesh_cdk.strategy import mask_of

FEMTO = 10**15
THOUSAND = 1000

SAME_USD = 4e-12
"""Difference of two costs of a thousand tokens up to which they may be equal in femto-dollars of a token."""


class ConstantPrice(NamedTuple):
    """Price in USD that prompts of some sizes have under price bands.

    Attributes:
        input_per_1k_tokens: As in ``ModelPricing``.
        output_per_1k_tokens: As in ``ModelPricing``.
        per_request: As in ``ModelPricing``.
        bands: None.
    """

    input_per_1k_tokens: float | None
    output_per_1k_tokens: float | None
    per_request: float | None
    bands: tuple[PriceBand, ...] = ()


class PriceTable:
    """Prices in USD, 0 where a price is unknown.

    Attributes:
        prompts: Prices of a thousand prompt tokens.
        answers: Prices of a thousand output tokens. All are 0 for requests without output tokens.
        requests: Prices of a request, independent of its size.
        sums: Prices of a thousand prompt tokens and a thousand output tokens together.
    """

    def __init__(self, pricings: Sequence[ModelPricing | ConstantPrice | None], *, writes: bool) -> None:
        """Read the prices.

        Args:
            pricings: Price of each member of the pool.
            writes: Whether the requests have output tokens.
        """
        self.prompts = [0.0 if one is None else one.input_per_1k_tokens or 0.0 for one in pricings]
        if writes:
            self.answers = [0.0 if one is None else one.output_per_1k_tokens or 0.0 for one in pricings]
        else:
            self.answers = [0.0] * len(pricings)
        self.requests = [0.0 if one is None else one.per_request or 0.0 for one in pricings]
        self.sums = [prompt + answer for prompt, answer in zip(self.prompts, self.answers, strict=True)]

    def femto(self, position: int) -> tuple[int, int, int]:
        """Return the costs of a prompt token, an output token and a request in femto-dollars."""
        request = round(self.requests[position] * FEMTO)
        return _of_token(self.prompts[position]), _of_token(self.answers[position]), request

    def prices(self, positions: Iterable[int]) -> list[tuple[int, int, int]]:
        """Return the different costs of tokens of some members, each with the mask of its members."""
        prompts, answers = self.prompts, self.answers
        written: dict[tuple[float, float], list[int]] = {}
        for at in positions:
            written.setdefault((prompts[at], answers[at]), []).append(at)
        equal: dict[tuple[int, int], list[int]] = {}
        for (prompt, answer), members in written.items():
            equal.setdefault((_of_token(prompt), _of_token(answer)), []).extend(members)
        return [(*costs, mask_of(members)) for costs, members in equal.items()]


def _of_token(usd_of_thousand: float) -> int:
    return round(usd_of_thousand * (FEMTO // THOUSAND))
