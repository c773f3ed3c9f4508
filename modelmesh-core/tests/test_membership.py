"""Pool membership: models, their order, and names in requests."""

from __future__ import annotations

from typing import Any

import pytest

from modelmesh import create
from modelmesh.contracts.models import ModelInfo
from modelmesh.errors import CapabilityNotFoundError, ConfigurationError

CHAT = "generation.text-generation.chat-completion"


def ids(client: Any, pool: str = "chat-completion") -> list[str]:
    return [str(candidate) for candidate in client.mesh.get_router().get_pool(pool).models]


@pytest.fixture
def two(scripted: Any) -> dict[str, Any]:
    return {
        "a": {
            "instance": scripted(
                "a1", ModelInfo("a2", capabilities=("text-to-speech",)), ModelInfo("a3", capabilities=(CHAT, "code-generation"))
            )
        },
        "b": {"instance": scripted("b1", "b2")},
    }


POOLS: dict[str, tuple[str, dict[str, Any] | None, list[str]]] = {
    "a leaf": ("chat-completion", {}, ["a/a1", "a/a3", "b/b1", "b/b2"]),
    "a leaf by its path": (CHAT, None, ["a/a1", "a/a3", "b/b1", "b/b2"]),
    "a subcategory": ("text-generation", {}, ["a/a1", "a/a3", "b/b1", "b/b2"]),
    "a category": ("generation", {}, ["a/a1", "a/a2", "a/a3", "b/b1", "b/b2"]),
    "a second leaf": ("code-generation", {}, ["a/a3"]),
    "an alias path": ("x", {"capability": "generation.audio-generation.text-to-speech"}, ["a/a2"]),
    "one provider": ("chat-completion", {"providers": ["b"]}, ["b/b1", "b/b2"]),
    "all but one": ("chat-completion", {"excluded_providers": ["b"]}, ["a/a1", "a/a3"]),
    "filters together": ("chat-completion", {"providers": ["a", "b"], "excluded_providers": ["a"], "models": ["b2", "a1", "b1"]}, ["b/b2", "b/b1"]),
    "order of the list": ("chat-completion", {"models": ["b2", "a1", "b1"]}, ["b/b2", "a/a1", "b/b1"]),
    "models with their provider": ("chat-completion", {"models": ["b.b2", "a/a1"]}, ["b/b2", "a/a1"]),
    "hybrid: both must hold": ("x", {"capability": "code-generation", "models": ["a1", "a3"]}, ["a/a3"]),
    "no capability, models": ("mine", {"models": ["a2", "b1"]}, ["a/a2", "b/b1"]),
    "no capability, providers": ("mine", {"providers": ["a"]}, ["a/a1", "a/a2", "a/a3"]),
    "no capability, both": ("mine", {"providers": ["a"], "models": ["b1", "a3"]}, ["a/a3"]),
}  # fmt: skip


@pytest.mark.parametrize("case", POOLS)
def test_pool_members_follow_the_filters(case: str, two: dict[str, Any]) -> None:
    name, pool, members = POOLS[case]
    with create(config={"providers": two, "pools": {name: pool}}) as client:
        assert ids(client, name) == members


EMPTY: dict[str, tuple[str, dict[str, Any], str]] = {
    "a capability without models": ("reranking", {}, "'capability' matches none of 5 models. Providers here: a, b"),
    "no models of that provider": ("text-to-speech", {"providers": ["b"]}, "'providers' matches none of 1 models"),
    "all excluded": ("chat-completion", {"excluded_providers": ["a", "b"]}, "'excluded_providers' matches none of 4 models"),
    "models that are not able": ("text-to-speech", {"models": ["b1"]}, "'models' matches none of 1 models"),
    "an unknown model": ("chat-completion", {"models": ["b3"]}, "no model 'b3' is known. Add it under 'models:', or choose one of: a1, a2, a3, b1, b2"),
    "an unknown provider": ("chat-completion", {"providers": ["c"]}, "no provider 'c' is configured"),
    "an unknown exclusion": ("chat-completion", {"excluded_providers": ["c"]}, "no provider 'c' is configured"),
    "no capability and nothing else": ("mine", {}, "'mine' is not a capability. Add 'capability: chat-completion'"),
    "an unknown short capability": ("mine", {"capability": "chat-completoin"}, "Did you mean 'chat-completion'"),
    "a capability of its own": ("mine", {"capability": "acme.games.chess"}, "'capability' matches none of 5 models"),
}  # fmt: skip


@pytest.mark.parametrize("case", EMPTY)
def test_pool_invalid_states_reason(case: str, two: dict[str, Any]) -> None:
    name, pool, words = EMPTY[case]
    with pytest.raises(ConfigurationError) as caught:
        create(config={"providers": two, "pools": {name: pool}})
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"pools.{name}")


def test_pool_custom_capability(scripted: Any) -> None:
    chess = scripted(ModelInfo("c", capabilities=("acme.games.chess",)), ModelInfo("g", capabilities=("acme.games.go",)))
    pools = {"chess": {"capability": "acme.games.chess"}, "acme.games": {}, "acme": None}
    with create(config={"providers": {"p": {"instance": chess}}, "pools": pools}) as client:
        assert [ids(client, name) for name in pools] == [["p/c"], ["p/c", "p/g"], ["p/c", "p/g"]]
        assert client.chat.completions.create(model="acme.games.go", messages=[]).model == "g"


def test_configured_models_join_pools(scripted: Any) -> None:
    raw = {
        "providers": {"a": {"instance": scripted("a1", "a2")}, "b": {"instance": scripted("b1")}},
        "models": {"mine": {"provider": "a", "model": "a2", "capabilities": ["chat"]}, "a.new": {"provider": "a"}},
        "pools": {"chat-completion": {}},
    }
    with create(config=raw) as client:
        assert ids(client) == ["a/mine", "a/new", "b/b1"]  # a contributes its configured models, b its catalogue
        assert [candidate.upstream for candidate in client.mesh.list_models()] == ["a2", "new", "b1"]
        assert client.chat.completions.create(model="mine", messages=[]).content == "answer of a2"


def test_provider_models_join_pools(scripted: Any) -> None:
    listed = ["a2", {"id": "x", "capabilities": ["text-to-speech"], "constraints": {"context_window": 9}}, ModelInfo("y")]
    raw = {
        "providers": {"a": {"instance": scripted("a1", ModelInfo("a2", context_window=5)), "models": listed}},
        "pools": {"generation": {}},
    }
    with create(config=raw) as client:
        assert ids(client, "generation") == ["a/a2", "a/x", "a/y"]
        assert [candidate.info.context_window for candidate in client.mesh.list_models()] == [5, 9, None]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"id": "x", "capabilites": ["chat"]}, "Did you mean 'capabilities'"),
        ({"name": "x"}, "must be a model ID"),
        (5, "must be a model ID"),
    ],
)
def test_provider_model_invalid_raises(row: Any, words: str, scripted: Any) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        create(config={"providers": {"a": {"instance": scripted(), "models": [row]}}, "pools": {"chat": {}}})
    assert "providers.a.models[0]" in str(caught.value)


def test_configured_model_overrides_catalogue_by_key(scripted: Any) -> None:
    info = ModelInfo(
        "m",
        upstream="m-2026",
        features={"vision": True, "tool_calling": True},
        delivery={"streaming": True},
        context_window=10,
        max_output_tokens=3,
    )
    stated = {
        "provider": "a",
        "features": {"vision": False},
        "delivery": {"sync": True},
        "batch": True,
        "constraints": {"context_window": 20},
        "pricing": {"per_request": 1},
    }
    raw = {"providers": {"a": {"instance": scripted(info)}}, "models": {"a.m": stated}, "pools": {"chat": {}}}
    with create(config=raw) as client:
        (candidate,) = client.mesh.list_models()
    found = candidate.info
    assert (candidate.model_id, candidate.upstream) == ("m", "m-2026")
    assert found.features == {"vision": False, "tool_calling": True}
    assert found.delivery == {"streaming": True, "synchronous": True, "batch": True}
    assert (found.context_window, found.max_output_tokens) == (20, 3)
    assert (found.pricing.per_request, found.pricing.source) == (1.0, "configuration")


@pytest.mark.parametrize("name", ["a", "test.scripted.v1", "test", "provider.test.scripted.v1"])
def test_provider_matches_every_name(name: str, scripted: Any) -> None:
    raw = {
        "providers": {"a": {"instance": scripted("m")}},
        "models": {"x": {"provider": name}},
        "pools": {"chat-completion": {"providers": [name]}},
    }
    with create(config=raw) as client:
        assert ids(client) == ["a/x"]


def test_two_accounts_of_one_connector_are_separate(scripted: Any) -> None:
    raw = {
        "providers": {"work": {"instance": scripted("m")}, "home": {"instance": scripted("m")}},
        "pools": {"chat-completion": {}, "mine": {"providers": ["home"]}, "both": {"providers": ["test"]}},
    }
    with create(config=raw) as client:
        assert ids(client) == ids(client, "both") == ["work/m", "home/m"]
        assert ids(client, "mine") == ["home/m"]
        assert client.active_providers() == ["work", "home"]
        assert client.chat.completions.create(model="mine", messages=[]).provider == "home"
        assert client.chat.completions.create(model="home.m", messages=[]).provider == "home"
    with pytest.raises(ConfigurationError, match=r"'test' matches 2 providers \(work, home\)\. Use the key of one"):
        create(config={**raw, "models": {"x": {"provider": "test"}}})


@pytest.mark.parametrize("name", ["b", "other.llm.v1", "other"])
def test_disabled_provider_needs_no_other_change(name: str, scripted: Any) -> None:
    raw = {
        "providers": {"a": {"instance": scripted("a1")}, "b": {"connector": "other.llm.v1", "enabled": False}},
        "models": {"x": {"provider": name}, "b.y": {"provider": "b"}, "a1": {"provider": "a"}},
        "pools": {"chat-completion": {"providers": ["a", name], "models": ["x", "y", "a1"], "excluded_providers": [name]}},
    }
    with create(config=raw) as client:
        assert ids(client) == ["a/a1"]
    raw["pools"]["chat-completion"]["providers"] = [name]
    with pytest.raises(ConfigurationError, match="'providers' matches none"):
        create(config=raw)


def test_name_of_enabled_provider_is_not_disabled(scripted: Any) -> None:
    raw = {
        "providers": {"old": {"connector": "test.scripted.v1", "enabled": False}, "test": {"instance": scripted("m")}},
        "models": {"x": {"provider": "test"}},
        "pools": {"chat-completion": {"providers": ["test"]}},
    }
    with create(config=raw) as client:
        assert ids(client) == ["test/x"]


def test_request_name_priority(scripted: Any) -> None:
    provider = scripted(
        ModelInfo("chat-completion", capabilities=("text-to-speech",)), "m", ModelInfo("s", capabilities=("summarization",))
    )
    pools = {
        "m": {"models": ["s"]},  # a pool with the name of a model
        "text-generation": {},
        "understanding": {},
        "everything": {"models": ["chat-completion", "m", "s"]},
    }
    with create(config={"providers": {"a": {"instance": provider}}, "pools": pools}) as client:
        resolve = client.mesh.get_router().resolve
        assert [c.model_id for c in resolve("m").models] == ["s"]  # 1. a pool
        assert resolve(CHAT).name == "text-generation"  # 2. a canonical path, through the nearest pool above it
        assert resolve("generation.chat-completion").name == "text-generation"  # 3. an alias path
        assert resolve("chat-completion").name == "text-generation"  # 4. a short name precedes a model of that ID
        assert resolve("summarization").name == "understanding"
        assert [c.model_id for c in resolve("s").models] == ["s"]  # 5. a model
        assert [c.model_id for c in resolve("a.chat-completion").models] == ["chat-completion"]
        for unknown in ("no-such-pool", "reranking", "audio"):
            with pytest.raises(CapabilityNotFoundError, match=f"no pool serves '{unknown}'"):
                resolve(unknown)


def test_capability_without_pool_uses_most_specific_pool(scripted: Any) -> None:
    pools = {"generation": {}, "text-generation": {}, "chat-completion": {}}
    with create(config={"providers": {"a": {"instance": scripted()}}, "pools": pools}) as client:
        resolve = client.mesh.get_router().resolve
        assert [resolve(name).name for name in ("chat", "code-generation", "text-generation")] == [
            "chat-completion", "text-generation", "text-generation",
        ]  # fmt: skip
        with pytest.raises(CapabilityNotFoundError, match="no pool serves 'text-to-image'"):
            resolve("text-to-image")  # the pool 'generation' has only chat models


FEATURES = {
    "code-generation": ["plain", "able"],
    "structured-generation": ["able"],
    "json-generation": ["able"],
    "schema-constrained-output": ["able"],
    "vision-understanding": ["able"],
    "image-to-text": ["able"],
    "tool-calling": ["able"],
}


@pytest.mark.parametrize("name", FEATURES)
def test_chat_models_join_pools_of_their_features(name: str, scripted: Any) -> None:
    features = {"structured_output": True, "vision": True, "tool_calling": True}
    provider = scripted("plain", ModelInfo("able", capabilities=(CHAT,), features=features))
    with create(config={"providers": {"a": {"instance": provider}}, "pools": {name: {}}}) as client:
        assert [c.model_id for c in client.mesh.get_router().get_pool(name).models] == FEATURES[name]
        assert client.chat.completions.create(model=name, messages=[]).model == FEATURES[name][0]


def test_capability_below_pool_uses_matching_models(scripted: Any) -> None:
    provider = scripted("plain", ModelInfo("able", capabilities=(CHAT,), features={"json_mode": True}))
    with create(config={"providers": {"a": {"instance": provider}}, "pools": {"generation": {}}}) as client:
        assert client.chat.completions.create(model="json-generation", messages=[]).model == "able"
        assert client.chat.completions.create(model="code-generation", messages=[]).model == "plain"


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("text-to-image", "Configure or install a provider that has 'text-to-image'"),
        ("speech-to-text", "Configure or install a provider that has 'speech-to-text'"),
        ("object-detection", "No connector of this version has a model for 'object-detection'"),
    ],
)
def test_empty_pool_states_what_adds_a_model(name: str, advice: str, scripted: Any) -> None:
    with pytest.raises(ConfigurationError, match=advice):
        create(config={"providers": {"a": {"instance": scripted()}}, "pools": {name: {}}})


def test_create_models_restrict_pools(scripted: Any) -> None:
    raw = {
        "providers": {"a": {"instance": scripted("gpt-4.1-mini", "gpt-3.5")}},
        "pools": {"chat": {"models": ["test.gpt-4.1-mini", "gpt-3.5"]}},
    }
    with create(config=raw) as client:
        assert ids(client, "chat") == ["a/gpt-4.1-mini", "a/gpt-3.5"]
