"""Prices in the rows of a ``models.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import fields

from modelmesh.contracts.models import ModelPricing, PriceBand
from modelmesh.contracts.pricing import UNIT_PRICES, UnitPrices
from modelmesh.errors import ConfigurationError

_KEYS: Mapping[type[Any], tuple[str, ...]] = {
    ModelPricing: (*(one.name for one in fields(ModelPricing) if one.name != "units"), *UNIT_PRICES),
    PriceBand: tuple(one.name for one in fields(PriceBand) if one.init),
}


def read_price(row: Any, *, source: str | None = None, as_of: str | None = None) -> ModelPricing:
    """Read ``pricing`` of a row: USD for 1,000 tokens, for a request and for other units, and ``bands`` with other prices.

    Args:
        row: Fields of :class:`ModelPricing` and of :class:`UnitPrices`. ``bands`` is a list of maps with fields of
            :class:`PriceBand`.
        source: Source of the catalogue, for prices without a source.
        as_of: Date of the catalogue, for prices without a date.

    Raises:
        ConfigurationError: A price is invalid, for example negative, or a field is unknown.
    """
    _check_keys(row, ModelPricing, "pricing")
    bands = row.get("bands", ())
    if not isinstance(bands, list | tuple):
        message = f"pricing: bands must be a list, not {bands!r}."
        raise ConfigurationError(message)
    for band in bands:
        _check_keys(band, PriceBand, "a band of pricing")
    read = [PriceBand(**band) for band in bands]
    prices, units = UnitPrices.split(row)
    return ModelPricing(**{"source": source, "as_of": as_of, **prices, "bands": read, "units": units})


def _check_keys(row: Any, cls: type[ModelPricing | PriceBand], what: str) -> None:
    known = _KEYS[cls]
    if not isinstance(row, Mapping):
        message = f"{what} must be an object with some of {', '.join(known)}, not {row!r}."
        raise ConfigurationError(message)
    unknown = sorted(set(row) - set(known))
    if unknown:
        message = f"{what} has the unknown field {unknown[0]!r}. Known: {', '.join(known)}."
        raise ConfigurationError(message)
