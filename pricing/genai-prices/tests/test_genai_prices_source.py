"""Prices of genai-prices: equal to the library's own, with tiers and hours, and without network access."""

from __future__ import annotations

import socket
import subprocess
import sys
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib.metadata import version
from typing import Any

import genai_prices
import pytest
from genai_prices.data import providers
from genai_prices.types import ClauseEquals, ConditionalPrice, ModelPrice, StartDateConstraint, Tier, TieredPrices
from genai_prices.types import ModelInfo as Theirs
from genai_prices.types import TimeOfDateConstraint as Hours
from hypothesis import given, settings
from hypothesis import strategies as st
from modelmesh_pricing_genai_prices import PROVIDERS, conversion, modelmesh_price

from modelmesh._engine.foundation.units import NANO
from modelmesh._engine.limits.cost import cost_nano_usd
from modelmesh.contracts.models import ModelPricing

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
COUNTED = set(conversion.RATE_NAMES)
COMPARABLE = [
    (connector, provider.id, model)
    for connector, provider_id in PROVIDERS.items()
    for provider in providers
    if provider.id == provider_id
    for model in provider.models
    if provider.find_model(model.id) is model
]


def priced_units(prices: Any) -> set[str]:
    """Return the units for which a model has a price."""
    every = [prices] if isinstance(prices, ModelPrice) else [one.prices for one in prices]
    return {key for one in every for key, value in vars(one).items() if value is not None}


PLAIN = [row for row in COMPARABLE if {"input_mtok", "output_mtok"} <= priced_units(row[2].prices) <= COUNTED]


def test_library_has_comparable_prices() -> None:
    assert len(PLAIN) > 300
    assert {connector for connector, _, _ in PLAIN} >= {"groq.api.v1", "deepseek.api.v1", "xai.grok.v1"}
    assert any(not isinstance(model.prices, ModelPrice) for _, _, model in PLAIN)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(PLAIN),
    st.integers(0, 400_000),
    st.integers(0, 100_000),
    st.floats(0, 1),
    st.datetimes(datetime(2026, 11, 21), datetime(2027, 6, 1)),  # noqa: DTZ001 - the strategy wants them naive
)
def test_cost_equals_the_librarys_calculation(row: Any, prompt: int, answer: int, share: float, moment: datetime) -> None:
    connector, provider_id, model = row
    cached, when = int(prompt * share), moment.replace(tzinfo=UTC)
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": answer,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    theirs = genai_prices.calc_price(
        genai_prices.Usage(input_tokens=prompt, output_tokens=answer, cache_read_tokens=cached),
        model.id,
        provider_id=provider_id,
        genai_request_timestamp=when,
    )
    ours = cost_nano_usd(modelmesh_price(connector, model.id), usage, when.timestamp())
    assert ours is not None
    assert abs(ours - theirs.total_price * NANO) <= Decimal("0.5")


def test_every_price_can_be_converted() -> None:
    priced = [modelmesh_price(connector, model.id) for connector, _, model in COMPARABLE]
    known = [pricing for pricing in priced if pricing is not None]
    assert len(known) > 900
    assert all(pricing.known and pricing.source == f"genai-prices {version('genai-prices')}" for pricing in known)


def test_price_has_source_and_date() -> None:
    pricing = modelmesh_price("groq.api.v1", "openai/gpt-oss-120b")
    assert pricing is not None
    assert pricing.source == f"genai-prices {version('genai-prices')}"
    assert pricing.as_of == ("2026-11-10" if version("genai-prices") == "0.2.3" else None)


@pytest.mark.parametrize(
    ("connector", "model", "usage", "dollars"),
    [
        ("groq.api.v1", "whisper-large-v3", {"audio_seconds": 3600}, 0.111),
        ("groq.api.v1", "canopylabs/orpheus-arabic-saudi", {"characters": 1_000_000}, 40.0),
        ("mistral.api.v1", "mistral-ocr-2503", {"pages": 1000}, 1.0),
        (
            "openai.llm.v1",
            "gpt-image-1",
            {"completion_tokens": 1_000_000, "completion_tokens_details": {"image_tokens": 1_000_000}},
            40.0,
        ),
        ("openai.llm.v1", "gpt-4o-transcribe", {"prompt_tokens": 10**6, "prompt_tokens_details": {"audio_tokens": 10**6}}, 6.0),
    ],
)
def test_prices_of_units_are_those_of_the_library(connector: str, model: str, usage: dict[str, Any], dollars: float) -> None:
    cost = cost_nano_usd(modelmesh_price(connector, model), usage)
    assert cost is not None
    assert cost / NANO == pytest.approx(dollars)


@pytest.mark.parametrize(
    ("connector", "model"),
    [
        ("groq.api.v1", "no-such-model"),
        ("acme.gateway.v1", "openai/gpt-oss-120b"),
        ("huggingface.inference.v1", "openai/gpt-oss-120b"),
    ],
)
def test_price_missing_in_the_library_is_unknown(connector: str, model: str) -> None:
    assert modelmesh_price(connector, model) is None


def test_price_with_tiers_and_dates(monkeypatch: pytest.MonkeyPatch) -> None:
    tiered = TieredPrices(Decimal(2), [Tier(200_000, Decimal(4))])
    first = ModelPrice(input_mtok=tiered, output_mtok=Decimal(10), cache_read_mtok=Decimal("0.2"))
    later = ModelPrice(input_mtok=Decimal(3), output_mtok=Decimal(12))
    pricing = converted(
        monkeypatch,
        [ConditionalPrice(prices=first), ConditionalPrice(StartDateConstraint(date(2027, 1, 1)), prices=later)],
    )
    assert cost(pricing, 200_000, 0, NOW) == 400_000_000
    assert cost(pricing, 200_001, 0, NOW) == 800_004_000
    assert cost(pricing, 200_001, 0, datetime(2027, 1, 1, tzinfo=UTC)) == 600_003_000  # the tier has ended
    assert cost(pricing, 1000, 1000, datetime(2027, 1, 1, tzinfo=UTC), cached=1000) == 15_000_000  # and the rebate


def test_price_hours_are_converted_to_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    from datetime import timedelta, timezone

    beijing = timezone(timedelta(hours=8))
    peak = ConditionalPrice(Hours(time(9, tzinfo=beijing), time(12, tzinfo=beijing)), prices=both(4))
    pricing = converted(monkeypatch, [ConditionalPrice(prices=both(2)), peak])
    assert [cost(pricing, 1000, 0, NOW.replace(hour=hour)) for hour in (0, 1, 3, 4)] == [
        2_000_000,
        4_000_000,
        4_000_000,
        2_000_000,
    ]


def test_unknown_condition_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TypeError, match="unknown kind of condition: object"):
        converted(monkeypatch, [ConditionalPrice(prices=both(2)), ConditionalPrice(object(), prices=both(4))])  # type: ignore[arg-type]


def test_mesh_uses_the_price_of_the_library() -> None:
    pytest.importorskip("modelmesh_connector_groq")
    import modelmesh

    config = {
        "providers": {"groq": {"connector": "groq.api.v1", "api_key": "test", "models": ["moonshotai/kimi-k2-instruct-0905"]}},
        "pools": {"chat": {"capability": "chat-completion"}},
    }
    with modelmesh.create(config=config) as client:
        (row,) = client.explain("chat").candidates
        assert row.price is not None
        assert row.price["source"] == f"genai-prices {version('genai-prices')}"
        assert f"1 model by genai-prices {version('genai-prices')}" in client.describe()


def test_lookup_imports_lazily_and_uses_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys, modelmesh_pricing_genai_prices.source as s; s.modelmesh_price('acme.v1', 'm'); print('genai_prices' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"
    monkeypatch.setattr(socket, "socket", None)
    assert modelmesh_price("openai.llm.v1", "gpt-4o") is not None


def test_downloaded_prices_are_not_used() -> None:
    from genai_prices.data_snapshot import DataSnapshot, set_custom_snapshot

    before = modelmesh_price("openai.llm.v1", "gpt-4o")
    set_custom_snapshot(DataSnapshot(providers=[], from_auto_update=True))
    try:
        assert modelmesh_price("openai.llm.v1", "gpt-4o") == before is not None
    finally:
        set_custom_snapshot(None)


def both(price: int) -> ModelPrice:
    return ModelPrice(input_mtok=Decimal(price), output_mtok=Decimal(0))


def converted(monkeypatch: pytest.MonkeyPatch, prices: Any) -> ModelPricing:
    class Provider:
        def find_model(self, _: str) -> Theirs:
            return Theirs("m", ClauseEquals("m"), prices=prices)

    monkeypatch.setattr(conversion, "_by_id", {"p": Provider()})
    pricing = conversion.price_of("p", "m")
    assert pricing is not None
    return pricing


def cost(pricing: ModelPricing, prompt: int, answer: int, when: datetime, cached: int = 0) -> int | None:
    usage = {"prompt_tokens": prompt, "completion_tokens": answer, "prompt_tokens_details": {"cached_tokens": cached}}
    return cost_nano_usd(pricing, usage, when.timestamp())
