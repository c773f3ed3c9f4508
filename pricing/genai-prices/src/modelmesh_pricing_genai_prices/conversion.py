"""From the library's prices to ours.

The library states USD for a million tokens; a tier of its holds for all tokens of a request whose prompt is longer than
the tier's start; of several conditional prices the last one whose condition holds counts, and where none does the first
(genai-prices 0.2.3, ``types.py``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from genai_prices.data import providers
from genai_prices.types import ConditionalPrice, ModelPrice, Provider, StartDateConstraint, TieredPrices, TimeOfDateConstraint

from modelmesh.contracts.models import ModelPricing, PriceBand

INPUT, OUTPUT, PER_REQUEST = "input_per_1k_tokens", "output_per_1k_tokens", "per_request"
CACHED, WRITTEN = "cached_input_per_1k_tokens", "cache_write_per_1k_tokens"
OURS = {
    "input_mtok": INPUT,
    "output_mtok": OUTPUT,
    "cache_read_mtok": CACHED,
    "cache_write_mtok": WRITTEN,
    "requests_kcount": PER_REQUEST,
}
THOUSAND = 1000
"""A million tokens, and a thousand requests, in what ours are stated in."""

_by_id: Mapping[str, Provider] = {one.id: one for one in providers}
_version = version("genai-prices")
_source = f"genai-prices {_version}"
_day: str | None = json.loads(files(__package__).joinpath("releases.json").read_text("utf-8"))["released"].get(_version)


def price_of(provider_id: str, model_id: str) -> ModelPricing | None:
    """Return the price of a model at one of the library's providers, ``None`` where it knows none.

    A model that the library prices only by what we do not count, such as seconds of sound, is of unknown price.
    """
    provider = _by_id.get(provider_id)
    model = provider.find_model(model_id) if provider else None
    if model is None:
        return None
    first, bands = _in_order(model.prices)
    usual = _base(first)
    if not {INPUT, OUTPUT, PER_REQUEST} & set(usual):
        return None
    return ModelPricing(**usual, bands=[*_tiers(first), *bands], source=_source, as_of=_day)


def _in_order(prices: ModelPrice | list[ConditionalPrice]) -> tuple[ModelPrice, list[PriceBand]]:
    """Return the price that holds when no other does, and the others in the order in which the later one counts."""
    if isinstance(prices, ModelPrice):
        return prices, []
    always = max((at for at, one in enumerate(prices) if one.constraint is None), default=0)
    first, bands = prices[always].prices, []
    stated, starts = set(_base(first)), {start for start, _ in _starts(first)}
    for one in prices[always + 1 :]:
        when, rates, tiers = _condition(one.constraint), _base(one.prices), dict(_starts(one.prices))
        rates = _ended(stated - set(rates), rates) | rates
        bands.append(PriceBand(**when, **rates))
        bands += [
            PriceBand(above_prompt_tokens=start, **when, **tiers.get(start, rates)) for start in sorted(starts | set(tiers))
        ]
        stated, starts = stated | set(rates), starts | set(tiers)
    return first, bands


def _ended(names: set[str], rates: Mapping[str, Any]) -> dict[str, Any]:
    """Say of prices that are no more what holds instead: a band leaves alone what it does not state."""
    found: dict[str, Any] = {}
    for name in names:
        if name in (CACHED, WRITTEN) and INPUT in rates:
            found[name] = rates[INPUT]
        elif name == PER_REQUEST and rates:
            found[name] = 0.0
        else:
            message = f"a price of genai-prices has no more {name} under a condition"
            raise ValueError(message)
    return found


def _condition(constraint: Any) -> dict[str, Any]:
    if isinstance(constraint, StartDateConstraint):
        return {"since": constraint.start_date.isoformat()}
    if isinstance(constraint, TimeOfDateConstraint):
        return {"hours": (f"{_utc(constraint.start_time):%H:%M}-{_utc(constraint.end_time):%H:%M}",)}
    message = f"genai-prices has a condition that is not understood: {type(constraint).__name__}"
    raise TypeError(message)


def _utc(moment: time) -> time:
    return moment if moment.tzinfo is None else datetime.combine(date(1970, 1, 2), moment).astimezone(UTC).time()


def _base(price: ModelPrice) -> dict[str, Any]:
    return {ours: _usd(value) for ours, value in _counted(price)}


def _counted(price: ModelPrice) -> Iterator[tuple[str, Any]]:
    for theirs, ours in OURS.items():
        value = getattr(price, theirs)
        if value is not None:
            yield ours, value


def _tiers(price: ModelPrice) -> list[PriceBand]:
    return [PriceBand(above_prompt_tokens=start, **rates) for start, rates in _starts(price)]


def _starts(price: ModelPrice) -> list[tuple[int, dict[str, Any]]]:
    """Return the prices of each tier by where it starts, rising."""
    found: dict[int, dict[str, Any]] = {}
    for ours, value in _counted(price):
        for tier in value.tiers if isinstance(value, TieredPrices) else ():
            found.setdefault(tier.start, {})[ours] = _usd(tier.price)
    return sorted(found.items())


def _usd(value: Decimal | TieredPrices) -> float:
    return float((value.base if isinstance(value, TieredPrices) else value) / THOUSAND)
