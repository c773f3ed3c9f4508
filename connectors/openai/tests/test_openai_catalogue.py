"""Prices and context windows of OpenAI's catalogue, compared with its source."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest

DATA = json.loads(files("modelmesh_connector_openai").joinpath("models.json").read_text("utf-8"))
TEXT = [row for row in DATA["models"] if row["capabilities"][0].endswith(("chat-completion", "text-embeddings"))]
"""Rows that are priced by tokens of text. ``tests/test_shipped_prices.py`` compares the prices of other units."""


@pytest.mark.parametrize("row", TEXT, ids=lambda row: row["id"])
def test_catalogue_row_has_plausible_price(row: dict[str, Any]) -> None:
    assert row["capabilities"]
    price = row["pricing"]
    assert 0 < price["input_per_1k_tokens"] <= price.get("output_per_1k_tokens", float("inf"))
    assert ("output_per_1k_tokens" in price) == ("representation.embeddings.text-embeddings" not in row["capabilities"])
    assert row.get("context_window", 1) > 0


def test_catalogue_prices_match_source() -> None:
    genai_prices = pytest.importorskip("genai_prices", minversion="0.2.3")
    from genai_prices import data_snapshot

    if genai_prices.__version__ != "0.2.3":
        pytest.skip("the catalogue says that it was read from 0.2.3")
    vendor = next(one for one in data_snapshot.get_snapshot().providers if one.id == "openai")
    when = datetime.fromisoformat(DATA["as_of"]).replace(tzinfo=UTC)
    for row in TEXT:
        model = vendor.find_model(row["id"])
        assert model is not None
        prices = model.get_prices(when)
        for ours, theirs in (("input_per_1k_tokens", prices.input_mtok), ("output_per_1k_tokens", prices.output_mtok)):
            if theirs is None:
                assert ours not in row["pricing"], row["id"]
                continue
            per_million = float(getattr(theirs, "base", theirs))
            assert row["pricing"][ours] * 1000 == pytest.approx(per_million), row["id"]
        assert row.get("context_window") == model.context_window, row["id"]
