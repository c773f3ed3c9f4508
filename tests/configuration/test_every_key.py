"""Every configuration key has an effect, causes a warning, or is an error."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import attrs
import pytest

import modelmesh
import modelmesh_proxy
from modelmesh._engine.config import schema
from modelmesh._engine.foundation.notices import NotEnforcedWarning
from modelmesh.errors import ConfigurationError

SOURCES = (Path(modelmesh.__file__).parent, Path(modelmesh_proxy.__file__).parent)

PROVIDER = {"connector": "openai.llm.v1", "api_key": "test", "models": ["gpt-4o"]}
MODEL = {"provider": "a"}

SPECIFIED: dict[str, tuple[Any, str]] = {
    # path in the specification: a value and the expected outcome
    "secrets.store": ("modelmesh.env.v1", "effect"),
    "secrets.connector": ("modelmesh.env.v1", "effect"),
    "secrets.prefix": ("X_", "effect"),
    "secrets.config": ({"prefix": "X_"}, "effect"),
    "secrets.path": (".env", "error"),  # only the dotenv store reads it
    "secrets.override": (True, "error"),
    "secrets.region": ("eu", "error"),
    "secrets.passphrase": ("test", "error"),
    "secrets.secrets": ({"a": "b"}, "error"),
    "secrets.cache_enabled": (False, "warning"),
    "secrets.cache_ttl": ("5m", "warning"),
    "secrets.cache_ttl_ms": (5, "warning"),
    "secrets.reload_on_rotation": (False, "warning"),
    "secrets.fail_on_missing": (False, "effect"),
    "providers.a.enabled": (True, "effect"),
    "providers.a.base_url": ("http://127.0.0.1:9/v1", "effect"),
    "providers.a.baseUrl": ("http://127.0.0.1:9/v1", "effect"),
    "providers.a.config": ({"timeout": "5s"}, "effect"),
    "providers.a.timeout": ("5s", "effect"),
    "providers.a.max_retries": (1, "effect"),
    "providers.a.capabilities": (["chat-completion"], "effect"),
    "providers.a.auth.method": ("oauth", "warning"),
    "providers.a.auth.api_key": ("test", "effect"),
    "providers.a.auth.key_rotation": (True, "warning"),
    "providers.a.quota.query_current": (True, "warning"),
    "providers.a.quota.query_remaining": (True, "warning"),
    "providers.a.quota.reset_schedule": ("daily", "effect"),
    "providers.a.budget.daily_limit": (5.0, "effect"),
    "providers.a.budget.monthly_limit": (5.0, "effect"),
    "providers.a.budget.per_request_limit": (5.0, "effect"),
    "providers.a.budget.alert_threshold": (0.5, "effect"),
    "providers.a.budget.enforce": (False, "effect"),
    "providers.a.discovery.enumerate_models": (True, "warning"),
    "providers.a.discovery.model_details": (True, "warning"),
    "providers.a.discovery.capability_query": (True, "warning"),
    "providers.a.discovery.sync": ({"interval": "5m"}, "warning"),  # without the section
    "providers.a.discovery.health": ({"interval": "5m"}, "warning"),
    "providers.a.batch.supported": (True, "warning"),
    "providers.a.batch.max_items": (5, "warning"),
    "providers.a.files.upload": (True, "warning"),
    "providers.a.files.max_size": ("5MB", "warning"),
    "providers.a.fine_tuning.supported": (True, "warning"),
    "providers.a.connection_pool.max_connections": (5, "effect"),
    "providers.a.connection_pool.timeout": ("5s", "effect"),
    "providers.a.organization": ("acme", "effect"),
    "providers.a.region": ("eu", "error"),
    "models.gpt-4o.capabilities": (["chat-completion"], "effect"),
    "models.gpt-4o.delivery.synchronous": (True, "effect"),
    "models.gpt-4o.delivery.streaming": (False, "effect"),
    "models.gpt-4o.delivery.batch": (True, "effect"),
    "models.gpt-4o.batch.max_items": (5, "warning"),
    "models.gpt-4o.batch.max_payload": ("5MB", "warning"),
    "models.gpt-4o.batch.completion_window": ("24h", "warning"),
    "models.gpt-4o.batch.cost_discount": (0.5, "warning"),
    "models.gpt-4o.batch.callback": (True, "warning"),
    "models.gpt-4o.batch.polling": (True, "warning"),
    "models.gpt-4o.batch.partial_results": (True, "warning"),
    "models.gpt-4o.features.tool_calling": (False, "effect"),
    "models.gpt-4o.features.structured_output": (False, "effect"),
    "models.gpt-4o.features.json_mode": (False, "effect"),
    "models.gpt-4o.features.system_prompt": (False, "effect"),
    "models.gpt-4o.features.grounding": (False, "effect"),
    "models.gpt-4o.features.logprobs": (False, "effect"),
    "models.gpt-4o.features.vision": (False, "effect"),
    "models.gpt-4o.features.streaming": (False, "effect"),
    "models.gpt-4o.features.reasoning": (False, "effect"),
    "models.gpt-4o.features.subtitles": (False, "effect"),
    "models.gpt-4o.features.timestamps": (False, "effect"),
    "models.gpt-4o.features.diarization": (False, "effect"),
    "models.gpt-4o.features.fine_tunable": (False, "warning"),
    "models.gpt-4o.constraints.context_window": (5000, "effect"),
    "models.gpt-4o.constraints.max_output_tokens": (500, "effect"),
    "models.gpt-4o.constraints.max_images": (1, "warning"),
    "models.gpt-4o.constraints.max_file_size": ("5MB", "warning"),
    "models.gpt-4o.constraints.supported_languages": (["en"], "warning"),
    "models.gpt-4o.pricing.input_per_1k_tokens": (0.1, "effect"),
    "models.gpt-4o.pricing.output_per_1k_tokens": (0.1, "effect"),
    "models.gpt-4o.pricing.per_request": (0.1, "effect"),
    "models.gpt-4o.pricing.per_image": (0.1, "effect"),
    "models.gpt-4o.pricing.per_audio_minute": (0.1, "effect"),
    "models.gpt-4o.pricing.per_1k_characters": (0.1, "effect"),
    "models.gpt-4o.pricing.per_page": (0.1, "effect"),
    "models.gpt-4o.pricing.per_search": (0.1, "effect"),
    "models.gpt-4o.model": ("gpt-4o-2024-08-06", "effect"),
    "pools.chat-completion.capability": ("chat-completion", "effect"),
    "pools.chat-completion.hierarchy_node": ("chat-completion", "effect"),
    "pools.chat-completion.aliases": (["gpt-4o", "gpt-5"], "effect"),
    "pools.chat-completion.models": (["gpt-4o"], "effect"),
    "pools.chat-completion.providers": (["a"], "effect"),
    "pools.chat-completion.allowed_providers": (["a"], "effect"),
    "pools.chat-completion.excluded_providers": ([], "effect"),
    "pools.chat-completion.strategy": ("round-robin", "effect"),
    "pools.chat-completion.model_priority": (["gpt-4o"], "warning"),  # with the default strategy
    "pools.chat-completion.provider_priority": (["a"], "warning"),
    "pools.chat-completion.fallback_strategy": ("error", "warning"),
    "pools.chat-completion.balance_mode": ("absolute", "warning"),
    "pools.chat-completion.rate_limit.threshold": (0.5, "warning"),
    "pools.chat-completion.rate_limit.min_delta": ("1s", "effect"),
    "pools.chat-completion.rate_limit.max_rpm": (5, "effect"),
    "pools.chat-completion.selection.affinity_mode": ("strict", "warning"),
    "pools.chat-completion.selection.session_timeout": ("5m", "warning"),
    "pools.chat-completion.deactivation.retry_limit": (5, "effect"),
    "pools.chat-completion.deactivation.failure_threshold": (5, "effect"),
    "pools.chat-completion.deactivation.error_rate_threshold": (0.1, "effect"),
    "pools.chat-completion.deactivation.error_codes": ([429], "effect"),
    "pools.chat-completion.deactivation.request_limit": (5, "effect"),
    "pools.chat-completion.deactivation.token_limit": (5, "effect"),
    "pools.chat-completion.deactivation.budget_limit": (5, "effect"),
    "pools.chat-completion.deactivation.quota_window": ("daily", "effect"),
    "pools.chat-completion.deactivation.maintenance_window": ("0 2 * * 0", "effect"),
    "pools.chat-completion.recovery.cooldown": ("5s", "effect"),
    "pools.chat-completion.recovery.cooldown_seconds": (5, "effect"),
    "pools.chat-completion.recovery.probe_on_start": (False, "effect"),
    "pools.chat-completion.recovery.probe_interval": ("5m", "effect"),
    "pools.chat-completion.recovery.on_quota_reset": (False, "effect"),
    "pools.chat-completion.recovery.quota_reset_schedule": ("daily_utc", "effect"),
    "pools.chat-completion.retry.max_attempts": (1, "effect"),
    "pools.chat-completion.retry.backoff": ("fixed", "effect"),
    "pools.chat-completion.retry.initial_delay": ("5ms", "effect"),
    "pools.chat-completion.retry.max_delay": ("5s", "effect"),
    "pools.chat-completion.retry.retryable_codes": ([500], "effect"),
    "pools.chat-completion.retry.non_retryable_codes": ([501], "effect"),
    "pools.chat-completion.retry.scope": ("any", "effect"),
    "pools.chat-completion.retry.honor_retry_after": (False, "effect"),
    "pools.chat-completion.provider_deactivation": ("on_api_outage", "effect"),
    "pools.chat-completion.provider_recovery": ("on_manual", "effect"),
    "pools.chat-completion.on_budget_exceeded": ("rotate", "effect"),
    "storage.connector": ("modelmesh.memory.v1", "effect"),
    "storage.persistence.sync_policy": ("periodic", "effect"),
    "storage.persistence.sync_interval": ("5m", "effect"),
    "storage.persistence.format": ("yaml", "effect"),
    "storage.persistence.compression": (True, "effect"),
    "storage.persistence.encryption": (True, "error"),
    "storage.on_store_down": ("refuse", "warning"),
    "storage.locking.enabled": (False, "effect"),
    "storage.locking.timeout": ("5s", "effect"),
    "storage.locking.retry_interval": ("5ms", "effect"),
    "storage.path": ("state.json", "effect"),
    "storage.backup": (False, "effect"),
    "storage.bucket": ("x", "error"),
    "observability.connector": ("modelmesh.console.v1", "effect"),
    "observability.routing.connector": ("modelmesh.file.v1", "effect"),
    "observability.routing.url": ("http://127.0.0.1:9", "error"),
    "observability.logging.level": ("full", "warning"),  # without a connector
    "observability.logging.redact": (False, "warning"),
    "observability.logging.max_payload_size": (5, "warning"),
    "observability.statistics.flush_interval": ("5m", "effect"),
    "observability.statistics.retention": ("1d", "effect"),
    "observability.statistics.scopes": (["pool"], "effect"),
    "observability.events.filter": (["rotation"], "warning"),
    "observability.events.include_metadata": (False, "warning"),
    "observability.tracing.min_severity": ("error", "warning"),
    "observability.webhook": ({"url": "x"}, "error"),
    "discovery.sync.enabled": (False, "effect"),
    "discovery.sync.interval": ("1h", "effect"),
    "discovery.sync.auto_register": (False, "effect"),
    "discovery.sync.providers": (["a"], "effect"),
    "discovery.sync.on_new_model": ("ignore", "effect"),
    "discovery.sync.on_deprecated_model": ("ignore", "effect"),
    "discovery.health.enabled": (False, "effect"),
    "discovery.health.interval": ("1h", "effect"),
    "discovery.health.timeout": ("5s", "effect"),
    "discovery.health.failure_threshold": (5, "effect"),
    "discovery.health.providers": (["a"], "effect"),
    "connectors.packages": (["a.zip"], "warning"),
    "connectors": (["a.zip"], "warning"),
    "proxy.host": ("127.0.0.1", "effect"),
    "proxy.port": (8081, "effect"),
    "proxy.workers": (2, "effect"),
    "proxy.drain": ("10s", "effect"),
    "proxy.reload": (False, "effect"),
    "proxy.hosts": (["ai.example.com"], "effect"),
    "proxy.endpoints": (["/v1/models"], "effect"),
    "proxy.ui": (False, "effect"),
    "proxy.auth.enabled": (True, "effect"),
    "proxy.auth.method": ("bearer", "effect"),
    "proxy.auth.tokens": (["test"], "effect"),
    "proxy.cors.enabled": (False, "effect"),
    "proxy.cors.origins": (["*"], "effect"),
    "proxy.cors.credentials": (False, "effect"),
    "proxy.cors.max_age": ("1h", "effect"),
    "proxy.limits.json_body": ("16MB", "effect"),
    "proxy.limits.upload_body": ("16MB", "effect"),
    "proxy.limits.header_bytes": ("16KB", "effect"),
    "proxy.limits.header_lines": (50, "effect"),
    "proxy.limits.header_timeout": ("5s", "effect"),
    "proxy.limits.body_timeout": ("5s", "effect"),
    "proxy.limits.keep_alive": ("5s", "effect"),
    "proxy.limits.connections": (10, "effect"),
    "proxy.limits.requests": (10, "effect"),
    "proxy.limits.realtime_idle": ("60s", "effect"),
    "proxy.tls.certificate": ("cert.pem", "effect"),
    "proxy.tls.key": ("key.pem", "effect"),
    "proxy.tls.key_password": ("test", "effect"),
    "proxy.tls.client_authorities": ("ca.pem", "effect"),
    "budget.daily_limit": (5.0, "effect"),
    "capabilities": (["chat-completion"], "warning"),  # next to pools
    "rotation.strategy": ("round-robin", "effect"),
    "rotation.policy": ("round-robin", "effect"),
    "$schema": ("https://example.com/schema.json", "effect"),
    "x-anything": ({"a": 1}, "effect"),
}


def configured(path: str, value: Any) -> dict[str, Any]:
    """Return a valid configuration with one additional key."""
    raw: dict[str, Any] = {"providers": {"a": dict(PROVIDER)}, "pools": {"chat-completion": {}}}
    if path.startswith("models."):
        raw["models"] = {"gpt-4o": dict(MODEL)}
        del raw["providers"]["a"]["models"]
    at, (*above, last) = (
        raw,
        path.replace("pools.chat-completion.", "pools/chat-completion/")
        .replace("models.gpt-4o.", "models/gpt-4o/")
        .replace(".", "/")
        .split("/"),
    )
    for step in above:
        at = at.setdefault(step, {})
    at[last] = value
    return raw


def outcome(raw: dict[str, Any]) -> str:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            mesh = modelmesh.ModelMesh()
            mesh.initialize(raw, read_only=True)
        except ConfigurationError:
            return "error"
        mesh.shutdown()
    return "warning" if any(issubclass(one.category, NotEnforcedWarning) for one in caught) else "effect"


@pytest.mark.parametrize("path", SPECIFIED)
def test_specified_key_acts_warns_or_raises(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    value, expected = SPECIFIED[path]
    assert outcome(configured(path, value)) == expected


@pytest.mark.parametrize("path", [path for path in SPECIFIED if not path.startswith(("$", "x-"))])
def test_misspelt_key_raises(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    value, _ = SPECIFIED[path]
    above, dot, last = path.rpartition(".")
    with pytest.raises(ConfigurationError, match=f"{last}q"):
        modelmesh.create(config=configured(f"{above}{dot}{last}q", value))


# -- the schema ---------------------------------------------------------------------------------------------------------

SECTIONS = {
    name: cls
    for name, cls in vars(schema).items()
    if isinstance(cls, type) and attrs.has(cls) and cls.__module__ == schema.__name__
}
FIELDS = [(name, field.name) for name, cls in SECTIONS.items() for field in attrs.fields(cls)]
READ = [f"{name}.{field}" for name, field in FIELDS if "_per_" not in field or name != "QuotaSection"]
"""Quota limits are read by computed names. ``test_limits`` covers each of them."""
WITHOUT_EFFECT = {
    "BatchSection",
    "FilesSection",
    "FineTuningSection",
    "ModelBatchSection",
}
"""Sections that are read and noted as a whole."""


def test_schema_sections_are_specified() -> None:
    said = {step for path in SPECIFIED for step in path.split(".")}
    ours = {field for name, field in FIELDS if name in WITHOUT_EFFECT or name.startswith("Proxy")}
    assert ours - said == set()


@pytest.mark.parametrize("name", [one for one in READ if one.partition(".")[0] not in WITHOUT_EFFECT])
def test_schema_field_is_read_by_the_mesh(name: str) -> None:
    field = name.partition(".")[2]
    used = re.compile(rf"\.{field}\b|[\"']{field}[\"']")
    places = [
        path
        for source in SOURCES
        for path in source.rglob("*.py")
        if path.name not in ("schema.py", "normalize.py") and used.search(path.read_text("utf-8"))
    ]
    assert places, f"nothing reads {name}: use it, or note it in config/not_enforced.py"
