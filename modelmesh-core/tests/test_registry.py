"""Resolution of connectors: registered, from a plugin, or installed."""

from __future__ import annotations

import logging
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from importlib_metadata import EntryPoint, PathDistribution

import modelmesh
from modelmesh import ModelMesh, register_connector
from modelmesh._engine.plugins import CONNECTOR_REGISTRY, Catalog, Resolver, attribution, build
from modelmesh._engine.plugins import catalog as catalogue
from modelmesh._engine.plugins.manager import load_plugins, notify_plugins
from modelmesh.contracts import Kind
from modelmesh.errors import ConfigurationError, ConnectorLoadError, DuplicateConnectorError, UnknownConnectorError
from modelmesh.hooks import hookimpl


@pytest.fixture
def module() -> Iterator[Callable[..., str]]:
    """Create an importable module with these names and return its name."""
    made: list[str] = []

    def make(**names: Any) -> str:
        made.append(f"acme_module_{len(made)}")
        found = types.ModuleType(made[-1])
        found.__dict__.update(names)
        sys.modules[made[-1]] = found
        return made[-1]

    yield make
    for name in made:
        del sys.modules[name]


class Strategy:
    id = "acme.first.v1"

    def select(self, candidates: Any, request: Any) -> Any:
        return candidates.first()


def named(scripted: Any) -> Any:
    return type("Acme", (scripted,), {"id": "acme.llm.v1"})


# -- in process -------------------------------------------------------------------------------------------------------


def test_register_connector_twice_raises_unless_replaced() -> None:
    other = type("Other", (Strategy,), {})
    register_connector("acme.first.v1", Strategy)
    register_connector("acme.first.v1", Strategy)  # the same class again is accepted
    with pytest.raises(ValueError, match=r"'acme.first.v1' is registered already\. Pass replace=True to replace it by Other"):
        register_connector("acme.first.v1", other)
    register_connector("acme.first.v1", other, replace=True)
    assert Resolver(Catalog([])).resolve(Kind.STRATEGY, "acme.first.v1") is other
    CONNECTOR_REGISTRY["acme.first.v1"] = Strategy
    assert Resolver(Catalog([])).resolve(Kind.STRATEGY, "acme.first.v1") is Strategy
    with pytest.raises(ValueError, match="needs an ID"):
        register_connector("", Strategy)


@pytest.mark.parametrize("name", ["mine", "rotation.mine", "acme.first.v1", "rotation.acme.first.v1"])
def test_registered_name_can_be_any_text(name: str, scripted: Any) -> None:
    register_connector(name, Strategy)
    config = {"providers": {"a": {"instance": scripted()}}, "pools": {"chat": {"strategy": name}}}
    with modelmesh.create(config=config) as client:
        assert client.mesh.list_pools()[0].strategy.id == "acme.first.v1"


def test_alias_and_id_resolve_to_one_connector(scripted: Any) -> None:
    register_connector("anthropic.claude.v1", scripted)
    resolver = Resolver(Catalog([]))
    for name in ("anthropic.llm.v1", "anthropic.claude.v1", "provider.anthropic.llm.v1"):
        assert resolver.resolve(Kind.PROVIDER, name) is scripted


def test_registered_connector_precedes_installed(
    point: Callable[..., EntryPoint], module: Callable[..., str], scripted: Any
) -> None:
    catalog = Catalog([point("modelmesh.providers", "acme.llm.v1", f"{module(Provider=named(scripted))}:Provider")])
    assert Resolver(catalog).resolve(Kind.PROVIDER, "acme.llm.v1").id == "acme.llm.v1"
    mine = type("Mine", (scripted,), {})
    register_connector("acme.llm.v1", mine)
    assert Resolver(catalog).resolve(Kind.PROVIDER, "acme.llm.v1") is mine


# -- installed ---------------------------------------------------------------------------------------------------------


def test_catalog_imports_only_named_connectors(
    point: Callable[..., EntryPoint], module: Callable[..., str], scripted: Any
) -> None:
    points = [
        point("modelmesh.providers", "broken.llm.v1", "no_such_module:Provider", "broken-plugin"),
        point("modelmesh.providers", "acme.llm.v1", f"{module(Provider=named(scripted))}:Provider"),
        point("modelmesh.strategies", "acme.llm.v1", "no_such_module:Strategy"),
        point("something.else", "acme.llm.v1", "no_such_module:Strategy"),
    ]
    catalog = Catalog(points)
    assert catalog.ids(Kind.PROVIDER) == ["acme.llm.v1", "broken.llm.v1"]
    assert len(list(catalog.all())) == 3
    assert Resolver(catalog).resolve(Kind.PROVIDER, "acme.llm.v1").id == "acme.llm.v1"
    with pytest.raises(ConnectorLoadError) as caught:
        Resolver(catalog).resolve(Kind.PROVIDER, "broken.llm.v1", "m.yaml:3:5")
    assert caught.value.distribution == "broken-plugin 1.0"
    assert "m.yaml:3:5: the provider connector 'broken.llm.v1' of broken-plugin 1.0 cannot be imported" in str(caught.value)
    assert "pip install --force-reinstall broken-plugin" in str(caught.value)
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def install(site: Path, name: str) -> None:
    """Write a distribution without METADATA, as an interrupted uninstall leaves one, to a folder on the path."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text(f"[modelmesh.providers]\n{name}.llm.v1 = {name}:Provider\n")


@pytest.fixture
def scans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Add an empty folder to the path, and return a list with one entry for each scan."""
    made: list[Any] = []
    read = catalogue.read_entry_points
    monkeypatch.setattr(catalogue, "read_entry_points", lambda: made.append(None) or read())
    monkeypatch.setattr(catalogue, "_scanned", None)
    monkeypatch.setattr(catalogue, "_SETTLED_NS", 0)
    monkeypatch.syspath_prepend(str(tmp_path))
    return made


def test_scan_of_an_unchanged_path_reads_the_entry_points_once(scans: list[Any]) -> None:
    assert Catalog.scan() is Catalog.scan()
    assert len(scans) == 1


def test_scan_after_an_installation_finds_what_was_installed(scans: list[Any], tmp_path: Path) -> None:
    assert not Catalog.scan().has(Kind.PROVIDER, "late.llm.v1")
    install(tmp_path, "late")
    assert Catalog.scan().has(Kind.PROVIDER, "late.llm.v1")
    assert len(scans) == 2


def test_scan_during_an_installation_is_not_kept(scans: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "_SETTLED_NS", 3600 * 10**9)
    install(tmp_path, "half")
    Catalog.scan()
    (tmp_path / "half-1.0.dist-info" / "entry_points.txt").write_text("[modelmesh.providers]\nwhole.llm.v1 = half:Provider\n")
    assert Catalog.scan().has(Kind.PROVIDER, "whole.llm.v1")


def test_scan_reads_no_metadata_until_a_message_needs_it(
    scans: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "late")
    read: list[Any] = []
    monkeypatch.setattr(PathDistribution, "metadata", property(read.append))
    found = Catalog.scan().find(Kind.PROVIDER, "late.llm.v1")
    assert found is not None
    assert not read
    assert found.distribution == "an unknown distribution"
    assert read


def test_resolve_reads_no_metadata_until_a_message_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Any] = []
    monkeypatch.setattr(catalogue, "_scanned", None)  # the cached entries keep what the patch returns
    monkeypatch.setattr(PathDistribution, "metadata", property(read.append))
    cls = Resolver(Catalog.scan()).resolve(Kind.STRATEGY, "stick-until-failure")
    assert not read
    assert attribution.identify(cls) == ("modelmesh.stick-until-failure.v1", "an unknown distribution")


def test_find_duplicate_id_names_both_distributions(point: Callable[..., EntryPoint], scripted: Any) -> None:
    points = [point("modelmesh.providers", "acme.llm.v1", "x:Y", owner) for owner in ("plugin-one", "plugin-two")]
    with pytest.raises(
        DuplicateConnectorError, match=r"plugin-one 1\.0 and plugin-two 1\.0\. Uninstall one: pip uninstall plugin-two"
    ):
        Resolver(Catalog(points)).resolve(Kind.PROVIDER, "acme.llm.v1")


def test_find_ignores_duplicate_of_one_distribution(
    point: Callable[..., EntryPoint], module: Callable[..., str], scripted: Any
) -> None:
    value = f"{module(Provider=named(scripted))}:Provider"
    points = [point("modelmesh.providers", "acme.llm.v1", value, owner) for owner in ("acme-plugin", "Acme_Plugin")]
    assert Resolver(Catalog(points)).resolve(Kind.PROVIDER, "acme.llm.v1").id == "acme.llm.v1"


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        (Kind.PROVIDER, "acme.lm.v1", "Did you mean 'acme.llm.v1'? List what is installed: modelmesh connectors"),
        (Kind.PROVIDER, "mistral.llm.v1", "no provider connector 'mistral.api.v1' is installed. Installed: acme.llm.v1. Install it: pip install modelmesh-connector-mistral"),
        (Kind.STRATEGY, "cost_first", "Install it: pip install modelmesh-strategy-cost-first"),
        (Kind.STRATEGY, "cheapest", "The eight are: stick-until-failure, round-robin"),
        (Kind.SECRET_STORE, "modelmesh.dotenv.v1", "no secret store connector 'modelmesh.dotenv.v1' is installed. Installed: none. Install it: pip install modelmesh-secret-store-dotenv"),
    ],
)  # fmt: skip
def test_resolve_unknown_id_states_next_step(kind: Kind, name: str, words: str, point: Callable[..., EntryPoint]) -> None:
    with pytest.raises(UnknownConnectorError) as caught:
        Resolver(Catalog([point("modelmesh.providers", "acme.llm.v1", "x:Y")])).resolve(kind, name, "here")
    assert str(caught.value).startswith("here: ")
    assert words in str(caught.value)
    assert isinstance(caught.value, ConfigurationError)


@pytest.mark.parametrize("kind", list(Kind))
def test_resolve_rejects_class_without_methods(kind: Kind, point: Callable[..., EntryPoint], module: Callable[..., str]) -> None:
    catalog = Catalog([point(kind.group, "acme.x.v1", f"{module(Thing=object)}:Thing")])
    with pytest.raises(ConnectorLoadError, match=f"the {kind.label} connector 'acme.x.v1' of acme-plugin 1.0 is .* lacks"):
        Resolver(catalog).resolve(kind, "acme.x.v1")


def test_core_connectors_register_through_entry_points() -> None:
    catalog = Catalog.scan()
    for kind, connector_id in (
        (Kind.STRATEGY, "modelmesh.stick-until-failure.v1"),
        (Kind.SECRET_STORE, "modelmesh.env.v1"),
        (Kind.OBSERVABILITY, "modelmesh.null.v1"),
        (Kind.STORAGE, "modelmesh.memory.v1"),
    ):
        found = catalog.find(kind, connector_id)
        assert found is not None
        assert found.distribution.startswith("modelmesh-core ")
        assert found.point.load().id == connector_id


# -- building ----------------------------------------------------------------------------------------------------------


class TakesMap:
    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config


class TakesOptionalMap:
    def __init__(self, config: Any = None, *, other: int = 1) -> None:
        self.config = config


class TakesAnything:
    def __init__(self, *configs: Any) -> None:
        (self.config,) = configs


class FromConfig:
    def __init__(self, a: Any, b: Any) -> None:
        self.config = {"a": a, "b": b}

    @classmethod
    def from_config(cls, config: Any) -> FromConfig:
        return cls(**config)


class TakesNothing:
    config = {"a": 1, "b": 2}


class TakesKeywordsOnly:
    def __init__(self, *, config: Any = None) -> None:
        self.config = config or {"a": 1, "b": 2}


@pytest.mark.parametrize("cls", [TakesMap, TakesOptionalMap, TakesAnything, FromConfig, TakesNothing, TakesKeywordsOnly])
def test_build_accepts_every_form_of_class(cls: Any) -> None:
    given = {"a": 1, "b": 2}
    made = build(cls, given, "acme.x.v1")
    assert type(made) is cls
    assert made.config == {"a": 1, "b": 2}
    assert made.config is not given


def test_build_names_class_that_raises() -> None:
    def boom(config: Any) -> None:
        raise KeyError("region")

    with pytest.raises(ConnectorLoadError, match=r"'acme.x.v1' .* cannot be built from its configuration: KeyError: 'region'"):
        build(boom, {}, "acme.x.v1")

    def ours(config: Any) -> None:
        raise ConfigurationError("no region")

    with pytest.raises(ConfigurationError, match=r"^no region$"):
        build(ours, {}, "acme.x.v1")


# -- hook plugins ------------------------------------------------------------------------------------------------------


def plugin(point: Callable[..., EntryPoint], name: str, value: str, owner: str = "acme-plugin") -> EntryPoint:
    return point("modelmesh.plugins", name, value, owner)


def test_hook_plugin_resolves_first(point: Callable[..., EntryPoint], module: Callable[..., str], scripted: Any) -> None:
    elsewhere = type("Elsewhere", (scripted,), {})
    lookups = []

    @hookimpl
    def modelmesh_resolve_connector(kind: Any, connector_id: str) -> Any:
        lookups.append((kind, connector_id))
        return elsewhere if connector_id == "acme.llm.v1" else None

    register_connector("acme.llm.v1", scripted)
    register_connector("acme.other.v1", scripted)
    resolver = Resolver(Catalog([plugin(point, "acme", module(modelmesh_resolve_connector=modelmesh_resolve_connector))]))
    assert resolver.resolve(Kind.PROVIDER, "acme.llm.v1") is elsewhere
    assert resolver.resolve(Kind.PROVIDER, "acme.llm.v1") is elsewhere
    assert resolver.resolve(Kind.PROVIDER, "acme.other.v1") is scripted
    assert lookups == [(Kind.PROVIDER, "acme.llm.v1"), (Kind.PROVIDER, "acme.other.v1")]  # once for each ID


def test_hook_plugin_exception_is_typed_error(point: Callable[..., EntryPoint], module: Callable[..., str]) -> None:
    @hookimpl
    def modelmesh_resolve_connector(kind: Any) -> Any:
        raise OSError("registry is down")

    resolver = Resolver(Catalog([plugin(point, "acme", module(modelmesh_resolve_connector=modelmesh_resolve_connector))]))
    with pytest.raises(ConnectorLoadError, match=r"a plugin raised OSError: registry is down .* MODELMESH_DISABLE_PLUGINS"):
        resolver.resolve(Kind.PROVIDER, "acme.llm.v1")


def test_load_plugins_skips_broken_plugins_with_reason(
    point: Callable[..., EntryPoint], module: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    calls = []

    @hookimpl
    def modelmesh_mesh_ready(mesh: Any) -> None:
        calls.append(mesh)

    @hookimpl
    def modelmesh_mesh_reddy(mesh: Any) -> None: ...

    @hookimpl(optionalhook=True)
    def modelmesh_of_the_future() -> None: ...

    @hookimpl(specname="modelmesh_mesh_ready")
    def wrong_argument(mesh: Any, moon: Any) -> None: ...

    good = module(modelmesh_mesh_ready=modelmesh_mesh_ready, modelmesh_of_the_future=modelmesh_of_the_future)
    points = [
        plugin(point, "absent", "no_such_module", "absent-plugin"),
        plugin(point, "misspelt", module(modelmesh_mesh_reddy=modelmesh_mesh_reddy)),
        plugin(point, "argued", module(wrong_argument=wrong_argument)),
        plugin(point, "good", good, "good-plugin"),
        plugin(point, "good", module(), "impostor"),
    ]
    with caplog.at_level(logging.WARNING):
        manager, left_out = load_plugins(Catalog(points))
    assert [name for name, _ in manager.list_name_plugin()] == ["good"]
    assert manager.get_plugin("good") is sys.modules[good]
    assert "ModuleNotFoundError: No module named 'no_such_module'" in left_out["absent"]
    assert "'modelmesh_mesh_reddy', which does not exist" in left_out["misspelt"]
    assert "moon" in left_out["argued"]
    assert left_out["good of impostor 1.0"] == "another plugin has this name"
    assert "skipped plugin absent of absent-plugin 1.0" in caplog.text
    notify_plugins(manager, "modelmesh_mesh_ready", mesh="the mesh")
    assert calls == ["the mesh"]


def test_load_plugins_skips_disabled_plugins(
    point: Callable[..., EntryPoint], module: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELMESH_DISABLE_PLUGINS", " one , absent,")
    points = [plugin(point, "one", module()), plugin(point, "two", module()), plugin(point, "absent", "no_such_module")]
    manager, left_out = load_plugins(Catalog(points))
    assert [name for name, _ in manager.list_name_plugin()] == ["two"]
    assert left_out == dict.fromkeys(["one", "absent"], "disabled by MODELMESH_DISABLE_PLUGINS")


def test_notify_plugins_calls_all_despite_exception(
    point: Callable[..., EntryPoint], module: Callable[..., str], scripted: Any, caplog: pytest.LogCaptureFixture
) -> None:
    calls = []

    def hearing(name: str) -> dict[str, Any]:
        @hookimpl
        def modelmesh_mesh_ready(mesh: Any) -> None:
            calls.append(f"{name} ready")
            if name == "bad":
                raise RuntimeError("no")

        @hookimpl
        def modelmesh_mesh_closed() -> None:
            calls.append(f"{name} closed")

        @hookimpl
        def modelmesh_request_finished(entry: Any) -> None:
            calls.append(f"{name} {entry.model_id}")

        return {"a": modelmesh_mesh_ready, "b": modelmesh_mesh_closed, "c": modelmesh_request_finished}

    points = [plugin(point, name, module(**{f.__name__: f for f in hearing(name).values()})) for name in ("bad", "good")]
    mesh = ModelMesh(resolver=Resolver(Catalog([*points, *_own()])))
    mesh.initialize({"providers": {"a": {"instance": scripted("m")}}, "pools": {"chat": {}}})
    mesh.client.chat.completions.create(model="chat", messages=[])
    mesh.shutdown()
    mesh.shutdown()
    assert sorted(calls) == ["bad closed", "bad m", "bad ready", "good closed", "good m", "good ready"]
    assert "plugin bad raised in modelmesh_mesh_ready" in caplog.text


def _own() -> list[EntryPoint]:
    return [found.point for found in Catalog.scan().all() if found.distribution.startswith("modelmesh-core ")]
