"""Connector ID, environment variables, address, and the catalogue with dates and sources."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from modelmesh_connector_cohere import CohereProvider

from modelmesh.capabilities import standard_tree
from modelmesh.errors import ConfigurationError

DATA = json.loads(files("modelmesh_connector_cohere").joinpath("models.json").read_text("utf-8"))
TEXT = [row for row in DATA["models"] if row["capabilities"][0].endswith(("chat-completion", "text-embeddings"))]
POINTS = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]


def test_entry_points_match_class() -> None:
    at = f"{CohereProvider.__module__.partition('.')[0]}:{CohereProvider.__name__}"
    assert POINTS["modelmesh.providers"] == {CohereProvider.id: at}
    assert POINTS["modelmesh.autodetect"] == {CohereProvider.api_key_variable: at, "CO_API_KEY": at}


def header(**settings: Any) -> str:
    return CohereProvider(settings)._build_headers()["Authorization"]


def test_api_key_sources_are_read_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match=r"cohere\.nlp\.v1 has no API key.*export COHERE_API_KEY="):
        CohereProvider({})
    monkeypatch.setenv("CO_API_KEY", "test-second")
    assert header() == "Bearer test-second"
    monkeypatch.setenv("COHERE_API_KEY", "test-first")
    assert header() == "Bearer test-first"
    assert header(api_key="test-given") == "Bearer test-given"
    with pytest.raises(ConfigurationError):
        CohereProvider({"api_key": ""})


ADDRESSES = {
    "https://api.cohere.com": "https://api.cohere.com/v2/chat",
    "https://api.cohere.com/": "https://api.cohere.com/v2/chat",
    "https://api.cohere.com/v2": "https://api.cohere.com/v2/chat",
    "https://api.cohere.com/v1": "https://api.cohere.com/v2/chat",
    "https://api.cohere.ai/v1/": "https://api.cohere.ai/v2/chat",
    "http://127.0.0.1:9/cohere": "http://127.0.0.1:9/cohere/v2/chat",
    "http://127.0.0.1:9/v1": "http://127.0.0.1:9/v1/chat",
}


@pytest.mark.parametrize("written", ADDRESSES)
def test_base_url_version_is_appended_once(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = CohereProvider({"api_key": "test-key", "base_url": written})
    assert given._get_completion_endpoint() == ADDRESSES[written]
    monkeypatch.setenv("CO_API_URL", written)
    assert CohereProvider({"api_key": "test-key"})._get_completion_endpoint() == ADDRESSES[written]


def test_catalogue_has_date_and_source() -> None:
    assert date.fromisoformat(DATA["as_of"])
    assert DATA["source"]
    assert len({row["id"] for row in DATA["models"]}) == len(DATA["models"])


@pytest.mark.parametrize("row", DATA["models"], ids=lambda row: row["id"])
def test_catalogue_row_is_complete(row: dict[str, Any]) -> None:
    tree = standard_tree()
    assert row["capabilities"]
    assert all(tree.get_node(name) is not None for name in row["capabilities"])
    assert row.get("context_window", 1) >= row.get("max_output_tokens", 1) > 0
    if "pricing" in row:
        if row in TEXT:
            assert 0 < row["pricing"]["input_per_1k_tokens"] <= row["pricing"].get("output_per_1k_tokens", 1)
        assert any(isinstance(price, float) and price > 0 for price in row["pricing"].values())
        assert row["pricing"]["source"]
        assert date.fromisoformat(row["pricing"]["as_of"])


def test_catalogue_prices_match_source() -> None:
    genai_prices = pytest.importorskip("genai_prices", minversion="0.2.3")
    from genai_prices import data_snapshot

    if genai_prices.__version__ != "0.2.3":
        pytest.skip("the catalogue says that it was read from 0.2.3")
    vendor = next(one for one in data_snapshot.get_snapshot().providers if one.id == "cohere")
    when = datetime.fromisoformat(DATA["as_of"]).replace(tzinfo=UTC)
    priced = 0
    for row in TEXT:
        model = vendor.find_model(row["id"])
        if model is None:
            assert "pricing" not in row, row["id"]
            continue
        priced += 1
        prices = model.get_prices(when)
        for ours, theirs in (("input_per_1k_tokens", prices.input_mtok), ("output_per_1k_tokens", prices.output_mtok)):
            per_million = None if theirs is None else pytest.approx(float(theirs) / 1000)
            assert row["pricing"].get(ours) == per_million, row["id"]
    assert priced == 5


def test_models_are_those_of_catalogue() -> None:
    provider = CohereProvider({"api_key": "test-key"})
    assert [model.id for model in provider.models()] == [row["id"] for row in DATA["models"]]
    assert provider.models()[0].id == "command-a-03-2025"
    assert provider.get_pricing("embed-v4.0").input_per_1k_tokens == 0.00012
    with pytest.raises(KeyError):
        provider.get_pricing("embed-english-v3.0")
