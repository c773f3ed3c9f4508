"""A connector's list of models: dated data, of which nothing is lost and nothing is guessed."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from modelmesh.errors import ConfigurationError, ConnectorLoadError
from modelmesh_cdk import BaseProvider, load_catalogue
from modelmesh_cdk.provider.catalogue import read_row

DATED = {"source": "a test", "as_of": "2026-11-21"}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    monkeypatch.syspath_prepend(str(tmp_path))
    made: list[str] = []

    def make(data: Any = None, code: str = "") -> str:
        name = f"acme_catalogue_{tmp_path.name.replace('-', '_')}_{len(made)}"
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(code)
        if data is not None:
            (tmp_path / name / "models.json").write_text(json.dumps(data), "utf-8")
        made.append(name)
        importlib.import_module(name)
        return name

    yield make
    for name in made:
        del sys.modules[name]


def test_row_with_few_fields_uses_defaults() -> None:
    info = read_row({"id": "m"})
    assert (info.id, info.name, info.pricing, info.context_window, info.max_output_tokens) == ("m", "m", None, None, None)
    assert (info.capabilities, info.features, info.delivery) == ((), {}, {})


def test_row_with_all_fields_is_read() -> None:
    row = {
        "id": "m", "upstream": "m-1", "capabilities": ["chat-completion"], "features": {"vision": False}, "delivery": {"batch": True},
        "context_window": 10, "max_output_tokens": 5, "pricing": {"input_per_1k_tokens": 1.0, "output_per_1k_tokens": 2.0}, "released": "2026-01-01",
    }  # fmt: skip
    info = read_row(row, source="a page", as_of="2026-11-21")
    assert (info.name, info.capabilities, info.features, info.delivery) == (
        "m-1",
        ("chat-completion",),
        {"vision": False},
        {"batch": True},
    )
    assert (info.context_window, info.max_output_tokens) == (10, 5)
    assert (info.pricing.input_per_1k_tokens, info.pricing.per_request, info.pricing.source, info.pricing.as_of) == (
        1.0,
        None,
        "a page",
        "2026-11-21",
    )
    assert info.extra == {"released": "2026-01-01", "source": "a page", "as_of": "2026-11-21"}


def test_row_source_overrides_catalogue_source() -> None:
    info = read_row(
        {"id": "m", "source": "another", "as_of": "2026-01-01", "pricing": {"per_request": 1.0, "source": "price list"}},
        source="a page",
        as_of="2026-11-21",
    )
    assert (info.extra["source"], info.extra["as_of"]) == ("another", "2026-01-01")
    assert (info.pricing.source, info.pricing.as_of) == ("price list", "2026-11-21")


def test_price_with_unknown_key_raises() -> None:
    with pytest.raises(ConfigurationError, match=r"'input_per_token'\. Known: input_per_1k_tokens"):
        read_row({"id": "m", "pricing": {"input_per_token": 1.0}})


def test_package_models_are_loaded(package: Callable[..., str]) -> None:
    name = package({"source": "a page", "as_of": "2026-11-21", "models": [{"id": "é"}, {"id": "b", "context_window": 5}]})
    found = load_catalogue(name)
    assert [(info.id, info.context_window, info.extra["as_of"]) for info in found] == [
        ("é", None, "2026-11-21"),
        ("b", 5, "2026-11-21"),
    ]
    assert load_catalogue(name) is found  # read once


def test_package_without_models_has_empty_catalogue(package: Callable[..., str]) -> None:
    assert load_catalogue(package()) == ()
    assert load_catalogue("no_such_package_at_all") == ()
    assert load_catalogue("json.decoder") == ()
    assert load_catalogue("__main__") == ()


def test_provider_loads_models_of_its_package(package: Callable[..., str]) -> None:
    code = "from modelmesh_cdk import QuickProvider\nclass P(QuickProvider):\n    id = 'acme.llm.v1'\n    default_base_url = 'http://127.0.0.1:1'\n"
    name = package({**DATED, "models": [{"id": "a", "upstream": "a-1", "features": {"vision": True}}, {"id": "b"}]}, code)
    provider: BaseProvider = sys.modules[name].P()
    assert [info.id for info in provider.models()] == ["a", "b"]
    chosen = sys.modules[name].P(models=["a", "new"])
    assert [(info.id, info.name, dict(info.features)) for info in chosen.models()] == [
        ("a", "a-1", {"vision": True}),
        ("new", "new", {}),
    ]
    assert [info.id for info in chosen.shipped_models()] == ["a", "b"]


UNKNOWN_KEYS = {
    "a price": ({"price": {"input_per_1k_tokens": 1}}, "'price' of the model 'a' is unknown. Did you mean 'pricing'?"),
    "a window": ({"context_windw": 5}, "'context_windw' of the model 'a' is unknown. Did you mean 'context_window'?"),
    "a feature": ({"features": {"toolcalling": False}}, "'features.toolcalling' of the model 'a' is unknown. Did you mean 'tool_calling'?"),
    "a delivery": ({"delivery": {"sync": True}}, "'delivery.sync' of the model 'a' is unknown."),
}  # fmt: skip


@pytest.mark.parametrize("case", UNKNOWN_KEYS)
def test_row_with_unknown_key_raises(case: str, package: Any) -> None:
    row, words = UNKNOWN_KEYS[case]
    with pytest.raises(ConnectorLoadError) as caught:
        load_catalogue(package({**DATED, "models": [{"id": "a", **row}]}))
    assert words in str(caught.value)
    assert "models.json:" in str(caught.value)


def test_row_key_with_x_prefix_is_kept(package: Any) -> None:
    (found,) = load_catalogue(package({**DATED, "models": [{"id": "a", "x-family": "small", "context_window_source": "a page"}]}))
    assert found.extra["x-family"] == "small"
