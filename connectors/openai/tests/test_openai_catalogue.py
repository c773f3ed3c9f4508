"""The catalogue is dated data with a source, and the connector goes by one ID."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from importlib.metadata import entry_points
from importlib.resources import files
from typing import Any

import pytest
from modelmesh_connector_openai import OpenAIProvider

from modelmesh.capabilities import standard_tree

DATA = json.loads(files("modelmesh_connector_openai").joinpath("models.json").read_text("utf-8"))


def test_the_id_is_the_entry_points_name() -> None:
    [point] = [p for p in entry_points(group="modelmesh.providers") if p.value.startswith("modelmesh_connector_openai:")]
    assert point.load() is OpenAIProvider
    assert (point.name, OpenAIProvider.id) == ("openai.llm.v1", "openai.llm.v1")


def test_the_key_variable_is_the_one_that_detection_looks_for() -> None:
    [point] = [p for p in entry_points(group="modelmesh.autodetect") if p.value.startswith("modelmesh_connector_openai:")]
    assert point.load() is OpenAIProvider
    assert point.name == OpenAIProvider.api_key_variable


def test_the_catalogue_is_dated_and_sourced() -> None:
    assert date.fromisoformat(DATA["as_of"])
    assert DATA["source"]
    assert len({row["id"] for row in DATA["models"]}) == len(DATA["models"])


@pytest.mark.parametrize("row", DATA["models"], ids=lambda row: row["id"])
def test_each_row(row: dict[str, Any]) -> None:
    tree = standard_tree()
    assert row["capabilities"]
    assert all(tree.get_node(name) is not None for name in row["capabilities"])
    price = row["pricing"]
    assert 0 < price["input_per_1k_tokens"] <= price.get("output_per_1k_tokens", float("inf"))
    assert ("output_per_1k_tokens" in price) == ("representation.embeddings.text-embeddings" not in row["capabilities"])
    assert price["source"]
    assert date.fromisoformat(price["as_of"])
    assert row.get("context_window", 1) > 0


def test_prices_are_those_of_the_source() -> None:
    genai_prices = pytest.importorskip("genai_prices", minversion="0.2.3")
    from genai_prices import data_snapshot

    if genai_prices.__version__ != "0.2.3":
        pytest.skip("the catalogue says that it was read from 0.2.3")
    vendor = next(one for one in data_snapshot.get_snapshot().providers if one.id == "openai")
    when = datetime.fromisoformat(DATA["as_of"]).replace(tzinfo=UTC)
    for row in DATA["models"]:
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


def test_the_provider_offers_the_catalogue() -> None:
    provider = OpenAIProvider(api_key="sk-test")
    assert [model.id for model in provider.models()] == [row["id"] for row in DATA["models"]]
    assert provider.get_pricing("gpt-4o").source == DATA["models"][0]["pricing"]["source"]
    with pytest.raises(KeyError):
        provider.get_pricing("a-model-nobody-has")
