"""Invalid input raises one typed error that names the place and the next command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import modelmesh
from modelmesh._engine.autodetect import NO_KEYS
from modelmesh._engine.plugins import catalog
from modelmesh.errors import (
    CapabilityNotFoundError,
    ConfigurationError,
    ModelMeshError,
    NoProvidersError,
    SecretNotFoundError,
    UnknownConnectorError,
)

PROVIDER = "providers:\n  openai:\n    connector: openai.llm.v1\n    api_key: sk-test\n"
POOL = "pools:\n  chat-completion: {}\n"


@pytest.fixture(autouse=True)
def some_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the connectors of Mistral and xAI and one strategy, which the workspace installs."""
    missing = ("modelmesh_connector_mistral", "modelmesh_connector_xai", "modelmesh_strategy_cost_first")
    left = [one for one in catalog.read_entry_points() if one.module not in missing]
    monkeypatch.setattr(catalog, "read_entry_points", lambda: left)
    monkeypatch.setattr(catalog, "_scanned", None)


def written(tmp_path: Path, text: str, name: str = "mesh.yaml") -> str:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return str(path)


FILES: dict[str, tuple[str, str, str]] = {
    # name: text, place (line:column), words
    "unknown connector": ("providers:\n  openai:\n    connector: openai.lm.v1\n", ":3:5", "Did you mean 'openai.llm.v1'"),
    "connector not installed": ("providers:\n  m:\n    connector: mistral.api.v1\n", ":3:5", "pip install modelmesh-connector-mistral"),
    "strategy not installed": (PROVIDER + "pools:\n  chat-completion:\n    strategy: cost-first\n", ":7:5", "pip install modelmesh-strategy-cost-first"),
    "unknown strategy": (PROVIDER + "pools:\n  chat-completion:\n    strategy: round-robbin\n", ":7:5", "Did you mean 'round-robin'"),
    "unknown capability": (PROVIDER + "pools:\n  chat:\n    capability: chat-completoin\n", ":7", "Did you mean 'chat-completion'"),
    "unknown pool name": (PROVIDER + "pools:\n  chat-completoin: {}\n", ":6:3", "Did you mean 'chat-completion'"),
    "unknown section": (PROVIDER + "pool:\n  chat-completion: {}\n", ":5:1", "Did you mean 'pools'"),
    "unknown pool key": (PROVIDER + "pools:\n  chat-completion:\n    stategy: round-robin\n", ":7:5", "Did you mean 'strategy'"),
    "bad duration": (PROVIDER + "pools:\n  chat-completion:\n    recovery: {cooldown: 5 parsecs}\n", ":7:16", "500ms"),
    "bad number": (PROVIDER + "pools:\n  chat-completion:\n    retry: {max_attempts: many}\n", ":7:13", "whole number"),
    "models as text": (PROVIDER + "    models: gpt-4o\n" + POOL, ":5:5", "must be a list, not 'gpt-4o'"),
    "models as a map": (PROVIDER + "    models: {gpt-4o: {}}\n" + POOL, ":5:5", "must be a list"),
    "features as a list": (PROVIDER + "models:\n  x:\n    provider: openai\n    features: [vision]\n" + POOL, ":8:5", "must be a map of keys, not ['vision']"),
    "scopes as text": (PROVIDER + POOL + "observability:\n  statistics: {scopes: model}\n", ":8:16", "must be a list, not 'model'"),
    "no choice": (PROVIDER + "    budget: {on_budget_exceeded: stop}\n" + POOL, ":5:14", "must be one of error, rotate, not 'stop'"),
    "fallback not installed": (PROVIDER + "pools:\n  chat-completion:\n    strategy: priority-selection\n    fallback_strategy: nope\n", ":8:5", "'modelmesh.nope.v1'"),
    "headers as text": (PROVIDER + "    headers: 'X-Team: blue'\n" + POOL, ":3:5", "headers must be a map of names to values"),
    "bad choice": (PROVIDER + "pools:\n  chat-completion:\n    balance_mode: upwards\n", ":7:5", "upwards"),
    "missing secret": ("providers:\n  openai:\n    connector: openai.llm.v1\n    api_key: ${secrets:nope}\n" + POOL, ":4:5", "export NOPE="),
    "malformed reference": ("providers:\n  openai:\n    connector: openai.llm.v1\n    api_key: ${secrets:}\n" + POOL, ":4:5", "${secrets:NAME}"),
    "bad yaml": ("providers:\n  openai: [1,\n", ":3:1", "not valid YAML"),
    "a tab": ("providers:\n\topenai: {}\n", ":2:1", "not valid YAML"),
    "unquoted reference": ("providers:\n  a: {api_key: ${secrets:X}}\n", ":2", "in quotes"),
    "duplicate key": (PROVIDER + "  openai: {}\n", ":5:3", "occurs twice"),
    "empty pool": (PROVIDER + "pools:\n  text-to-video: {}\n", ":6:3", "is empty"),
    "pool of unknown provider": (PROVIDER + "pools:\n  chat-completion:\n    providers: [opnai]\n", ":7:5", "Did you mean 'openai'"),
    "pool of unknown model": (PROVIDER + "pools:\n  chat-completion:\n    models: [gpt-4oo]\n", ":7:5", "Did you mean 'gpt-4o'"),
    "bad address": ("providers:\n  openai:\n    connector: openai.llm.v1\n    api_key: sk-test\n    base_url: localhost\n" + POOL, ":3:5", "https://"),
    "no key": ("providers:\n  openai:\n    connector: openai.llm.v1\n" + POOL, ":3:5", "export OPENAI_API_KEY="),
    "python tag": ("a: !!python/object/apply:os.system ['true']\n", ":1:4", "not allowed"),
    "two documents": (PROVIDER + "---\nb: 1\n", ":5:1", "more than one document"),
    "not a map": ("- 1\n", "", "must be a map"),
    "model of unknown provider": (PROVIDER + "models:\n  x:\n    provider: opena\n" + POOL, ":7:5", "Did you mean 'openai'"),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES)
def test_invalid_file_raises_with_its_place(case: str, tmp_path: Path) -> None:
    text, place, words = FILES[case]
    path = written(tmp_path, text)
    with pytest.raises((ConfigurationError, UnknownConnectorError)) as caught:
        modelmesh.create(config=path)
    assert path + place in str(caught.value)
    assert words in str(caught.value)


def test_invalid_json_raises_with_its_place(tmp_path: Path) -> None:
    path = written(tmp_path, '{\n\t"providers": {\n\t\t"a": {"connector": "openai.lm.v1"}\n\t}\n}\n', "mesh.json")
    with pytest.raises(UnknownConnectorError, match=r"mesh\.json:3:9"):
        modelmesh.create(config=path)


def test_create_lists_every_problem(tmp_path: Path) -> None:
    path = written(tmp_path, PROVIDER + "pool: {}\npools:\n  chat-completion:\n    retry: {max_attempts: x}\n    nope: 1\n")
    messages = modelmesh.MeshConfig.from_file(path).validate()
    assert len(messages) == 3
    with pytest.raises(ConfigurationError, match="3 problems"):
        modelmesh.create(config=path)


def test_create_without_keys_raises_one_error_of_three_types(monkeypatch: pytest.MonkeyPatch) -> None:
    from modelmesh._engine.plugins.catalog import Catalog

    monkeypatch.setattr(Catalog, "embedded", lambda _: [])  # as where no embedded model is installed
    with pytest.raises(NoProvidersError) as caught:
        modelmesh.create("chat-completion")
    assert str(caught.value) == NO_KEYS
    assert isinstance(caught.value, RuntimeError)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, ConfigurationError)
    assert any("OPENAI_API_KEY" in note for note in caught.value.__notes__)


def test_key_of_a_missing_connector_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XAI_API_KEY", "test")
    with pytest.raises(NoProvidersError, match="XAI_API_KEY is set.*pip install modelmesh-connector-xai"):
        modelmesh.create("chat-completion")


def test_create_without_a_capability_raises() -> None:
    with pytest.raises(ValueError, match=r"^Specify capabilities, pool, or config$"):
        modelmesh.create()


ARGUMENTS: dict[str, tuple[tuple[Any, ...], dict[str, Any], type[Exception], str]] = {
    "pool and capability": (("chat-completion",), {"pool": "text-generation"}, ValueError, "exclude each other"),
    "unknown pool": ((), {"pool": "text-generatoin"}, ValueError, "Did you mean 'text-generation'"),
    "unknown capability": (("chat-completoin",), {}, CapabilityNotFoundError, "Did you mean 'chat-completion'"),
    "unknown provider": (("chat-completion",), {"providers": ["opnai"]}, ConfigurationError, "Did you mean 'openai'"),
    "provider without key": (("chat-completion",), {"providers": ["groq"]}, NoProvidersError, "export GROQ_API_KEY="),
    "provider not installed": (("chat-completion",), {"providers": ["xai"]}, UnknownConnectorError, "pip install modelmesh-connector-xai"),
    "key for an unknown provider": (("chat-completion",), {"api_keys": {"opnai": "sk-test"}}, ConfigurationError, "Did you mean 'openai'"),
    "unknown strategy": (("chat-completion",), {"strategy": "cheapest"}, ConfigurationError, "The eight are"),
    "unknown model": (("chat-completion",), {"models": ["gpt-4oo"], "providers": ["openai", "groq"], "api_keys": {"openai": "sk-test", "groq": "test"}}, ConfigurationError, "openai.gpt-4oo"),
    "capability without a model": (("text-to-video",), {}, ConfigurationError, "is empty"),
    "provider as text": (("chat-completion",), {"providers": "opnai"}, ConfigurationError, "unknown provider 'opnai'. Did you mean 'openai'"),
    "settings as text": (("chat-completion",), {"providers": {"openai": "sk-test"}}, ConfigurationError, "must be a map of settings, e.g. .*, not str"),
    "keys as text": (("chat-completion",), {"api_keys": "sk-test"}, ConfigurationError, "api_keys must be a map of provider to key"),
    "capabilities as a list": ((["chat-completion"],), {}, ConfigurationError, r"each an argument of its own: .*, not \['chat-completion'\]"),
    "no such file": ((), {"config": "no-such-file.yaml"}, ConfigurationError, "no-such-file.yaml"),
}  # fmt: skip


@pytest.mark.parametrize("case", ARGUMENTS)
def test_create_invalid_arguments_raise(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    capabilities, arguments, kind, words = ARGUMENTS[case]
    with pytest.raises(kind, match=words):
        modelmesh.create(*capabilities, **arguments)


def test_create_one_name_is_a_list_of_one() -> None:
    with modelmesh.create("chat-completion", api_keys={"openai": "sk-test"}, providers="openai", models="gpt-4o") as client:
        assert [model.id for model in client.models.list()] == ["gpt-4o"]


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ({"extra_headers": ["a"]}, "'extra_headers' must be a map of names to values, not list"),
        ({"extra_query": "a=b"}, "'extra_query' must be a map"),
        ({"extra_body": "x"}, "'extra_body' must be a map"),
        ({"routing_metadata": "x"}, "'routing_metadata' must be a map"),
        ({"timeout": "5s"}, "'timeout' must be a number of seconds, not '5s'"),
        (
            {"extra_headers": {"X-Title": "Ü"}},
            "the extra header 'X-Title' contains a character that is not ASCII. Nothing was sent",
        ),
        ({"extra_headers": {"X Title": "a"}}, "the extra header 'X Title' has an invalid name"),
        ({"extra_headers": {"X-Title": "a "}}, "begins or ends with a space. Nothing was sent"),
    ],
)
def test_call_invalid_options_raise(argument: dict[str, Any], words: str, refused: str) -> None:
    openai = {"connector": "openai.llm.v1", "api_key": "sk-test", "base_url": refused, "models": ["m"]}
    with (
        modelmesh.create(config={"providers": {"openai": openai}, "pools": {"chat-completion": {}}}) as client,
        pytest.raises(modelmesh.BadRequestError, match=words),
    ):
        client.chat.completions.create(model="chat-completion", messages=[], **argument)


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        (
            {"observability": {"connector": "modelmesh.null.v1", "events": ["rotations"]}},
            "'rotations' is not an event.*'rotation'",
        ),
        (
            {"models": {"m": {"provider": "openai", "quota": {"query_current": True}}}},
            "models.m.quota.query_current: .*not acted",
        ),
    ],
)
def test_key_without_effect_warns(sections: dict[str, Any], words: str) -> None:
    with pytest.warns(modelmesh._engine.config.mesh_config.NotEnforcedWarning, match=words) as told:
        _ = modelmesh.MeshConfig({"providers": {"openai": {}}, **sections}).sections
    assert len(told) == 1


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"storage": {"connector": "modelmesh.memory.v1", "sync_policie": "immediate"}}, "storage.sync_policie: .*'sync_policy'"),
        ({"observability": {"loging": {"connector": "modelmesh.file.v1"}}}, "observability.loging: .*Did you mean 'logging'"),
        ({"discovery": {"snyc": {}, "connector": "modelmesh.registry-sync.v1"}}, "discovery.snyc: .*Did you mean 'sync'"),
    ],
)
def test_unknown_key_is_rejected(sections: dict[str, Any], words: str) -> None:
    provider = {"connector": "openai.llm.v1", "api_key": "sk-test"}
    with pytest.raises(ConfigurationError, match=words):
        modelmesh.create(config={"providers": {"openai": provider}, "pools": {"chat-completion": {}}, **sections})


@pytest.mark.parametrize("argument", [{"models": ["m"]}, {"providers": ["a"]}, {"api_keys": {"a": "test"}}], ids=str)
def test_argument_replaced_by_config_warns(argument: dict[str, Any]) -> None:
    config = {
        "providers": {"a": {"connector": "openai.llm.v1", "api_key": "test", "models": ["m"]}},
        "pools": {"chat-completion": {}},
    }
    (name,) = argument
    with pytest.warns(
        modelmesh._engine.config.mesh_config.NotEnforcedWarning, match=rf"^create\(\): {name} ignored, because config"
    ) as told:
        modelmesh.create(config=config, **argument).close()
    assert [one.filename for one in told] == [__file__]


def test_option_of_a_connector_does_not_warn(recwarn: pytest.WarningsRecorder) -> None:
    sections = {
        "storage": {"path": "x.json", "locking": {"timeout": "5s"}, "host": "h", "interval": 3},
        "observability": {
            "connector": "modelmesh.console.v1",
            "events": ["rotation", "budget_alert"],
            "prefix": "x",
            "console": {},
        },
    }
    _ = modelmesh.MeshConfig(sections).sections
    assert not recwarn.list


def test_request_for_an_unknown_pool_raises(monkeypatch: pytest.MonkeyPatch, refused: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_BASE_URL", refused)
    with modelmesh.create("chat-completion") as client:
        with pytest.raises(CapabilityNotFoundError, match="chat-eu.*configuration"):
            client.chat.completions.create(model="chat-eu", messages=[])
        with pytest.raises(KeyError):
            client.mesh.get_router().get_pool("chat-eu")
        with pytest.raises(modelmesh.BadRequestError, match="'messages' must be a list"):
            client.chat.completions.create(model="chat-completion", messages="Hello")
        with pytest.raises(modelmesh.BadRequestError, match="'model' must be"):
            client.chat.completions.create(messages=[])
        with pytest.raises(modelmesh.BadRequestError, match="cannot be written as JSON"):
            client.chat.completions.create(model="chat-completion", messages=[], temperature=float("nan"))


def test_missing_secret_is_a_key_error(tmp_path: Path) -> None:
    path = written(tmp_path, "providers:\n  a:\n    connector: openai.llm.v1\n    api_key: ${secrets:nope}\n" + POOL)
    with pytest.raises(SecretNotFoundError) as caught:
        modelmesh.create(config=path)
    assert isinstance(caught.value, KeyError)
    with pytest.raises(ValueError, match="searched for: nope, NOPE"):
        modelmesh.create(config=path)


def test_settings_accept_environment_references(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPLOYMENT", "gpt-4o-eu")
    monkeypatch.setenv("PATIENCE", "5s")
    monkeypatch.setenv("TRIES", "2")
    text = PROVIDER + (
        "    timeout: ${env:PATIENCE}\n    max_retries: ${env:TRIES}\nmodels:\n  gpt-4o:\n    provider: openai\n"
        "    model: ${env:DEPLOYMENT}\npools:\n  chat-completion: {}\n"
    )
    with modelmesh.create(config=written(tmp_path, text)) as client:
        candidate = client.mesh.list_models()[0]
        assert (candidate.model_id, candidate.upstream) == ("gpt-4o", "gpt-4o-eu")
        assert (candidate.account.limits["answer"], candidate.account.max_retries) == (5, 2)


@pytest.mark.parametrize(("section", "words"), [("secrets", "not a secret store"), ("pools", "not a strategy")])
def test_instance_of_the_wrong_kind_raises(section: str, words: str) -> None:
    config: dict[str, Any] = {"providers": {"openai.llm.v1": {"api_key": "sk-test"}}, "pools": {"chat-completion": {}}}
    if section == "secrets":
        config["secrets"] = {"instance": object()}
    else:
        config["pools"]["chat-completion"]["strategy_instance"] = object()
    with pytest.raises(ConfigurationError, match=words):
        modelmesh.create(config=config)


def test_empty_key_counts_as_missing() -> None:
    with pytest.raises(ConfigurationError, match="empty API key"):
        modelmesh.create(config={"providers": {"openai.llm.v1": {"api_key": ""}}, "pools": {"chat-completion": {}}})


def test_disabled_provider_needs_no_secret(tmp_path: Path) -> None:
    text = PROVIDER + "  b:\n    enabled: false\n    connector: openai.llm.v1\n    api_key: ${secrets:nope}\n" + POOL
    with modelmesh.create(config=written(tmp_path, text)) as client:
        assert client.active_providers() == ["openai"]


HOSTILE = {
    "alias bomb": "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
    ),
    "deep list": "[" * 3000,
    "deep map": "{a: " * 3000,
    "deep block": "".join("  " * n + "a:\n" for n in range(3000)),
    "deep dashes": "- " * 3000,
    "ten megabytes": "a: " + "x" * 10_000_000,
    "many keys": "".join(f"k{n}: v\n" for n in range(100_000)),
    "endless merge": "a: &a {b: 1}\n" + "".join(f"m{n}: {{<<: [{', '.join(['*a'] * 50)}]}}\n" for n in range(2000)),
    "huge number": "a: " + "9" * 200_000,
    "binary": "\x00\x01\x02",
}  # fmt: skip

HOSTILE_RUN = """
import resource, sys, modelmesh
from modelmesh.errors import ModelMeshError
import modelmesh._engine.create
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
try:
    modelmesh.create(config=sys.argv[1])
except ModelMeshError as error:
    print(type(error).__name__, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_file_raises_and_uses_little_memory(case: str, tmp_path: Path) -> None:
    path = written(tmp_path, HOSTILE[case])
    done = subprocess.run([sys.executable, "-c", HOSTILE_RUN, path], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    name, grown = done.stdout.split()
    assert name in ("ConfigurationError",)
    assert int(grown) < 64
    assert issubclass(ConfigurationError, ModelMeshError)
