"""Configuration defaults, conversion to policies, and warnings of unenforced keys."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from modelmesh import MeshConfig
from modelmesh._engine.assembly.policies import pool_policy, strategy_settings
from modelmesh._engine.config.mesh_config import NotEnforcedWarning
from modelmesh._engine.routing.pool_policy import Backoff, RetryScope

CONSOLE = "modelmesh.console.v1"


def providers(value: Any) -> Any:
    return {"providers": value}


def pool(value: Any) -> Any:
    return {"pools": {"chat-completion": value}}


def sinks(value: Any) -> Any:
    return {"observability": value}


def model(**value: Any) -> Any:
    return {"models": {"m": {"provider": "a", **value}}}


def test_config_defaults_are_the_documented_ones() -> None:
    sections = MeshConfig({"providers": {"a": {}}, "models": {"m": {"provider": "a"}}, **pool(None)}).sections
    one = sections.pools["chat-completion"]
    assert (one.deactivation.retry_limit, one.deactivation.error_rate_threshold) == (3, 0.5)
    assert (one.retry.initial_delay, one.retry.max_delay, one.retry.backoff) == (0.5, 10.0, Backoff.EXPONENTIAL_JITTER)
    assert (one.retry.scope, one.retry.honor_retry_after) == (RetryScope.SAME_MODEL, True)
    assert (one.rate_limit.threshold, one.rate_limit.min_delta, one.rate_limit.max_rpm) == (0.8, 0, 0)
    assert one.balance_mode == "relative"
    assert (one.excluded_providers, one.model_priority, one.provider_priority) == ((), (), ())
    assert sections.providers["a"].enabled
    connections = sections.providers["a"].connection_pool
    assert (connections.max_connections, connections.queue_size, connections.queue_wait) == (100, 1000, None)
    assert (sections.models["m"].delivery, sections.models["m"].features) == ({}, {})
    policy = pool_policy(one)
    assert (policy.max_attempts, policy.retry.max_attempts, policy.circuit.cooldown, policy.circuit.error_codes) == (
        4,
        None,
        None,
        None,
    )
    assert (policy.limits.total, policy.limits.connect, policy.limits.first_content, policy.limits.gap) == (600, 5, 120, 60)


def test_config_values_reach_the_policy() -> None:
    raw = {
        "retry": {"max_attempts": 9, "backoff": "retry_after", "initial_delay": "250ms", "max_delay": "2s", "retryable_codes": [500], "non_retryable_codes": [429]},
        "deactivation": {"failure_threshold": 5, "error_rate_threshold": 0.25, "error_codes": [429]},
        "recovery": {"cooldown": "2m", "probe_interval": "1h"},
        "timeouts": {"total": "1m", "gap": 7},
        "selection": {"session_timeout": "5m", "model_priority": ["m"]},
    }  # fmt: skip
    section = MeshConfig(pool(raw)).sections.pools["chat-completion"]
    policy = pool_policy(section)
    assert policy.max_attempts == 10
    assert (policy.retry.initial_delay, policy.retry.max_delay) == (0.25, 2)
    assert (policy.retry.retryable_codes, policy.retry.non_retryable_codes) == ({500}, {429})
    assert (policy.circuit.failure_threshold, policy.circuit.error_rate_threshold, policy.circuit.error_codes) == (5, 0.25, {429})
    assert (policy.circuit.cooldown, policy.circuit.probe_interval) == (120, 3600)
    assert (policy.limits.total, policy.limits.gap, policy.limits.connect) == (60, 7, 5)
    settings = strategy_settings(section)
    assert (settings["session_timeout"], settings["model_priority"]) == ("5m", ["m"])


LATER: dict[str, Any] = {
    "connectors": {"connectors": ["a.zip"]},
    "observability.tracing.min_severity": sinks({"connector": CONSOLE, "tracing": {"min_severity": "debug"}}),
    "providers.a.discovery.enumerate_models": providers({"a": {"discovery": {"enumerate_models": True}}}),
    "providers.a.batch.supported": providers({"a": {"batch": {"supported": True}}}),
    "providers.a.files.upload": providers({"a": {"files": {"upload": True}}}),
    "providers.a.fine_tuning.supported": providers({"a": {"fine_tuning": {"supported": True}}}),
    "providers.a.auth.key_rotation": providers({"a": {"auth": {"key_rotation": True}}}),
    "models.m.constraints.max_images": model(constraints={"max_images": 1}),
    "models.m.constraints.max_file_size": model(constraints={"max_file_size": "10MB"}),
    "models.m.constraints.supported_languages": model(constraints={"supported_languages": ["en"]}),
    "models.m.features.fine_tunable": model(features={"fine_tunable": True}),
    "models.m.batch.max_items": model(batch={"max_items": 5}),
    "providers.a.auth.method": providers({"a": {"auth": {"method": "oauth"}}}),
}  # fmt: skip


@pytest.mark.parametrize("path", LATER)
def test_unenforced_key_warns_with_its_position(path: str) -> None:
    with pytest.warns(NotEnforcedWarning, match="is read ") as warned:
        _ = MeshConfig(LATER[path]).sections
    assert [str(one.message).partition(": ")[0] for one in warned] == [path]
    assert [one.filename for one in warned] == [__file__]


def test_unenforced_key_of_file_warns_with_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text("providers:\n  a:\n    connector: x.y.v1\n    files:\n      upload: true\n")
    with pytest.warns(NotEnforcedWarning, match=r"m\.yaml:5:7: providers\.a\.files\.upload: 'upload' is read"):
        _ = MeshConfig.from_file(str(file)).sections


def test_default_value_of_unenforced_key_does_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for raw in (
            {"storage": None},
            providers({"a": {"auth": {"method": "api_key"}, "files": None}}),
            pool({"retry": {"scope": "same_model"}}),
        ):
            _ = MeshConfig(raw).sections
