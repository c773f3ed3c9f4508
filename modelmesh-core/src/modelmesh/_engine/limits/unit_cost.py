"""Cost of requests that vendors price by images, audio, characters, pages or searches."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from modelmesh.contracts.pricing import ModelPricing, UnitPrices
from modelmesh.contracts.usage import reported_tokens

UNITS: Mapping[str, tuple[str, int]] = {
    "per_image": ("images", 1),
    "per_audio_minute": ("audio_seconds", 60),
    "per_1k_characters": ("characters", 1000),
    "per_page": ("pages", 1),
    "per_search": ("searches", 1),
}
"""Key of the count in the usage, and counts for the price, by the name of the price."""

_SIDES = (
    ("prompt_tokens", "input_per_1k_tokens", {"audio": "audio_input_per_1k_tokens", "image": "image_input_per_1k_tokens"}),
    ("completion_tokens", "output_per_1k_tokens", {"audio": "audio_output_per_1k_tokens", "image": "image_output_per_1k_tokens"}),
)


def unit_cost(pricing: ModelPricing, units: UnitPrices, usage: Mapping[str, Any]) -> int | None:
    """Return the cost of one response of a model with prices of units.

    Tokens without a price are part of the price of a unit or of the request. A model without any such price has an unknown cost
    when it used tokens of unknown price.

    Args:
        pricing: The model's prices, without bands.
        units: Its prices of units.
        usage: Token usage in the format of chat completions, and the counts of :data:`UNITS`. ``prompt_tokens_details`` and
            ``completion_tokens_details`` count the tokens of audio and of images. Tokens without details are text, or of the
            most expensive kind when text has no price.

    Returns:
        Nano-dollars, ``None`` when a price or a count is unknown.
    """
    counted = _cost_of_counts(units, usage)
    if counted is None:
        return None
    total, is_priced_by_units = counted
    covered = is_priced_by_units or pricing.per_request is not None
    for key, name, media in _SIDES:
        tokens = reported_tokens(usage.get(key))
        if tokens:
            cost = _cost_of_side(tokens, getattr(pricing, name), units, media, usage.get(f"{key}_details"))
            if cost is None and not covered:
                return None
            total += cost or 0
    return round((total + _exact(pricing.per_request or 0)) * 10**9)


def _cost_of_counts(units: UnitPrices, usage: Mapping[str, Any]) -> tuple[Fraction, bool] | None:
    """Return the dollars of the counts and whether any price applied, ``None`` if a count with a price is unknown."""
    total, applied = Fraction(0), False
    for name, (key, per) in UNITS.items():
        price = getattr(units, name)
        if price is None:
            continue
        applied = True
        count = usage.get(key)
        if not isinstance(count, int | float) or isinstance(count, bool) or count < 0:
            if price:
                return None
            continue
        total += _exact(price) * _exact(count) / per
    return total, applied


def _cost_of_side(tokens: int, text: float | None, units: UnitPrices, media: Mapping[str, str], details: Any) -> Fraction | None:
    """Return the dollars of the tokens of a prompt or of an answer, ``None`` if tokens of a kind have no price."""
    prices = {kind: getattr(units, name) for kind, name in media.items() if getattr(units, name) is not None}
    if not prices:
        return None if text is None else tokens * _exact(text) / 1000
    counts = _details(details, prices)
    if counts is None:
        return tokens * _exact(max(prices.values()) if text is None else text) / 1000
    left, total = tokens, Fraction(0)
    for kind, price in prices.items():
        count = min(counts.get(kind, 0), left)
        left -= count
        total += count * _exact(price) / 1000
    if left and text is None:
        return None
    return total + left * _exact(text or 0) / 1000


def _details(details: Any, prices: Mapping[str, float]) -> dict[str, int] | None:
    if not isinstance(details, Mapping):
        return None
    counts = {kind: reported_tokens(details.get(f"{kind}_tokens")) for kind in prices}
    known = {kind: count for kind, count in counts.items() if count is not None}
    return known or (None if reported_tokens(details.get("text_tokens")) is None else {})


def _exact(number: float) -> Fraction:
    """Return the decimal number that a price or a count was written as."""
    return Fraction(str(number))
