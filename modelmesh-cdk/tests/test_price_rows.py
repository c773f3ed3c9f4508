"""Prices in a models.json: read whole, and refused with file and model where they are none."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from modelmesh.contracts.models import ModelPricing, PriceBand
from modelmesh.errors import ModelMeshError
from modelmesh_cdk.provider.catalogue import load_catalogue, read_row
from modelmesh_cdk.provider.price_rows import read_price


def test_price_row_reads_every_field() -> None:
    band = {"above_prompt_tokens": 200_000, "hours": ["01:00-04:00"], "days": ["mon"], "since": "2027-01-01", "per_request": 1}
    row = {"input_per_1k_tokens": 0.1, "cached_input_per_1k_tokens": 0.01, "cache_write_per_1k_tokens": 0.2, "bands": [band]}
    read = read_price(row, source="s", as_of="2026-11-21")
    assert read == ModelPricing(
        0.1,
        source="s",
        as_of="2026-11-21",
        cached_input_per_1k_tokens=0.01,
        cache_write_per_1k_tokens=0.2,
        bands=[PriceBand(200_000, ("01:00-04:00",), ("mon",), "2027-01-01", per_request=1)],
    )


def test_price_source_defaults_to_the_catalogue() -> None:
    own = {"input_per_1k_tokens": 0, "source": "own"}
    assert read_row({"id": "m", "pricing": own}, source="s", as_of="2026-11-21").pricing == ModelPricing(
        0, source="own", as_of="2026-11-21"
    )
    assert read_row({"id": "m"}, source="s").pricing is None


@pytest.mark.parametrize(
    ("pricing", "words"),
    [
        ({"input_per_1k_tokens": -0.5}, "input_per_1k_tokens must be USD from 0 to 100"),
        ({"output_per_1k_tokens": float("nan")}, "output_per_1k_tokens must be USD"),
        ({"output_per_1k_tokens": float("inf")}, "output_per_1k_tokens must be USD"),
        ({"input_per_1k_tokens": 2500}, "not 2500"),
        ({"input_per_1k_tokens": "0.1"}, "not '0.1'"),
        ({"input_per_million": 1}, "has the unknown field 'input_per_million'. Known: input_per_1k_tokens"),
        ({"bands": [{"input_per_1k_tokens": -1}]}, "input_per_1k_tokens must be USD"),
        ({"bands": [{"from": "2027-01-01"}]}, "has the unknown field 'from'. Known: above_prompt_tokens"),
        ({"bands": [{"_spans": []}]}, "has the unknown field '_spans'"),
        ({"bands": {"since": "2027-01-01"}}, "bands must be a list"),
        ({"bands": [1]}, "must be an object with some of"),
        ([1], "pricing"),
    ],
    ids=repr,
)
def test_invalid_price_error_names_file_and_model(
    pricing: Any, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "tampered_prices"
    package.mkdir()
    (package / "__init__.py").write_text("", "utf-8")
    data = {"source": "s", "as_of": "2026-11-21", "models": [{"id": "good"}, {"id": "bad", "pricing": pricing}]}
    (package / "models.json").write_text(json.dumps(data), "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "tampered_prices", raising=False)
    __import__("tampered_prices")
    getattr(load_catalogue, "cache_clear", lambda: None)()
    with pytest.raises(ModelMeshError) as caught:
        load_catalogue("tampered_prices")
    message = str(caught.value)
    assert str(package / "models.json") in message
    assert "'bad'" in message
    assert words in message
    del sys.modules["tampered_prices"]
