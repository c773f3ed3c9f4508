"""Cost by prompt size, cache, hour and day, exact in integer nano-dollars."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from modelmesh._engine.limits.cost import TokenPrice, cost_nano_usd, pricing_at
from modelmesh.contracts.models import ModelPricing, PriceBand
from modelmesh.contracts.usage import MAX_TOKENS_PER_REQUEST
from modelmesh.errors import ConfigurationError

LONG = PriceBand(
    above_prompt_tokens=200_000, input_per_1k_tokens=0.004, cached_input_per_1k_tokens=0.001, output_per_1k_tokens=0.012
)
TIERED = ModelPricing(0.002, 0.006, cached_input_per_1k_tokens=0.0005, bands=[LONG])
PEAK = PriceBand(
    hours=("01:00-04:00", "06:00-10:00"),
    days=("mon", "tue", "wed", "thu", "fri"),
    input_per_1k_tokens=0.0003,
    output_per_1k_tokens=0.0012,
)
BY_HOUR = ModelPricing(0.00015, 0.0006, bands=[PEAK])
MONDAY, SATURDAY = datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)

decimals = st.decimals(0, 100, places=12).map(float)
counts = st.integers(0, 10**7)


def used(prompt: int, answer: int = 0, **details: Any) -> dict[str, Any]:
    return {"prompt_tokens": prompt, "completion_tokens": answer, "prompt_tokens_details": details}


def at(day: datetime, hour: int, minute: int = 0) -> float:
    return day.replace(hour=hour, minute=minute).timestamp()


# -- exact ----------------------------------------------------------------------------------------------------------


@given(decimals, decimals, decimals, decimals, counts, counts, counts, counts)
def test_cost_is_exact(price: float, out: float, read: float, write: float, prompt: int, answer: int, hit: int, new: int) -> None:
    pricing = ModelPricing(price, out, 0.25, cached_input_per_1k_tokens=read, cache_write_per_1k_tokens=write)
    cost = cost_nano_usd(pricing, used(prompt, answer, cached_tokens=hit, cache_write_tokens=new))
    hit = min(hit, prompt)
    new = min(new, prompt - hit)
    parts = ((prompt - hit - new, price), (hit, read), (new, write), (answer, out))
    exact = Decimal("0.25") + sum(tokens * Decimal(repr(rate)) / 1000 for tokens, rate in parts)
    assert cost == int((exact * 10**9).quantize(Decimal(1), ROUND_HALF_UP))


@given(decimals, counts, counts, counts)
def test_cost_of_parts_sums_to_whole(price: float, a: int, b: int, answer: int) -> None:
    pricing = ModelPricing(float(round(price, 6)), 0.0)
    costs = [cost_nano_usd(pricing, used(tokens, answer)) for tokens in (a, b, a + b)]
    assert costs[0] + costs[1] == costs[2]  # type: ignore[operator]


@given(st.integers(-5, 10**6), st.integers(-5, 10**6), st.one_of(st.none(), st.integers(-5, 10**6), st.text(), st.booleans()))
def test_cost_of_any_usage_is_not_negative(prompt: int, answer: int, cached: Any) -> None:
    cost = cost_nano_usd(TIERED, used(prompt, answer, cached_tokens=cached, cache_write_tokens=cached), at(MONDAY, 2))
    assert (cost is None) == (prompt < 0 or answer < 0)
    assert cost is None or cost >= 0


# -- the cache ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("details", "nano"),
    [
        ({}, 2_000_000),
        ({"cached_tokens": 400}, 1_400_000),
        ({"cached_tokens": 5000}, 500_000),
        ({"cached_tokens": True}, 2_000_000),
        ({"cached_tokens": -1}, 2_000_000),
        ({"cache_write_tokens": 400}, 2_000_000),
    ],
)
def test_cost_uses_known_cache_prices(details: dict[str, Any], nano: int) -> None:
    assert cost_nano_usd(TIERED, used(1000, 0, **details), 0.0) == nano
    assert cost_nano_usd(evolve(TIERED, cached_input_per_1k_tokens=None), used(1000, 0, **details), 0.0) == 2_000_000


# -- bands ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("prompt", "nano"), [(0, 6_000_000), (200_000, 406_000_000), (200_001, 812_004_000)])
def test_cost_band_of_long_prompt_applies_to_all_tokens(prompt: int, nano: int) -> None:
    assert cost_nano_usd(TIERED, used(prompt, 1000), 0.0) == nano


@pytest.mark.parametrize(
    ("when", "peak"),
    [
        (at(MONDAY, 0, 59), False),
        (at(MONDAY, 1), True),
        (at(MONDAY, 3, 59), True),
        (at(MONDAY, 4), False),
        (at(MONDAY, 6), True),
        (at(MONDAY, 10), False),
        (at(SATURDAY, 2), False),
        (None, True),
    ],
)
def test_price_band_applies_by_hour_and_day(when: float | None, peak: bool) -> None:
    assert cost_nano_usd(BY_HOUR, used(1000, 1000), when) == (1_500_000 if peak else 750_000)


@pytest.mark.parametrize(("hour", "nano"), [(21, 1), (22, 2), (23, 2), (0, 2), (1, 2), (2, 1)])
def test_price_band_hours_may_cross_midnight(hour: int, nano: int) -> None:
    pricing = ModelPricing(1e-6, 0.0, bands=[PriceBand(hours="22:00-02:00", input_per_1k_tokens=2e-6)])
    assert cost_nano_usd(pricing, used(1), at(MONDAY, hour)) == nano


@pytest.mark.parametrize(("day", "usd"), [(30, 2), (31, 2), (1, 4)])
def test_price_band_applies_from_its_date(day: int, usd: int) -> None:
    month = 1 if day == 1 else 12
    pricing = ModelPricing(0.002, 0.0, bands=[PriceBand(since="2027-01-01", input_per_1k_tokens=0.004)])
    when = datetime(2027 if day == 1 else 2026, month, day, 23 * (day != 1), tzinfo=UTC).timestamp()
    assert cost_nano_usd(pricing, used(1_000_000), when) == usd * 10**9


def test_price_bands_later_one_overrides_each_price() -> None:
    later = PriceBand(since="2026-11-01", output_per_1k_tokens=1.0)
    later_pricing = pricing_at(evolve(TIERED, bands=[LONG, later], source="s", as_of="2026-11-21"), 200_001, at(MONDAY, 0))
    assert later_pricing == ModelPricing(0.004, 1.0, None, "s", "2026-11-21", cached_input_per_1k_tokens=0.001)
    assert pricing_at(later_pricing, 1, 0.0) is later_pricing


def test_price_of_band_alone_is_unknown_outside() -> None:
    pricing = ModelPricing(0.001, bands=[PriceBand(hours="01:00-02:00", output_per_1k_tokens=0.001)])
    assert pricing.known
    assert [cost_nano_usd(pricing, used(1, 1), at(MONDAY, hour)) for hour in (0, 1)] == [None, 2000]
    assert cost_nano_usd(pricing, used(1, 1)) is None


@given(st.floats(0, 4e9), st.integers(0, 10**6))
def test_cost_without_time_is_the_highest(when: float, prompt: int) -> None:
    pricing = evolve(BY_HOUR, bands=[PEAK, LONG, PriceBand(since="2027-01-01", input_per_1k_tokens=0.0001)])
    at_most, at_that_time = cost_nano_usd(pricing, used(prompt, 10)), cost_nano_usd(pricing, used(prompt, 10), when)
    assert at_most is not None
    assert at_that_time is not None
    assert at_most >= at_that_time


# -- invalid prices -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["input_per_1k_tokens", "output_per_1k_tokens", "cached_input_per_1k_tokens", "cache_write_per_1k_tokens"]
)
@pytest.mark.parametrize("cls", [ModelPricing, PriceBand])
@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf"), 101, True, "0.1", [0.1]], ids=repr)
def test_pricing_rejects_invalid_price(cls: Any, name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"pricing: {name} must be USD from 0 to 100"):
        cls(**{name: value})
    with pytest.raises(ConfigurationError, match="per_request must be USD from 0 to 1000"):
        cls(per_request=1001)


@pytest.mark.parametrize(
    ("band", "words"),
    [
        ({"above_prompt_tokens": -1}, "above_prompt_tokens must be a whole number"),
        ({"above_prompt_tokens": 1.5}, "above_prompt_tokens must be a whole number"),
        ({"hours": "1-4"}, "hours must be written like '01:00-04:00'"),
        ({"hours": ("25:00-26:00",)}, "hours must be written like"),
        ({"hours": (7,)}, "hours must be written like"),
        ({"hours": "01:00-01:00"}, "'01:00-01:00' are none"),
        ({"days": ("monday",)}, "days must be of mon, tue"),
        ({"since": "tomorrow"}, "since must be a day"),
        ({"since": 2027}, "since must be a day"),
    ],
    ids=repr,
)
def test_price_band_rejects_invalid_condition(band: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        PriceBand(**band)


def test_pricing_rejects_invalid_bands() -> None:
    with pytest.raises(ConfigurationError, match="bands must be price bands"):
        ModelPricing(bands=[{"since": "2027-01-01"}])  # type: ignore[list-item]
    with pytest.raises(ConfigurationError, match="source must be text"):
        ModelPricing(source=1)  # type: ignore[arg-type]


@given(
    st.none() | decimals,
    st.none() | decimals,
    st.none() | decimals,
    st.integers(0, MAX_TOKENS_PER_REQUEST),
    st.integers(0, MAX_TOKENS_PER_REQUEST),
)
def test_token_price_equals_the_cost_of_a_response(
    price_in: float | None, price_out: float | None, per_request: float | None, prompt: int, answer: int
) -> None:
    pricing = ModelPricing(price_in, price_out, per_request=per_request)
    assert TokenPrice(pricing).cost(prompt, answer) == cost_nano_usd(pricing, used(prompt, answer))
