"""Cost of a request in integer nano-dollars, so that sums are exact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

from modelmesh._engine.limits.unit_cost import unit_cost
from modelmesh.contracts.pricing import ModelPricing, PriceBand, UnitPrices
from modelmesh.contracts.usage import MAX_TOKENS_PER_REQUEST, reported_tokens

_FEMTO_OF_1K = 10**12
"""Femto-dollars of a token at one dollar for 1,000 tokens. A price of up to 12 decimals is an integer in this unit."""

_FEMTO_OF_ONE = 10**15
_FEMTO_OF_NANO = 10**6
RATES = (
    "input_per_1k_tokens",
    "output_per_1k_tokens",
    "per_request",
    "cached_input_per_1k_tokens",
    "cache_write_per_1k_tokens",
)

_get_rates = attrgetter(*RATES)
Rates = Sequence[float | None]


def cost_nano_usd(pricing: ModelPricing | None, usage: Mapping[str, Any] | None, when: float | None = None) -> int | None:
    """Return the cost of one response.

    Args:
        pricing: The model's list price.
        usage: Token usage in OpenAI's format. ``prompt_tokens`` are all tokens of the prompt, of which
            ``prompt_tokens_details`` counts those read from and written to the vendor's cache.
        when: Unix seconds. Without it, the highest of several prices by time of day applies.

    Returns:
        Nano-dollars, ``None`` when the price or the usage is unknown.
    """
    if pricing is None:
        return None
    usage = usage or {}
    if pricing.units is not None:
        return _cost_with_units(pricing if when is None else pricing_at(pricing, _prompt(usage), when), pricing.units, usage)
    if not pricing.bands:
        return _cost(_get_rates(pricing), usage)
    prompt = _prompt(usage)
    costs = [_cost(_rates(pricing, bands), usage) for bands in _in_force(pricing, prompt, when)]
    known = [cost for cost in costs if cost is not None]
    return max(known) if len(known) == len(costs) else None


def _cost_with_units(pricing: ModelPricing, units: UnitPrices, usage: Mapping[str, Any]) -> int | None:
    cost, price_in = unit_cost(pricing, units, usage), pricing.input_per_1k_tokens
    cached, written = pricing.cached_input_per_1k_tokens, pricing.cache_write_per_1k_tokens
    if cost is None or price_in is None or (cached is None and written is None):
        return cost
    return max(cost + _of_cache(usage, price_in, cached, written) // _FEMTO_OF_NANO, 0)


def _prompt(usage: Mapping[str, Any]) -> int:
    return reported_tokens(usage.get("prompt_tokens")) or 0


class TokenPrice:
    """Price of a model without price bands, converted to integers once for several costs of plain token counts."""

    __slots__ = ("_per_output", "_per_prompt", "_per_request")

    def __init__(self, pricing: ModelPricing) -> None:
        price_in, price_out, per_request = pricing.input_per_1k_tokens, pricing.output_per_1k_tokens, pricing.per_request
        self._per_prompt = None if price_in is None else round(price_in * _FEMTO_OF_1K)
        self._per_output = None if price_out is None else round(price_out * _FEMTO_OF_1K)
        self._per_request = None if per_request is None else round(per_request * _FEMTO_OF_ONE)

    def cost(self, prompt: int, output: int) -> int | None:
        """Return what :func:`cost_nano_usd` returns for these counts."""
        per_prompt, per_output, per_request = self._per_prompt, self._per_output, self._per_request
        if (prompt > MAX_TOKENS_PER_REQUEST and per_prompt) or (output > MAX_TOKENS_PER_REQUEST and per_output):
            return None
        if per_request is None and ((prompt and per_prompt is None) or (output and per_output is None)):
            return None
        total = prompt * (per_prompt or 0) + output * (per_output or 0) + (per_request or 0)
        return (total + _FEMTO_OF_NANO // 2) // _FEMTO_OF_NANO


def pricing_at(pricing: ModelPricing, prompt_tokens: int, when: float) -> ModelPricing:
    """Return the prices for a prompt of this size at a time, Unix seconds, as prices without bands."""
    if not pricing.bands:
        return pricing
    (bands,) = _in_force(pricing, prompt_tokens, when)
    rates: dict[str, Any] = dict(zip(RATES, _rates(pricing, bands), strict=True))
    return ModelPricing(**rates, source=pricing.source, as_of=pricing.as_of)


def _in_force(pricing: ModelPricing, prompt: int, when: float | None) -> Iterator[list[PriceBand]]:
    """Yield the bands that apply. Without a time, yield one list for each band that may."""
    fitting = [band for band in pricing.bands if band.fits(prompt)]
    if when is not None:
        yield [band for band in fitting if not band.timed or band.holds_at(when)]
        return
    yield [band for band in fitting if not band.timed]
    for one in fitting:
        if one.timed:
            yield [band for band in fitting if band is one or not band.timed]


def _rates(pricing: ModelPricing, bands: Sequence[PriceBand]) -> Rates:
    rates = [getattr(pricing, name) for name in RATES]
    for band in bands:
        for place, name in enumerate(RATES):
            stated = getattr(band, name)
            if stated is not None:
                rates[place] = stated
    return rates


def _cost(rates: Rates, usage: Mapping[str, Any]) -> int | None:
    price_in, price_out, per_request, price_cached, price_written = rates
    total = 0
    for price, key in ((price_in, "prompt_tokens"), (price_out, "completion_tokens")):
        tokens = reported_tokens(usage.get(key))
        if price is None:
            if usage.get(key) and per_request is None:
                return None  # such tokens were used, and their price is unknown
        elif tokens is not None:
            total += tokens * round(price * _FEMTO_OF_1K)
        elif price:
            return None
    if price_in is not None and (price_cached is not None or price_written is not None):
        total += _of_cache(usage, price_in, price_cached, price_written)
    total += round((per_request or 0.0) * _FEMTO_OF_ONE)
    return (total + _FEMTO_OF_NANO // 2) // _FEMTO_OF_NANO


def _of_cache(usage: Mapping[str, Any], price: float, cached: float | None, written: float | None) -> int:
    """Return the change of a prompt's cost by cached tokens, of which it has no more than its own."""
    details = usage.get("prompt_tokens_details")
    if details is None or not isinstance(details, Mapping):
        return 0
    left, change = reported_tokens(usage.get("prompt_tokens")) or 0, 0
    for name, own in (("cached_tokens", cached), ("cache_write_tokens", written)):
        tokens = min(reported_tokens(details.get(name)) or 0, left)
        left -= tokens
        if own is not None:
            change += tokens * (round(own * _FEMTO_OF_1K) - round(price * _FEMTO_OF_1K))
    return change
