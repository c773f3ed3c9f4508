"""Prices of images, audio, characters, pages and searches."""

from __future__ import annotations

from typing import Any

import pytest

from modelmesh._engine.limits.cost import cost_nano_usd
from modelmesh.contracts.pricing import ModelPricing, PriceBand, UnitPrices
from modelmesh.errors import ConfigurationError

NANO = 10**9


def dollars(usage: dict[str, Any], *, text: tuple[float | None, float | None] = (None, None), **units: float) -> float | None:
    cost = cost_nano_usd(ModelPricing(*text, units=UnitPrices(**units)), usage)
    return None if cost is None else cost / NANO


@pytest.mark.parametrize(
    ("units", "usage", "expected"),
    [
        ({"per_image": 0.04}, {"images": 3}, 0.12),
        ({"per_audio_minute": 0.006}, {"audio_seconds": 90.0}, 0.009),
        ({"per_audio_minute": 0.006}, {"audio_seconds": 0.1}, 0.00001),
        ({"per_1k_characters": 0.015}, {"characters": 4096}, 0.06144),
        ({"per_page": 0.002}, {"pages": 7}, 0.014),
        ({"per_search": 0.002}, {"searches": 2}, 0.004),
        ({"per_image": 0.04}, {"images": 2, "prompt_tokens": 50}, 0.08),  # tokens are part of the price of an image
        ({"per_image": 0.04}, {}, None),
        ({"per_image": 0.04}, {"images": None}, None),
        ({"per_image": 0.0}, {}, 0.0),
    ],
)
def test_counts(units: dict[str, float], usage: dict[str, Any], expected: float | None) -> None:
    assert dollars(usage, **units) == expected


def test_media_tokens_have_their_own_price() -> None:
    rates = {"image_input_per_1k_tokens": 0.01, "image_output_per_1k_tokens": 0.04}
    usage = {
        "prompt_tokens": 300,
        "completion_tokens": 1000,
        "prompt_tokens_details": {"text_tokens": 100, "image_tokens": 200},
        "completion_tokens_details": {"image_tokens": 1000},
    }
    assert dollars(usage, text=(0.005, None), **rates) == 0.0425
    assert dollars({**usage, "prompt_tokens_details": {"text_tokens": 300}}, text=(0.005, None), **rates) == 0.0415


def test_tokens_without_details_are_text_or_of_the_only_priced_kind() -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 10}
    assert dollars(usage, text=(0.0025, 0.01), audio_input_per_1k_tokens=0.006) == 0.0026
    assert (
        dollars({"prompt_tokens": 10, "completion_tokens": 1000}, text=(0.0006, None), audio_output_per_1k_tokens=0.012)
        == 0.012006
    )


def test_tokens_of_a_kind_without_a_price_have_an_unknown_cost() -> None:
    usage = {"completion_tokens": 10, "completion_tokens_details": {"audio_tokens": 4}}
    assert dollars(usage, audio_output_per_1k_tokens=0.012) is None
    assert dollars({"prompt_tokens": 10}, audio_output_per_1k_tokens=0.012) is None


def test_tokens_of_the_cache_have_their_own_price() -> None:
    pricing = ModelPricing(0.001, 0.002, cached_input_per_1k_tokens=0.0001, units=UnitPrices(audio_input_per_1k_tokens=0.003))
    usage = {"prompt_tokens": 1000, "completion_tokens": 0, "prompt_tokens_details": {"cached_tokens": 500, "audio_tokens": 100}}
    assert cost_nano_usd(pricing, usage) == 900_000 + 300_000 - 450_000


def test_details_never_count_more_than_the_total() -> None:
    usage = {"prompt_tokens": 10, "prompt_tokens_details": {"audio_tokens": 99}}
    assert dollars(usage, text=(1.0, 1.0), audio_input_per_1k_tokens=2.0) == 0.02


def test_bands_change_the_token_prices_of_a_model_with_unit_prices() -> None:
    pricing = ModelPricing(
        0.001, 0.002, bands=[PriceBand(since="2027-01-01", input_per_1k_tokens=0.003)], units=UnitPrices(per_page=1.0)
    )
    usage = {"prompt_tokens": 1000, "completion_tokens": 0, "pages": 1}
    assert [cost_nano_usd(pricing, usage, when) for when in (0.0, 2e9)] == [1_001_000_000, 1_003_000_000]


@pytest.mark.parametrize("price", [-1, True, "0.1", 2000])
def test_a_wrong_price_is_an_error(price: Any) -> None:
    with pytest.raises(ConfigurationError, match="per_image must be USD from 0 to 1000"):
        UnitPrices(per_image=price)
