"""Conversion of the library's prices to ModelMesh's.

The library's prices are USD for a million tokens. A tier applies to all tokens of a request whose prompt is longer than the
tier's start. Of several conditional prices the last one with a true condition applies, or else the first
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

from modelmesh.contracts import ModelPricing, PriceBand, UnitPrices

INPUT, OUTPUT, PER_REQUEST = "input_per_1k_tokens", "output_per_1k_tokens", "per_request"
CACHED, WRITTEN = "cached_input_per_1k_tokens", "cache_write_per_1k_tokens"
RATE_NAMES = {
    "input_mtok": INPUT,
    "output_mtok": OUTPUT,
    "cache_read_mtok": CACHED,
    "cache_write_mtok": WRITTEN,
    "requests_kcount": PER_REQUEST,
}
UNIT_NAMES = {
    "input_audio_mtok": ("audio_input_per_1k_tokens", 1000),
    "output_audio_mtok": ("audio_output_per_1k_tokens", 1000),
    "input_image_mtok": ("image_input_per_1k_tokens", 1000),
    "output_image_mtok": ("image_output_per_1k_tokens", 1000),
    "audio_hours": ("per_audio_minute", 60),
    "input_audio_hours": ("per_audio_minute", 60),
    "input_mchars": ("per_1k_characters", 1000),
    "input_document_kpages": ("per_page", 1000),
}
"""Names of the prices of units, and the library's units of one of ours. A conditional price does not change them."""

THOUSAND = 1000
"""Divisor from a million to a thousand tokens, and from a thousand requests to one."""

_by_id: Mapping[str, Provider] = {provider.id: provider for provider in providers}
_version = version("genai-prices")
_source = f"genai-prices {_version}"
_day: str | None = json.loads(files(__package__).joinpath("releases.json").read_text("utf-8"))["released"].get(_version)


def price_of(provider_id: str, model_id: str) -> ModelPricing | None:
    """Return the price of a model at one of the library's providers, ``None`` when unknown.

    A model that the library prices only in units that ModelMesh does not count, such as seconds of video, has no known price.
    """
    provider = _by_id.get(provider_id)
    model = provider.find_model(model_id) if provider else None
    if model is None:
        return None
    first, bands = _split_conditions(model.prices)
    base, units = _base(first), _units(first)
    if not {INPUT, OUTPUT, PER_REQUEST} & set(base) and units is None:
        return None
    return ModelPricing(**base, bands=[*_tiers(first), *bands], units=units, source=_source, as_of=_day)


def _units(price: ModelPrice) -> UnitPrices | None:
    stated = {
        name: float(value / of_ours)
        for attribute, (name, of_ours) in UNIT_NAMES.items()
        if isinstance(value := getattr(price, attribute, None), Decimal)
    }
    return UnitPrices(**stated) if stated else None


def _split_conditions(prices: ModelPrice | list[ConditionalPrice]) -> tuple[ModelPrice, list[PriceBand]]:
    """Return the unconditional price, and the conditional ones in order. A later one overrides an earlier one."""
    if isinstance(prices, ModelPrice):
        return prices, []
    always = max((at for at, one in enumerate(prices) if one.constraint is None), default=0)
    first, bands = prices[always].prices, []
    stated, starts = set(_base(first)), {start for start, _ in _tier_rates(first)}
    for one in prices[always + 1 :]:
        when, rates, tiers = _condition(one.constraint), _base(one.prices), dict(_tier_rates(one.prices))
        rates = _replacements(stated - set(rates), rates) | rates
        bands.append(PriceBand(**when, **rates))
        bands += [
            PriceBand(above_prompt_tokens=start, **when, **tiers.get(start, rates)) for start in sorted(starts | set(tiers))
        ]
        stated, starts = stated | set(rates), starts | set(tiers)
    return first, bands


def _replacements(names: set[str], rates: Mapping[str, Any]) -> dict[str, Any]:
    """Return replacements for rates that a conditional price drops, because a band does not change rates it does not name."""
    found: dict[str, Any] = {}
    for name in names:
        if name in (CACHED, WRITTEN) and INPUT in rates:
            found[name] = rates[INPUT]
        elif name == PER_REQUEST and rates:
            found[name] = 0.0
        else:
            message = f"a conditional price of genai-prices drops {name}, which cannot be converted"
            raise ValueError(message)
    return found


def _condition(constraint: Any) -> dict[str, Any]:
    if isinstance(constraint, StartDateConstraint):
        return {"since": constraint.start_date.isoformat()}
    if isinstance(constraint, TimeOfDateConstraint):
        return {"hours": (f"{_utc(constraint.start_time):%H:%M}-{_utc(constraint.end_time):%H:%M}",)}
    message = f"genai-prices has an unknown kind of condition: {type(constraint).__name__}"
    raise TypeError(message)


def _utc(moment: time) -> time:
    return moment if moment.tzinfo is None else datetime.combine(date(1970, 1, 2), moment).astimezone(UTC).time()


def _base(price: ModelPrice) -> dict[str, Any]:
    return {name: _usd(value) for name, value in _rates(price)}


def _rates(price: ModelPrice) -> Iterator[tuple[str, Any]]:
    for attribute, name in RATE_NAMES.items():
        value = getattr(price, attribute)
        if value is not None:
            yield name, value


def _tiers(price: ModelPrice) -> list[PriceBand]:
    return [PriceBand(above_prompt_tokens=start, **rates) for start, rates in _tier_rates(price)]


def _tier_rates(price: ModelPrice) -> list[tuple[int, dict[str, Any]]]:
    """Return the rates of each tier by its start, in ascending order."""
    found: dict[int, dict[str, Any]] = {}
    for name, value in _rates(price):
        for tier in value.tiers if isinstance(value, TieredPrices) else ():
            found.setdefault(tier.start, {})[name] = _usd(tier.price)
    return sorted(found.items())


def _usd(value: Decimal | TieredPrices) -> float:
    return float((value.base if isinstance(value, TieredPrices) else value) / THOUSAND)
