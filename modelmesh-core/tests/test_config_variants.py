"""Configuration variants: every documented spelling equals the canonical one."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from modelmesh import MeshConfig, ModelMesh, create
from modelmesh._engine.config.mesh_config import NotEnforcedWarning
from modelmesh._engine.plugins.aliases import ID_ALIASES, STRATEGIES, canonical_id
from modelmesh.contracts import Kind
from modelmesh.errors import ConfigurationError

OPENAI = {"openai.llm.v1": {"api_key": "sk-test"}}
TUNED = {"models": ["m"], "retry": {"max_attempts": 1}}


def providers(value: Any) -> Any:
    return {"providers": value}


def pool(value: Any) -> Any:
    return {"pools": {"chat-completion": value}}


def model(**value: Any) -> Any:
    return {"models": {"m": {"provider": "a", **value}}}


def sinks(value: Any) -> Any:
    return {"observability": value}


CONSOLE = "modelmesh.console.v1"
BLOCK = {"api_key": "sk-test", "organization": "o", "base_url": "http://x"}
SAME: dict[str, tuple[Any, ...]] = {
    "V1 empty entry": (providers({"ollama.local.v1": None}), providers({"ollama.local.v1": {}})),
    "V1 config": (providers(OPENAI), providers({"openai.llm.v1": {"config": {"api_key": "sk-test"}}})),
    "V2 list": (
        providers({"a": {"connector": "x.y.v1", "timeout": 5}, "z.y.v1": {}}),
        providers([{"name": "a", "connector": "x.y.v1", "timeout": 5}, {"id": "z.y.v1"}]),
        providers([{"name": "a", "id": "x.y.v1", "timeout": "5s"}, {"name": "z.y.v1"}]),
    ),
    "V2 list by connector": (providers({"x.y.v1": {"connector": "x.y.v1"}}), providers([{"connector": "x.y.v1"}])),
    "V3 where keys stand": (
        providers({"a": BLOCK}),
        providers({"a": {"config": BLOCK}}),
        providers({"a": {"organization": "o", "config": {"base_url": "http://x"}, "auth": {"api_key": "sk-test"}}}),
        providers({"a": {"apiKey": "sk-test", "baseUrl": "http://x", "organization": "o"}}),
        providers({"a": {"config": {"apiKey": "sk-test", "baseURL": "http://x", "organization": "o"}}}),
        providers({"a": {"organization": "o", "base_url": "http://x", "config": {"api_key": "lost"}, "api_key": "sk-test"}}),
        providers({"a": {"organization": "o", "base_url": "http://x", "config": {"auth": {"apiKey": "sk-test"}}}}),
    ),
    "V3 retries": (providers({"a": {"max_retries": 2}}), providers({"a": {"maxRetries": 2}})),
    "V5 store": (
        {"secrets": {"store": "modelmesh.dotenv.v1", "path": ".env"}},
        {"secrets": {"connector": "modelmesh.dotenv.v1", "config": {"path": ".env"}}},
        {"secrets": {"store": "modelmesh.dotenv.v1", "connector": "modelmesh.dotenv.v1", "config": {"path": "lost"}, "path": ".env"}},
    ),
    "V5 default store": ({}, {"secrets": None}, {"secrets": {}}, {"secrets": {"store": "modelmesh.env.v1"}}),
    "V6 rotation": (
        pool({"strategy": "cost-first", "recovery": {"cooldown": 30}}),
        pool({"rotation": {"policy": "cost-first", "recovery": {"cooldown": "30s"}}}),
        pool({"rotation": "cost-first", "recovery": {"cooldown_seconds": 30}}),
        {**pool({}), "rotation": {"policy": "cost-first", "recovery": {"cooldown": "500ms"}}, **pool({"recovery": {"cooldown": 30}})},
        {**pool(None), "rotation": {"policy": "cost-first", "recovery": {"cooldown": "0.5m"}}},
    ),
    "V7 tuning, key by key": (
        pool({"recovery": {"cooldown": 30, "probe_interval": 5}, "retry": {"max_attempts": 1, "max_delay": 2}}),
        pool({"rotation": {"recovery": {"cooldown": 9, "probe_interval": 5}}, "recovery": {"cooldown": 30}, "retry": {"max_attempts": 1, "max_delay": 2}}),
        {**pool({"recovery": {"cooldown": 30}, "retry": {"max_attempts": 1}}), "rotation": {"recovery": {"probe_interval": 5}, "retry": {"max_delay": 2}}},
    ),
    "V7 selection": (
        pool({"model_priority": ["m"], "provider_priority": ["p"], "balance_mode": "absolute", "rate_limit": {"max_rpm": 9}, "fallback_strategy": "error"}),
        pool({"selection": {"model_priority": ["m"], "provider_priority": ["p"], "balance_mode": "absolute", "rate_limit": {"max_rpm": 9}, "fallback_strategy": "error"}}),
        pool({"rotation": {"selection": {"model_priority": "m", "provider_priority": ["p"], "rate_limit": {"max_rpm": 9}}, "balance_mode": "absolute"}, "fallback_strategy": "error"}),
    ),
    "V7 selection of the strategy's own": (pool({"selection": {"affinity_mode": "strict"}}), pool({"rotation": {"selection": {"affinity_mode": "strict"}}})),
    "V8 filters": (pool({"capability": "chat", "providers": ["a"]}), pool({"hierarchy_node": "chat", "allowed_providers": ["a"]}), pool({"capability": "chat", "providers": "a"})),
    "V9 one word": (sinks(CONSOLE), sinks({"connector": CONSOLE})),
    "V9 flat config": (
        sinks({"connector": CONSOLE, "use_color": False}),
        sinks({"connector": CONSOLE, "config": {"use_color": False}}),
        sinks({"connector": CONSOLE, "console": {"use_color": False}}),
        sinks({"connector": CONSOLE, "console": {"use_color": True}, "config": {"use_color": False}}),
    ),
    "V9 events": (
        sinks({"connector": CONSOLE, "routing": {"events": ["rotation"]}, "logging": {"level": "full"}}),
        sinks({"connector": CONSOLE, "events": {"filter": ["rotation"]}, "logging": {"level": "full"}}),
        sinks({"connector": CONSOLE, "events": {"filter": ["rotation"]}, "routing": {"events": ["rotation"]}, "logging": {"level": "full"}}),
    ),
    "V9 nothing": ({}, sinks(None), sinks({})),
    "V13 delivery": (
        model(delivery={"synchronous": True, "streaming": False, "batch": False}),
        model(delivery="sync"),
        model(delivery=["sync"]),
        model(delivery=["synchronous"]),
    ),
    "V16 thresholds": (pool({"deactivation": {"retry_limit": 4}}), pool({"deactivation": {"failure_threshold": 4}})),
    "V16 redaction": (
        sinks({"connector": CONSOLE, "logging": {"redact": False}}),
        sinks({"connector": CONSOLE, "logging": {"redact_secrets": False}}),
    ),
    "models as a list": ({"models": {"m": {"provider": "a"}}}, {"models": [{"id": "m", "provider": "a"}]}, {"models": [{"name": "m", "provider": "a"}]}),
    "pools as a list": (pool(TUNED), {"pools": [{"name": "chat-completion", **TUNED}]}),
}  # fmt: skip


@pytest.mark.parametrize("variant", SAME)
def test_config_spellings_are_equivalent(variant: str) -> None:
    first, *others = SAME[variant]
    wanted = MeshConfig(first)
    assert wanted.validate() == []
    for other in others:
        assert MeshConfig(other).sections == wanted.sections, other


DIFFERENT: dict[str, tuple[Any, str]] = {
    "two stores": ({"secrets": {"store": "a.b.v1", "connector": "c.d.v1"}}, "secrets.connector: names another store than 'store' ('a.b.v1'). Keep one"),
    "two limits": (pool({"deactivation": {"retry_limit": 1, "failure_threshold": 2}}), "conflicts with 'retry_limit'"),
    "two keys": (providers({"a": {"api_key": "x", "apiKey": "y"}}), "providers.a.apiKey: conflicts with 'api_key'"),
    "two filters": (pool({"providers": ["a"], "allowed_providers": ["b"]}), "conflicts with 'providers'"),
    "a provider twice": (providers([{"connector": "a.b.v1"}, {"connector": "a.b.v1"}]), "providers[1]: 'a.b.v1' occurs twice"),
    "a model twice": ({"models": [{"id": "m", "provider": "a"}] * 2}, "models[1]: 'm' occurs twice"),
    "a pool twice": ({"pools": [{"name": "chat"}, {"name": "chat"}]}, "pools[1]: 'chat' occurs twice"),
    "nameless provider": (providers([{"api_key": "x"}]), "providers[0]: requires a 'connector'"),
    "nameless model": ({"models": [{"provider": "a"}]}, "models[0]: requires an 'id'"),
    "nameless pool": ({"pools": [{}]}, "pools[0]: requires a 'name'"),
    "model without provider": ({"models": {"m": {}}}, "models.m: requires 'provider'"),
    "providers as a word": (providers("openai"), "providers: must be a map of keys, not text"),
    "capabilities as a number": ({"capabilities": 5}, "capabilities: must be a list of capability names"),
    "enabled as a word": (providers({"a": {"enabled": "no"}}), "providers.a.enabled: must be true or false, not 'no'"),
    "delivery as a word": (model(delivery={"streaming": "no"}), "models.m.delivery: must list delivery modes"),
    "unknown delivery": (model(delivery="pigeon"), "models.m.delivery: must list delivery modes"),
    "feature as a word": (model(features={"vision": "yes"}), "models.m.features"),
    "two names of one key": (
        sinks({"connector": CONSOLE, "events": {"filter": ["health"]}, "routing": {"events": ["rotation"]}}),
        "observability.events.filter: conflicts with 'events'",
    ),
    "an unknown feature": (model(features={"tool_caling": False}), "models.m.features.tool_caling: unknown feature 'tool_caling'. Did you mean 'tool_calling'"),
    "a share of 7": (pool({"deactivation": {"error_rate_threshold": 7}}), "must be a share from 0.0 to 1.0, not 7"),
    "a negative count": (pool({"retry": {"max_attempts": -1}}), "must be a whole number, 0 or more, not -1"),
    "a price that is no number": (model(pricing={"per_request": float("nan")}), "must be a number, 0 or more, not nan"),
    "a code that is none": (pool({"deactivation": {"error_codes": [42]}}), "must be a list of HTTP statuses"),
    "an unknown backoff": (pool({"retry": {"backoff": "never"}}), "pools.chat-completion.retry.backoff"),
    "an unknown level": (sinks({"connector": CONSOLE, "logging": {"level": "loud"}}), "loud"),
    "an unknown key of a model": (model(capabilites=["chat"]), "Did you mean 'capabilities'"),
    "an unknown key below": (pool({"retry": {"max_atempts": 1}}), "Did you mean 'max_attempts'"),
}  # fmt: skip


@pytest.mark.parametrize("case", DIFFERENT)
def test_config_invalid_value_is_one_problem(case: str) -> None:
    raw, words = DIFFERENT[case]
    (message,) = MeshConfig(raw).validate()
    assert words in message
    with pytest.raises(ConfigurationError) as caught:
        _ = MeshConfig(raw).sections
    assert words in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_observability_part_with_connector_is_own_sink() -> None:
    config = MeshConfig(
        sinks(
            {
                "connector": CONSOLE,
                "use_color": False,
                "logging": {"connector": "modelmesh.file.v1", "path": "a.jsonl", "level": "summary"},
                "file": {"mode": "w"},
            }
        )
    )
    console, file = config.sections.observability
    assert (console.connector, console.roles, console.config) == (
        CONSOLE,
        ("routing", "tracing"),
        {"use_color": False},
    )
    assert (file.connector, file.roles, file.level) == ("modelmesh.file.v1", ("logging",), "summary")
    assert file.config == {"use_color": False, "mode": "w", "path": "a.jsonl"}


def test_observability_general_keys_apply_to_parts() -> None:
    general = {"connector": CONSOLE, "level": "full", "max_payload_size": 64}
    config = MeshConfig(sinks({**general, "logging": {"connector": "modelmesh.file.v1", "level": "summary"}}))
    assert [(one.level, one.max_payload_size) for one in config.sections.observability] == [("full", 64), ("summary", 64)]


def test_observability_part_keys_override_common_keys() -> None:
    config = MeshConfig(
        sinks(
            {
                "connector": "modelmesh.file.v1",
                "config": {"path": "all.jsonl"},
                "logging": {"path": "requests.jsonl", "level": "full"},
            }
        )
    )
    flat, log = config.sections.observability
    assert (flat.roles, flat.config) == (("routing", "tracing"), {"path": "all.jsonl"})
    assert (log.connector, log.roles, log.level, log.config) == (
        "modelmesh.file.v1",
        ("logging",),
        "full",
        {"path": "requests.jsonl"},
    )


@pytest.mark.parametrize("short", STRATEGIES)
def test_strategy_names_are_equivalent(short: str) -> None:
    full = f"modelmesh.{short}.v1"
    for name in (short, full, f"rotation.{full}", short.replace("-", "_")):
        assert canonical_id(name, Kind.STRATEGY) == full
    assert canonical_id("priority", Kind.STRATEGY) == "modelmesh.priority-selection.v1"


@pytest.mark.parametrize("alias", ID_ALIASES)
def test_connector_aliases_are_equivalent(alias: str) -> None:
    assert canonical_id(alias, Kind.PROVIDER) == ID_ALIASES[alias] == canonical_id(f"provider.{alias}", Kind.PROVIDER)
    assert canonical_id(ID_ALIASES[alias], Kind.PROVIDER) == ID_ALIASES[alias]


def test_local_file_id_depends_on_kind() -> None:
    assert canonical_id("modelmesh.local-file.v1", Kind.OBSERVABILITY) == "modelmesh.file.v1"
    assert canonical_id("modelmesh.local-file.v1", Kind.STORAGE) == "modelmesh.local-file.v1"


WHOLE: dict[str, Any] = {
    "secrets": {"store": "modelmesh.env.v1", "prefix": "X_"},
    "providers": {"a": {"connector": "x.y.v1", "timeout": "30s", "models": ["m", {"id": "n"}]}},
    "models": {"openai.gpt-4o": {"provider": "a", "features": {"vision": True}, "pricing": {"input_per_1k_tokens": 0.5}}},
    "pools": {"chat-completion": {"strategy": "round-robin", "retry": {"max_attempts": 2, "backoff": "fixed"}, "deactivation": {"error_codes": [429, 500]}}},
    "observability": {"connector": CONSOLE, "logging": {"level": "summary"}},
}  # fmt: skip


def test_yaml_json_and_dictionary_are_equivalent(tmp_path: Path) -> None:
    json_file, yaml_file = tmp_path / "m.json", tmp_path / "m.yaml"
    json_file.write_text(json.dumps(WHOLE, indent="\t"))
    with yaml_file.open("w") as file:
        YAML().dump(WHOLE, file)
    wanted = MeshConfig(WHOLE).sections
    made = [MeshConfig.from_dict(WHOLE), MeshConfig.of(WHOLE), MeshConfig(raw=WHOLE), MeshConfig.of(MeshConfig(WHOLE))]
    made += [
        MeshConfig.from_file(str(json_file)),
        MeshConfig.from_yaml(str(yaml_file)),
        MeshConfig.of(str(yaml_file)),
        MeshConfig.of(yaml_file),
    ]  # type: ignore[arg-type]
    for config in made:
        assert config.raw == WHOLE
        assert config.sections == wanted


def test_mesh_accepts_yaml_json_and_dictionary(scripted: Any, tmp_path: Path) -> None:
    from modelmesh import register_connector

    register_connector("test.scripted.v1", scripted)
    raw = {"providers": {"test.scripted.v1": None}, "pools": {"chat-completion": None}}
    file = tmp_path / "m.json"
    file.write_text(json.dumps(raw))
    described = set()
    for config in (raw, MeshConfig(raw), str(file), MeshConfig.from_file(str(file))):
        with ModelMesh() as mesh:
            mesh.initialize(config)
            described.add(mesh.describe())
        with create(config=config) as client:
            described.add(client.describe())
    with ModelMesh.from_yaml(str(file)) as mesh:
        described.add(mesh.describe())
    assert len(described) == 1


def test_merge_is_key_by_key_and_changes_no_input() -> None:
    base = MeshConfig({"providers": {"a": {"timeout": 5, "models": ["x"]}}, "pools": {"chat": {}}})
    over = {"providers": {"a": {"models": ["y"]}, "b": {}}, "pools": {"chat": None}}
    before = json.dumps([base.raw, over])
    merged = base.merge(over)
    assert merged.raw == {"providers": {"a": {"timeout": 5, "models": ["y"]}, "b": {}}, "pools": {"chat": None}}
    assert base.merge(MeshConfig(over)).raw == merged.raw
    assert json.dumps([base.raw, over]) == before


def test_validate_returns_every_message_without_raising() -> None:
    config = MeshConfig(
        {"pool": {}, "providers": {"a": {"enabled": 1}}, "pools": {"chat": {"retry": 5, "nope": 1}}, "models": [1]}
    )
    messages = config.validate()
    assert {message.split(":")[0] for message in messages} == {
        "pool",
        "models[0]",
        "providers.a.enabled",
        "pools.chat.retry",
        "pools.chat.nope",
    }
    with pytest.raises(ConfigurationError, match=f"{len(messages)} problems") as caught:
        _ = config.sections
    assert caught.value.details["problems"] == messages


KNOWN = [
    "secrets", "providers", "models", "pools", "observability", "capabilities", "rotation", "config", "auth", "api_key", "apiKey", "connector",
    "name", "id", "provider", "delivery", "features", "pricing", "retry", "recovery", "selection", "deactivation", "policy", "events", "routing",
    "logging", "filter", "instance", "timeouts", "batch", "enabled", "strategy", "model_priority", "rate_limit", "store", "connection_pool",
]  # fmt: skip
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(st.text(max_size=5), st.sampled_from(KNOWN)), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(KNOWN[:7]), ANYTHING, max_size=4))
def test_validate_any_data_returns_messages(raw: dict[str, Any]) -> None:
    config = MeshConfig(raw)
    messages = config.validate()
    assert all(isinstance(message, str) and ": " in message for message in messages)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotEnforcedWarning)
        if messages:
            with pytest.raises(ConfigurationError):
                _ = config.sections
        else:
            assert config.sections == MeshConfig(raw).sections


@pytest.mark.parametrize("raw", [[], "x", 5, None])
def test_mesh_config_rejects_non_map(raw: Any) -> None:
    with pytest.raises(ConfigurationError, match="must be a map of sections"):
        MeshConfig(raw)
