"""Base class of secret stores: cache and missing names."""

from __future__ import annotations

from typing import Any

import pytest

from modelmesh_cdk import BaseSecretStore, BaseSecretStoreConfig
from modelmesh_cdk.secret_store import base as module


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


class Store(BaseSecretStore):
    id = "acme.vault.v1"

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        self.values, self.asked = {"key": "value-test", "empty": ""}, []

    def _resolve(self, name: str) -> str | None:
        self.asked.append(name)
        return self.values.get(name)


@pytest.mark.parametrize(
    ("config", "seconds"), [({}, 300), ({"cache_ttl": "5m"}, 300), ({"cache_ttl": 10}, 10), ({"cache_ttl_ms": 2500}, 2.5)]
)
def test_get_caches_value_for_ttl(config: dict[str, Any], seconds: float, clock: Clock) -> None:
    store = Store(config)
    assert store.get("key") == store.get("key") == "value-test"
    store.values["key"] = "new-test"
    clock.now += seconds - 0.01
    assert store.get("key") == "value-test"
    clock.now += 0.02
    assert store.get("key") == "new-test"
    assert store.asked == ["key", "key"]


def test_get_without_cache_reads_the_source() -> None:
    store = Store({"cache_enabled": False})
    assert [store.get("key") for _ in range(3)] == ["value-test"] * 3
    assert store.asked == ["key"] * 3


def test_clear_cache_rereads_the_source(clock: Clock) -> None:
    store = Store()
    store.get("key")
    store.values["key"] = "new-test"
    store.clear_cache()
    assert store.get("key") == "new-test"


def test_get_missing_name_raises_and_is_not_cached() -> None:
    store = Store()
    for _ in range(2):
        with pytest.raises(KeyError, match="Secret not found: nope"):
            store.get("nope")
    store.values["nope"] = "come-test"
    assert store.get("nope") == "come-test"
    assert store.asked == ["nope"] * 3


def test_get_missing_name_may_return_empty_text() -> None:
    assert Store({"fail_on_missing": False}).get("nope") == ""


def test_get_empty_value_is_returned() -> None:
    store = Store()
    assert store.get("empty") == store.get("empty") == ""
    assert store.asked == ["empty"]


def test_config_accepts_known_and_other_keys() -> None:
    config = BaseSecretStoreConfig.of({"cache_ttl": "1h", "region": "eu", "reload_on_rotation": True})
    assert (config.cache_ttl, config.cache_enabled, config.fail_on_missing, config.options) == (
        3600,
        True,
        True,
        {"region": "eu"},
    )
    assert Store(config).config is config
    assert "eu" not in repr(config)
    with pytest.raises(ValueError, match="is not a duration"):
        BaseSecretStoreConfig.of({"cache_ttl": "soon"})


def test_base_secret_store_repr_shows_no_value() -> None:
    with pytest.raises(KeyError):
        BaseSecretStore().get("key")
    store = Store()
    store.get("key")
    assert repr(store) == "<Store acme.vault.v1>"
