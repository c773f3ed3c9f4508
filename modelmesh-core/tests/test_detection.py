"""Detection of providers in the environment: order, names, and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from importlib_metadata import EntryPoint

from modelmesh import create, register_connector
from modelmesh._engine.autodetect import NO_KEYS, detect
from modelmesh._engine.plugins import Catalog
from modelmesh._engine.plugins.known_distributions import variables
from modelmesh.contracts import Secret
from modelmesh.errors import ConfigurationError, NoProvidersError, UnknownConnectorError


@pytest.fixture
def installed(point: Callable[..., EntryPoint]) -> Callable[..., Catalog]:
    """Return a catalogue with these provider connectors and their variables."""

    def make(*ids: str, embedded: str | None = None, **own: str) -> Catalog:
        points = [
            point("modelmesh.providers", one, f"mod:{one.replace('.', '_')}")
            for one in (*ids, *own.values(), *([embedded] if embedded else []))
        ]
        points += [point("modelmesh.autodetect", variable, f"mod: {one.replace('.', '_')}") for variable, one in own.items()]
        if embedded:
            points.append(point("modelmesh.embedded", embedded, f"mod:{embedded.replace('.', '_')}"))
        return Catalog(points)

    return make


def names(found: Any) -> list[str]:
    return [one.name for one in found]


ALL = tuple(dict.fromkeys(variables().values()))


@pytest.mark.parametrize("variable", variables())
def test_detect_finds_every_documented_variable(variable: str, installed: Any) -> None:
    (one,) = detect(installed(*ALL), environ={variable: "http://127.0.0.1:1" if variable.endswith("_HOST") else "sk-test"})
    assert one.connector_id == variables()[variable]
    if variable.endswith("_HOST"):
        assert (one.api_key, one.base_url) == (None, "http://127.0.0.1:1")
    else:
        assert (one.api_key, one.base_url) == (Secret("sk-test"), None)


def test_detect_orders_by_table_without_duplicates(installed: Any) -> None:
    environ = dict.fromkeys(reversed(list(variables())), "test")
    found = detect(installed(*ALL), environ=environ)
    assert [one.connector_id for one in found] == list(ALL)
    assert names(found)[:4] == ["openai", "anthropic", "google", "groq"]


def test_detect_prefers_documented_variable(installed: Any) -> None:
    keys = {
        "HUGGINGFACE_API_TOKEN": "third-test",
        "HF_API_KEY": "second-test",
        "HF_TOKEN": "first-test",
        "GEMINI_API_KEY": "g-test",
    }
    found = {one.name: one.api_key for one in detect(installed(*ALL), environ=keys)}
    assert found == {"huggingface": Secret("first-test"), "google": Secret("g-test")}


@pytest.mark.parametrize("value", ["", "   "])
def test_detect_ignores_empty_variable(value: str, installed: Any) -> None:
    environ = {"OPENAI_API_KEY": value, "XAI_API_KEY": value, "GROQ_API_KEY": " key-test "}
    (one,) = detect(installed("openai.llm.v1", "groq.api.v1"), environ=environ)
    assert (one.name, one.api_key) == ("groq", Secret("key-test"))
    del environ["GROQ_API_KEY"]
    with pytest.raises(NoProvidersError) as caught:
        detect(installed("openai.llm.v1"), environ=environ)
    assert str(caught.value) == NO_KEYS


@pytest.mark.parametrize("written", ["127.0.0.1:11434", "0.0.0.0", ":9000", "http://gpu.example"])
def test_detect_passes_host_unchanged(written: str, installed: Any) -> None:
    """The connector adds a missing scheme or port."""
    assert detect(installed("ollama.local.v1"), environ={"OLLAMA_HOST": written})[0].base_url == written


def test_detect_lists_third_parties_after_table(installed: Any) -> None:
    catalog = installed("groq.api.v1", ZED_API_KEY="zed.llm.v1", ACME_API_KEY="acme.gateway.v1")
    found = detect(catalog, environ={"ZED_API_KEY": "z", "ACME_API_KEY": "a", "GROQ_API_KEY": "g"})
    assert names(found) == ["groq", "acme", "zed"]


def test_detect_third_party_overrides_documented_variable(installed: Any) -> None:
    catalog = installed("openai.llm.v1", OPENAI_API_KEY="acme.openai.v1")
    assert [one.connector_id for one in detect(catalog, environ={"OPENAI_API_KEY": "test"})] == ["acme.openai.v1"]


def test_detect_names_are_unique(installed: Any) -> None:
    catalog = installed("openai.llm.v1", OPENAI_ADMIN_KEY="openai.admin.v1")
    assert names(detect(catalog, environ={"OPENAI_API_KEY": "a", "OPENAI_ADMIN_KEY": "b"})) == ["openai", "openai.admin.v1"]


def test_detect_filters_by_name_or_id(installed: Any) -> None:
    environ = {"OPENAI_API_KEY": "a", "GROQ_API_KEY": "b", "ANTHROPIC_API_KEY": "c"}
    catalog = installed("openai.llm.v1", "groq.api.v1", "anthropic.claude.v1")
    assert names(detect(catalog, providers=["groq", "openai"], environ=environ)) == ["openai", "groq"]
    assert names(detect(catalog, providers=["anthropic.claude.v1"], environ=environ)) == ["anthropic"]


@pytest.mark.parametrize("name", ["openai", "openai.llm.v1", "OPENAI_API_KEY"])
def test_detect_uses_only_given_api_keys(name: str, installed: Any) -> None:
    found = detect(
        installed("openai.llm.v1", "groq.api.v1"),
        api_keys={name: Secret("mine-test")},
        environ={"GROQ_API_KEY": "b", "OPENAI_API_KEY": "c"},
    )
    assert [(one.name, one.api_key) for one in found] == [("openai", Secret("mine-test"))]


def test_detect_own_key_replaces_one_variable(installed: Any) -> None:
    catalog = installed("openai.llm.v1", "groq.api.v1")
    found = detect(catalog, providers=["groq", "openai"], own_keys={"groq": Secret("mine-test")}, environ={"OPENAI_API_KEY": "c"})
    assert {one.name: one.api_key for one in found} == {"openai": Secret("c"), "groq": Secret("mine-test")}
    found = detect(catalog, own_keys={"groq": Secret("mine-test")}, environ={"OPENAI_API_KEY": "c", "GROQ_API_KEY": "d"})
    assert [(one.name, one.api_key) for one in found] == [("openai", Secret("c")), ("groq", Secret("mine-test"))]


def test_detect_embedded_only_when_nothing_else_is_found(installed: Any) -> None:
    catalog = installed("openai.llm.v1", embedded="modelmesh.local.v1")
    assert names(detect(catalog, environ={})) == ["local"]
    assert names(detect(catalog, environ={"OPENAI_API_KEY": "a"})) == ["openai"]
    assert names(detect(catalog, providers=["openai", "local"], environ={"OPENAI_API_KEY": "a"})) == ["openai", "local"]
    with pytest.raises(NoProvidersError, match="XAI_API_KEY is set"):  # a key is set, so the embedded model is not used
        detect(catalog, environ={"XAI_API_KEY": "a"})
    with pytest.raises(NoProvidersError):
        detect(catalog, api_keys={}, environ={})


WRONG: dict[str, tuple[dict[str, Any], dict[str, str], type[Exception], str]] = {
    "nothing set": ({}, {}, NoProvidersError, NO_KEYS),
    "no connector for it": ({}, {"XAI_API_KEY": "a", "COHERE_API_KEY": "b"}, NoProvidersError, "COHERE_API_KEY: pip install modelmesh-connector-cohere"),
    "no key for it": ({"providers": ["groq"]}, {"OPENAI_API_KEY": "a"}, NoProvidersError, "no key is set for 'groq'. Set it: export GROQ_API_KEY="),
    "no key given for it": ({"providers": ["groq"], "api_keys": {"openai": Secret("a")}}, {}, NoProvidersError, "Add api_keys={'groq': …}"),
    "not installed": ({"providers": ["xai"]}, {}, UnknownConnectorError, "pip install modelmesh-connector-xai"),
    "key of what is not installed": ({"api_keys": {"xai": Secret("a")}}, {}, UnknownConnectorError, "pip install modelmesh-connector-xai"),
    "unknown": ({"providers": ["opnai"]}, {"OPENAI_API_KEY": "a"}, ConfigurationError, "Did you mean 'openai'"),
    "key of an unknown provider": ({"api_keys": {"opnai": Secret("a")}}, {}, ConfigurationError, "Did you mean 'openai'"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_detect_error_states_next_step(case: str, installed: Any) -> None:
    arguments, environ, kind, words = WRONG[case]
    with pytest.raises(kind) as caught:
        detect(installed("openai.llm.v1", "groq.api.v1"), environ=environ, **arguments)
    assert words in str(caught.value)


def test_detect_nothing_found_raises_with_notes(installed: Any) -> None:
    with pytest.raises(RuntimeError) as caught:
        detect(installed("groq.api.v1"), environ={})
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, ConfigurationError)
    assert caught.value.__notes__[0] == "No providers detected. Looked for: GROQ_API_KEY."


# -- through create() --------------------------------------------------------------------------------------------------


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, installed: Any, scripted: Any) -> list[Any]:
    """Return the settings that the installed connectors of OpenAI and Groq received."""
    settings: list[Any] = []

    class Provider(scripted):
        @classmethod
        def from_config(cls, config: Any) -> Any:
            settings.append(config)
            return cls("m", "n")

    register_connector("openai.llm.v1", type("A", (Provider,), {"id": "openai.llm.v1"}))
    register_connector("groq.api.v1", type("B", (Provider,), {"id": "groq.api.v1"}))
    core = [found.point for found in Catalog.scan().all() if found.distribution.startswith("modelmesh-core ")]
    ours = installed("openai.llm.v1", "groq.api.v1")
    catalog = Catalog([*core, *(found.point for found in ours.all())])
    monkeypatch.setattr(Catalog, "scan", lambda: catalog)
    monkeypatch.setenv("OPENAI_API_KEY", "env-test")
    return settings


def test_create_provider_settings_by_name(made: list[Any]) -> None:
    with create(
        "chat-completion", providers={"openai": {"organization": "o"}, "groq": {"api_key": "mine-test", "timeout": 9}}
    ) as client:
        assert client.active_providers() == ["openai", "groq"]
    assert [(one["api_key"].reveal(), one.get("organization"), one.get("timeout")) for one in made] == [
        ("env-test", "o", None),
        ("mine-test", None, 9),
    ]


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        ({"api_keys": {"openai": ""}}, r"api_keys\['openai'\] is empty"),
        ({"api_keys": {"openai": None}}, r"api_keys\['openai'\] is empty"),
        ({"providers": {"openai": {"api_key": None}}}, r"providers\['openai'\] is empty"),
    ],
)
def test_create_rejects_none_as_key(arguments: dict[str, Any], where: str, made: list[Any]) -> None:
    with pytest.raises(ConfigurationError, match=where):
        create("chat-completion", **arguments)
    assert made == []


def test_create_overlay_pools_come_from_call_first(made: list[Any]) -> None:
    overlay = {"observability": {"connector": "modelmesh.null.v1"}, "capabilities": ["chat-completion", "code-generation"]}
    for arguments, options, pools in (
        (("text-generation",), {}, ["text-generation"]),
        ((), {"pool": "text-generation"}, ["text-generation"]),
        ((), {}, ["chat-completion"]),
    ):
        config = {**overlay, "capabilities": ["chat-completion"]}
        with create(*arguments, config=config, **options) as client:
            assert [pool.name for pool in client.mesh.list_pools()] == pools
    with pytest.raises(ValueError, match="exclude each other"):
        create("chat-completion", pool="text-generation", config=overlay)
    with pytest.raises(ValueError, match=r"^Specify capabilities, pool, or config$"):
        create(config={"observability": None})


def test_create_applies_models_and_strategy(made: list[Any]) -> None:
    with create("chat-completion", "text-generation", models=["openai.n"], strategy="stick-until-failure") as client:
        assert [str(candidate) for candidate in client.mesh.list_models()] == ["openai/n"]
        assert len(client.mesh.list_pools()) == 2
