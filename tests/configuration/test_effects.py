"""Effects of configuration keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("modelmesh_connector_openai")
import modelmesh
from modelmesh._engine.foundation.notices import NotEnforcedWarning
from modelmesh_cdk.testing import Upstream

MESSAGES = [{"role": "user", "content": "x"}]


def answered_by(features: dict[str, bool], **request: Any) -> str:
    """Return the model that serves the request: ``without`` states the features, ``with`` states none."""
    with Upstream() as upstream:
        provider = {"connector": "openai.llm.v1", "base_url": upstream.url, "api_key": "test"}
        models = {"without": {"provider": "a", "features": features}, "with": {"provider": "a"}}
        config = {"providers": {"a": provider}, "models": models, "pools": {"chat-completion": {"models": ["without", "with"]}}}
        with modelmesh.create(config=config) as client:
            answer = client.chat.completions.create(model="chat-completion", messages=MESSAGES, **request)
            if request.get("stream"):
                list(answer)
        return str(upstream.received[-1].json["model"])


NEEDS: dict[str, dict[str, Any]] = {
    "streaming": {"stream": True},
    "reasoning": {"reasoning_effort": "high"},
    "grounding": {"web_search_options": {}},
}


@pytest.mark.parametrize("feature", NEEDS)
def test_model_without_feature_is_not_selected(feature: str) -> None:
    assert answered_by({feature: False}, **NEEDS[feature]) == "with"
    assert answered_by({feature: False}) == "without"


def test_missing_secret_may_be_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOT_SET_ANYWHERE", raising=False)
    provider = {"connector": "openai.llm.v1", "api_key": "test", "organization": "${secrets:not-set-anywhere}", "models": ["m"]}
    config = {"providers": {"a": provider}, "pools": {"chat-completion": {}}}
    with pytest.raises(modelmesh.ConfigurationError, match="has no value"):
        modelmesh.create(config=config)
    modelmesh.create(config={**config, "secrets": {"fail_on_missing": False}}).close()


@pytest.mark.parametrize("include", [True, False])
def test_events_include_metadata_if_configured(include: bool, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    with Upstream() as upstream:
        for _ in range(4):
            upstream.fail(500)
        provider = {"connector": "openai.llm.v1", "base_url": upstream.url, "api_key": "test", "models": ["m"]}
        sink = {"connector": "modelmesh.file.v1", "path": str(file), "events": {"include_metadata": include}}
        pool = {"deactivation": {"retry_limit": 1}, "retry": {"max_attempts": 0}}
        config = {"providers": {"a": provider}, "pools": {"chat-completion": pool}, "observability": sink}
        with modelmesh.create(config=config) as client:
            for _ in range(2):
                with pytest.raises(modelmesh.ModelMeshError):
                    client.chat.completions.create(model="chat-completion", messages=MESSAGES)
    events = [one for one in map(json.loads, file.read_text().splitlines()) if one["type"] == "event"]
    assert events
    assert any(one.get("metadata") for one in events) is include


def pools_of(*capabilities: str, **config: Any) -> list[str]:
    provider = {"connector": "openai.llm.v1", "api_key": "test"}
    with modelmesh.create(*capabilities, config={"providers": {"a": provider}, **config}) as client:
        return [pool.name for pool in client.mesh.list_pools()]


def test_config_without_pools_gets_default_pools() -> None:
    found = pools_of()
    assert found[0] == "chat-completion"
    assert {"text-generation", "embeddings", "structured-generation", "text-to-speech", "image-generation"} <= set(found)
    assert "reranking" not in found


def test_config_without_pools_gets_requested_pools() -> None:
    assert pools_of("chat-completion") == ["chat-completion"]
    assert pools_of(capabilities=["text-embeddings"]) == ["text-embeddings"]


@pytest.mark.parametrize("key", ["strategy", "policy"])
def test_overlay_rotation_strategy_applies(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "test")
    with modelmesh.create("chat-completion", config={"rotation": {key: "round-robin"}}) as client:
        assert client.mesh.list_pools()[0].strategy.id == "modelmesh.round-robin.v1"
    with modelmesh.create("chat-completion", strategy="cost-first", config={"rotation": {key: "round-robin"}}) as client:
        assert client.mesh.list_pools()[0].strategy.id == "modelmesh.cost-first.v1"


def test_config_warning_points_at_calling_line() -> None:
    config = {"providers": {"a": {"connector": "openai.llm.v1", "api_key": "test"}}, "pools": {"chat-completion": {}}}
    with pytest.warns(NotEnforcedWarning) as caught:
        modelmesh.create(config={**config, "connectors": ["a.zip"]}).close()
    with pytest.warns(NotEnforcedWarning) as again:
        _ = modelmesh.MeshConfig({**config, "connectors": ["a.zip"]}).sections
    assert {one.filename for one in [*caught, *again]} == {__file__}


def test_reference_converts_to_type_of_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ON": "true", "OFF": "false", "TRIES": "2", "PATIENCE": "90", "MODEL": "4711"}.items():
        monkeypatch.setenv(f"EFFECT_{name}", value)
    provider = {
        "connector": "openai.llm.v1", "api_key": "test", "enabled": "${env:EFFECT_ON}", "max_retries": "${env:EFFECT_TRIES}",
        "timeout": "${EFFECT_PATIENCE}",
    }  # fmt: skip
    config = {
        "providers": {"a": provider, "b": {**provider, "enabled": "${env:EFFECT_OFF}", "api_key": "${secrets:no-such}"}},
        "models": {"m": {"provider": "a", "model": "${env:EFFECT_MODEL}", "features": {"vision": "${env:EFFECT_OFF}"}}},
        "pools": {"chat-completion": {}},
    }
    with modelmesh.create(config=config) as client:
        (model,) = client.mesh.list_models()
        assert client.active_providers() == ["a"]
        assert (model.upstream, model.info.features["vision"]) == ("4711", False)
        assert (model.account.max_retries, model.account.limits["answer"]) == (2, 90.0)


def test_check_resolves_references_like_create(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFECT_ON", "maybe")
    config = {"providers": {"a": {"connector": "openai.llm.v1", "api_key": "test", "enabled": "${env:EFFECT_ON}"}}}
    with pytest.raises(modelmesh.ConfigurationError, match=r"providers\.a\.enabled: must be true or false, not 'maybe'"):
        modelmesh.create(config=config)


def test_priority_list_unknown_name_warns() -> None:
    provider = {"connector": "openai.llm.v1", "api_key": "test", "models": ["gpt-4o"]}
    off = {"connector": "openai.llm.v1", "enabled": False, "models": ["gpt-4.1"]}
    pool = {"strategy": "priority-selection", "model_priority": ["gpt-5o", "gpt-4.1"], "provider_priority": ["opena", "off"]}
    with pytest.warns(NotEnforcedWarning) as caught:
        modelmesh.create(config={"providers": {"openai": provider, "off": off}, "pools": {"chat-completion": pool}}).close()
    said = [str(one.message) for one in caught]
    assert len(said) == 2
    assert "'gpt-5o' has no effect" in said[0]
    assert "Did you mean 'openai'?" in said[1]
