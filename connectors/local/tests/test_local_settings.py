"""Settings and their validation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from modelmesh_connector_local import LocalProvider, config
from modelmesh_connector_local.config import LocalConfig

import modelmesh
from modelmesh.contracts.provider import Provider
from modelmesh.errors import ConfigurationError
from modelmesh_cdk.in_process.in_process_settings import spare_threads

NAME = "smollm2-135m-instruct"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    file = tmp_path / "Tiny-Model.Q8.gguf"
    file.write_bytes(b"GGUF")
    return file


@pytest.fixture
def no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "shipped_weights", lambda: None)


@pytest.mark.usefixtures("no_weights")
def test_provider_missing_weights_raise_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="modelmesh local install"):
        LocalProvider.from_config({})


@pytest.mark.usefixtures("no_weights", "no_keys")
def test_create_missing_weights_name_install_command() -> None:
    with pytest.raises(ConfigurationError) as caught:
        modelmesh.create("chat-completion")
    said = str(caught.value) + "".join(caught.value.__notes__)
    assert "modelmesh local install" in said
    assert "OPENAI_API_KEY" in said


def test_provider_missing_runtime_names_package(monkeypatch: pytest.MonkeyPatch, own: Path) -> None:
    monkeypatch.setattr(config.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match="pip install xllamacpp"):
        LocalProvider(model_path=own)


def test_provider_missing_model_path_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.gguf"):
        LocalProvider(model_path=tmp_path / "absent.gguf")


@pytest.mark.parametrize(
    ("name", "value"),
    [("n_ctx", 0), ("n_ctx", "4096"), ("threads", -1), ("threads", True), ("max_tokens", 1.5), ("system", 3), ("model_id", 7),
     ("temperature", -1), ("temperature", "hot"), ("temperature", float("nan")), ("model_path", 5)],
)  # fmt: skip
def test_provider_invalid_setting_is_named(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=name):
        LocalConfig.of({name: value})


def test_provider_unknown_settings_are_ignored() -> None:
    made = LocalConfig.of({"max_connections": 100, "api_key": "test", "n_ctx": None, "threads": 2})
    assert (made.threads, made.n_ctx) == (2, 4096)


def test_spare_threads_leave_one_core_free(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, threads in ((8, 7), (2, 1), (1, 1)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, n=cores: set(range(n)), raising=False)
        assert spare_threads() == threads


def test_provider_construction_loads_nothing(own: Path) -> None:
    provider = LocalProvider(model_path=own)  # not a model: loading the file would fail
    assert isinstance(provider, Provider)
    assert provider.id == "modelmesh.local.v1"
    assert (provider.timeout, provider.max_retries) == (None, None)
    assert provider.capabilities == ("generation.text-generation.chat-completion",)
    provider.close()
    provider.close()


def test_models_default_model_has_catalogue_row(monkeypatch: pytest.MonkeyPatch, own: Path) -> None:
    monkeypatch.setattr(config, "shipped_weights", lambda: own)
    (info,) = LocalProvider(n_ctx=2048).models()
    assert (info.id, info.name, info.context_window) == (NAME, NAME, 2048)
    assert info.features["tool_calling"] is False
    assert info.features["vision"] is False
    assert info.pricing is not None
    assert (info.pricing.input_per_1k_tokens, info.pricing.output_per_1k_tokens, info.pricing.per_request) == (0, 0, 0)
    assert "user's own machine" in (info.pricing.source or "")
    assert info.extra["source"]
    assert info.extra["as_of"] == "2026-11-21"


def test_models_configured_file_has_own_row(own: Path) -> None:
    (info,) = LocalProvider(model_path=str(own)).models()
    assert info.id == "Tiny-Model.Q8"
    assert own.name in info.extra["source"]
    assert "license" not in info.extra  # the license of the default model
    assert LocalProvider(model_path=own, model_id="mine").models()[0].id == "mine"


def test_entry_points_match_class() -> None:
    from importlib.metadata import entry_points

    for group in ("modelmesh.providers", "modelmesh.embedded"):
        (point,) = entry_points(group=group, name="modelmesh.local.v1")
        assert point.load() is LocalProvider
    assert LocalProvider.id == "modelmesh.local.v1"


def test_provider_describes_model_runtime_and_weights(own: Path) -> None:
    pytest.importorskip("xllamacpp")
    facts = LocalProvider(model_path=own, threads=2).describe()
    assert (facts["model"], facts["threads"], facts["context"]) == ("Tiny-Model.Q8", "2", "4096 tokens")
    assert facts["weights"] == f"{own} (0 MiB)"
    assert facts["runtime"].startswith("xllamacpp 20")
