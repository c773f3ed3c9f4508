"""Shipped prices equal those of the library that they name, for any prompt, cache use and hour."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from importlib.metadata import version
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelmesh._engine.foundation.units import NANO
from modelmesh._engine.limits.cost import cost_nano_usd
from modelmesh.contracts.models import ModelInfo
from modelmesh_cdk.provider.catalogue import load_catalogue

genai_prices = pytest.importorskip("genai_prices")
theirs = pytest.importorskip("modelmesh_pricing_genai_prices")

NAMES = ("anthropic", "cohere", "deepseek", "fireworks", "google", "groq", "mistral", "openai", "openrouter", "together", "xai")
FROM = datetime(2026, 11, 21, tzinfo=UTC)


def shipped() -> list[tuple[str, ModelInfo]]:
    found = []
    for name in NAMES:
        import_module(f"modelmesh_connector_{name}")
        for info in load_catalogue(f"modelmesh_connector_{name}"):
            if info.pricing is not None and f"genai-prices {version('genai-prices')}" in (info.pricing.source or ""):
                found.append((name, info))
    return found


SHIPPED = shipped()
ROWS = [(name, info) for name, info in SHIPPED if info.pricing.units is None]
BY_UNITS = [(name, info) for name, info in SHIPPED if info.pricing.units is not None]
THEIRS = {  # the library's price of many units, and how many
    "per_audio_minute": ("input_audio_hours", 60),
    "per_1k_characters": ("input_mchars", 1000),
    "per_page": ("input_document_kpages", 1000),
    "audio_input_per_1k_tokens": ("input_audio_mtok", 1000),
    "image_input_per_1k_tokens": ("input_image_mtok", 1000),
    "image_output_per_1k_tokens": ("output_image_mtok", 1000),
    "input_per_1k_tokens": ("input_mtok", 1000),
    "output_per_1k_tokens": ("output_mtok", 1000),
}
IDS = {connector.partition(".")[0]: provider for connector, provider in theirs.PROVIDERS.items()}


def test_shipped_prices_exist() -> None:
    assert {name for name, _ in ROWS} == set(NAMES)
    assert len(ROWS) > 80
    assert sum(bool(info.pricing.bands) for _, info in ROWS if info.pricing) > 15


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(ROWS), st.integers(0, 400_000), st.integers(0, 50_000), st.floats(0, 1), st.integers(0, 120 * 24))
def test_shipped_price_equals_the_library(row: Any, prompt: int, answer: int, share: float, hours: int) -> None:
    name, info = row
    when, cached = FROM + timedelta(hours=hours), int(prompt * share)
    if name == "deepseek" and when.isoweekday() > 5:
        when += timedelta(days=2)  # the library has no days of the week
    if info.pricing.output_per_1k_tokens is None:
        answer = 0
    usage = {"prompt_tokens": prompt, "completion_tokens": answer, "prompt_tokens_details": {"cached_tokens": cached}}
    counted = genai_prices.Usage(input_tokens=prompt, output_tokens=answer, cache_read_tokens=cached)
    known = genai_prices.calc_price(counted, info.name, provider_id=IDS[name], genai_request_timestamp=when)
    ours = cost_nano_usd(info.pricing, usage, when.timestamp())
    assert ours is not None
    assert abs(ours - known.total_price * NANO) <= Decimal("0.5")


@pytest.mark.parametrize(("name", "info"), BY_UNITS, ids=lambda value: getattr(value, "id", value))
def test_shipped_unit_prices_equal_the_library(name: str, info: ModelInfo) -> None:
    assert info.pricing is not None
    known = genai_prices.calc_price(
        genai_prices.Usage(), info.name, provider_id=IDS[name], genai_request_timestamp=FROM
    ).model_price
    stated = {key: value for part in (info.pricing, info.pricing.units) for key in THEIRS if (value := getattr(part, key, None))}
    theirs = {key: getattr(known, field) / many for key, (field, many) in THEIRS.items() if getattr(known, field) is not None}
    assert stated == {key: pytest.approx(float(price), rel=1e-9) for key, price in theirs.items()}


def test_shipped_units_exist() -> None:
    assert {name for name, _ in BY_UNITS} == {"openai", "groq", "mistral", "google"}
    assert len(BY_UNITS) > 15


@pytest.mark.parametrize("name", NAMES)
def test_shipped_free_tier_has_date_and_limit(name: str) -> None:
    import_module(f"modelmesh_connector_{name}")
    for info in load_catalogue(f"modelmesh_connector_{name}"):
        rows = info.extra.get("free_tier") or []
        for row in [rows] if isinstance(rows, dict) else rows:
            assert row["source"]
            assert re.fullmatch(r"\d{4}-\d\d-\d\d", row["as_of"])
            limits = {key: value for key, value in row.items() if key.startswith(("requests_per_", "tokens_per_"))}
            assert limits
            assert all(isinstance(value, int) and value > 0 for value in limits.values())
