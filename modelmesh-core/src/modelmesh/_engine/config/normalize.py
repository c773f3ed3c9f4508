"""Canonical form of a configuration, from the many forms that documents use.

This module only moves keys. It converts and validates nothing, except that two spellings of one key must not disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh._engine.config.keys import KeyMover, kind_of
from modelmesh._engine.config.source_map import KeyPath
from modelmesh._engine.foundation.suggestions import did_you_mean

QUEUE_ALIASES = {"timeout": "queue_wait"}
KEY_ALIASES = {
    "apiKey": "api_key",
    "baseUrl": "base_url",
    "baseURL": "base_url",
    "maxRetries": "max_retries",
    "strategyInstance": "strategy_instance",
}
POOL_ALIASES = {"hierarchy_node": "capability", "allowed_providers": "providers"}
SELECTION_KEYS = ("model_priority", "provider_priority", "fallback_strategy", "balance_mode", "rate_limit")
SECTION_ALIASES = {
    "deactivation": {"failure_threshold": "retry_limit"},
    "recovery": {"cooldown_seconds": "cooldown"},
}
PERSISTENCE_KEYS = ("sync_policy", "sync_interval", "format", "compression", "encryption")
LOCKING_KEYS = ("enabled", "timeout", "retry_interval")
DISCOVERY_CONNECTORS = {"sync": "modelmesh.registry-sync.v1", "health": "modelmesh.health-monitor.v1"}
"""Default discovery connector for each purpose."""


class Normalizer(KeyMover):
    """Rewrites one raw configuration section by section."""

    def _add_keyed(self, keyed: dict[str, Any], key: Any, entry: dict[str, Any], path: KeyPath, required: str) -> None:
        if not isinstance(key, str):
            self._problems.add(path, f"requires {required}")
        elif key in keyed:
            self._problems.add(path, f"{key!r} occurs twice. Remove one")
        else:
            keyed[key] = entry
            self._problems.record_move((path[0], key), path)

    # -- providers --------------------------------------------------------------------------------------------------

    def providers(self, value: Any) -> dict[str, dict[str, Any]]:
        """Return provider entries by key. A list of entries is keyed by ``name``, ``id`` or ``connector``."""
        path: KeyPath = ("providers",)
        if isinstance(value, list):
            keyed: dict[str, Any] = {}
            for place, item in enumerate(value):
                if not isinstance(item, Mapping | str):
                    self._problems.add((*path, place), f"must be a map of keys, or the ID of a connector, not {kind_of(item)}")
                    continue
                entry = self._map({"connector": item} if isinstance(item, str) else item, (*path, place))
                named, connector = entry.pop("name", None), entry.pop("id", None)
                key = named or connector or entry.get("connector")
                if named and connector:
                    entry.setdefault("connector", connector)
                if not isinstance(key, str):
                    self._problems.add((*path, place), "requires a 'connector' (or 'name', 'id')")
                elif key in keyed:
                    self._problems.add((*path, place), f"{key!r} occurs twice. Give each entry its own 'name'")
                else:
                    keyed[key] = entry
                    self._problems.record_move((*path, key), (*path, place))
            value = keyed
        return {key: self._provider(item, (*path, key)) for key, item in self._map(value, path).items()}

    def _provider(self, value: Any, path: KeyPath) -> dict[str, Any]:
        entry = self._rename(self._map(value, path), KEY_ALIASES, path)
        below = (*path, "config")
        inner = self._rename(self._map(entry.pop("config", None), below), KEY_ALIASES, below)
        deep = self._map(inner.pop("auth", None), (*below, "auth"))
        auth = {
            **self._moved_keys(self._rename(deep, KEY_ALIASES, (*below, "auth")), (*path, "auth"), (*below, "auth")),
            **self._map(entry.pop("auth", None), (*path, "auth")),
        }
        auth = self._rename(auth, KEY_ALIASES, (*path, "auth"))
        entry = {**self._moved_keys({key: item for key, item in inner.items() if key not in entry}, path, below), **entry}
        if "api_key" in auth:
            key = auth.pop("api_key")
            if "api_key" not in entry:
                entry["api_key"] = key
                self._problems.record_move((*path, "api_key"), (*path, "auth", "api_key"))
        if auth:
            entry["auth"] = auth
        if "connection_pool" in entry:
            source_map = (*path, "connection_pool")
            entry["connection_pool"] = self._rename(self._map(entry["connection_pool"], source_map), QUEUE_ALIASES, source_map)
        return entry

    # -- models -----------------------------------------------------------------------------------------------------

    def models(self, value: Any) -> dict[str, dict[str, Any]]:
        """Return model entries by ID. A list of entries is keyed by ``id`` or ``name``."""
        path: KeyPath = ("models",)
        if isinstance(value, list):
            keyed: dict[str, Any] = {}
            for place, item in enumerate(value):
                entry = self._map(item, (*path, place))
                key = entry.pop("id", None) or entry.pop("name", None)
                self._add_keyed(keyed, key, entry, (*path, place), "an 'id'")
            value = keyed
        return {key: self._map(item, (*path, key)) for key, item in self._map(value, path).items()}

    # -- pools ------------------------------------------------------------------------------------------------------

    def pools(self, value: Any, default_rotation: Any) -> dict[str, dict[str, Any]]:
        """Return pool entries by name, with the keys of ``rotation`` and ``selection`` moved to the pool."""
        path: KeyPath = ("pools",)
        if isinstance(value, list):
            keyed: dict[str, Any] = {}
            for place, item in enumerate(value):
                entry = self._map(item, (*path, place))
                self._add_keyed(keyed, entry.pop("name", None), entry, (*path, place), "a 'name'")
            value = keyed
        found = {}
        for key, item in self._map(value, path).items():
            common = self._rotation(default_rotation, ("rotation",))
            found[key] = self._over(common, self._pool(item, (*path, key)), (*path, key), ("rotation",))
        return found

    def _pool(self, value: Any, path: KeyPath) -> dict[str, Any]:
        entry = self._rename(self._map(value, path), KEY_ALIASES | POOL_ALIASES, path)
        below = (*path, "rotation")
        rotation = self._rotation(entry.pop("rotation", None), below)
        return self._over(rotation, self._tuning(entry, path), path, below)

    def _over(self, base: dict[str, Any], entry: dict[str, Any], path: KeyPath, written: KeyPath) -> dict[str, Any]:
        """Return default keys overridden by a pool's own keys. Shared sections are merged key by key."""
        found = dict(entry)
        for key, value in base.items():
            if key not in entry:
                found[key] = value
                self._problems.record_move((*path, key), (*written, key))
            elif isinstance(value, Mapping) and isinstance(entry[key], Mapping):
                found[key] = {**value, **entry[key]}
                self._moved_keys([one for one in value if one not in entry[key]], (*path, key), (*written, key))
        return found

    def _rotation(self, value: Any, path: KeyPath) -> dict[str, Any]:
        if isinstance(value, str):
            self._problems.record_move((*path, "strategy"), path)
            return {"strategy": value}
        return self._tuning(self._rename(self._map(value, path), {"policy": "strategy"}, path), path)

    def _tuning(self, entry: dict[str, Any], path: KeyPath) -> dict[str, Any]:
        for name, aliases in SECTION_ALIASES.items():
            if name in entry:
                entry[name] = self._rename(self._map(entry[name], (*path, name)), aliases, (*path, name))
        if "selection" in entry:
            below = (*path, "selection")
            selection = self._map(entry["selection"], below)
            for key, name in (*((one, one) for one in SELECTION_KEYS), ("policy", "strategy")):
                if key in selection:
                    self._unless_given(entry, name, selection.pop(key), path, (*below, key))
            entry["selection"] = selection
        if callable(getattr(entry.get("strategy"), "select", None)):
            entry.setdefault("strategy_instance", entry.pop("strategy"))  # a live object in place of an ID
        return entry

    # -- secrets and observability ----------------------------------------------------------------------------------

    def secrets(self, value: Any) -> dict[str, Any]:
        """Return ``store``, ``instance`` and ``config``. The store's keys may also stand next to ``store``."""
        path: KeyPath = ("secrets",)
        entry = self._map({"store": value} if isinstance(value, str) else value, path)
        if "store" in entry and "connector" in entry and entry["store"] != entry["connector"]:
            self._problems.add((*path, "connector"), f"names another store than 'store' ({entry['store']!r}). Keep one")
        found: dict[str, Any] = {}
        for key in ("store", "connector"):
            store = entry.pop(key, None)
            if store is not None and "store" not in found:
                found["store"] = store
                self._problems.record_move((*path, "store"), (*path, key))
        if "instance" in entry:
            found["instance"] = entry.pop("instance")
        found["config"] = self._options(entry, path)
        return found

    def storage(self, value: Any) -> dict[str, Any]:
        """Return ``connector``, ``instance``, the sync keys, and ``config`` with all keys of the connector."""
        path: KeyPath = ("storage",)
        entry = self._map({"connector": value} if isinstance(value, str) else value, path)
        parts = {name: self._map(entry.pop(name, None), (*path, name)) for name in ("persistence", "locking")}
        persistence, locking = parts["persistence"], parts["locking"]
        found: dict[str, Any] = {key: entry.pop(key) for key in ("connector", "instance", "on_store_down") if key in entry}
        for key in ("sync_policy", "sync_interval"):
            if key in entry:
                found[key] = entry.pop(key)
                if persistence.pop(key, found[key]) != found[key]:
                    self._problems.add((*path, "persistence", key), f"conflicts with 'storage.{key}'. Keep one")
            elif persistence.get(key) is not None:
                found[key] = persistence.pop(key)
                self._problems.record_move((*path, key), (*path, "persistence", key))
            else:
                persistence.pop(key, None)
        if "enabled" in locking:
            found["locking"] = locking.pop("enabled")
            self._problems.record_move((*path, "locking"), (*path, "locking", "enabled"))
        block = str(found.get("connector") or "modelmesh.local-file.v1").split(".")
        named = (*path, block[1]) if len(block) > 1 else path
        keys = self._map(entry.pop(block[1]), named) if len(block) > 1 and block[1] in entry else {}
        found["config"] = self._options(entry, path, (named, keys))
        for name, known in (("persistence", PERSISTENCE_KEYS), ("locking", LOCKING_KEYS)):
            for key in parts[name]:
                if key not in known:
                    hint = did_you_mean(key, known)
                    self._problems.add((*path, name, key), f"unknown key {key!r}.{hint} Known here: {', '.join(sorted(known))}")
            if parts[name]:
                found["config"][name] = parts[name]
                self._problems.record_move((*path, "config", name), (*path, name))
        return found

    def discovery(self, value: Any) -> list[tuple[KeyPath, dict[str, Any]]]:
        """Return one entry for each connector with its path. ``sync`` and ``health`` alone go to the default connectors."""
        path: KeyPath = ("discovery",)
        if value is None:
            return []
        entry = self._map({"connector": value} if isinstance(value, str) else value, path)
        if "connector" in entry or "instance" in entry:
            return [(path, self._discovery_connector(entry, path))]
        if "connectors" not in entry:
            wanted = [name for name in DISCOVERY_CONNECTORS if name in entry] or list(DISCOVERY_CONNECTORS)
            own = {key: item for key, item in entry.items() if key not in DISCOVERY_CONNECTORS}
            return [
                (path, self._discovery_connector({"connector": DISCOVERY_CONNECTORS[name], name: entry.get(name), **own}, path))
                for name in wanted
            ]
        listed = entry.pop("connectors")
        for key in entry:
            self._problems.add((*path, key), f"{key!r} must stand in an entry of 'connectors', because that list exists")
        if not isinstance(listed, list):
            self._problems.add((*path, "connectors"), f"must be a list, not {kind_of(listed)}")
            return []
        rows: list[tuple[KeyPath, dict[str, Any]]] = []
        for place, item in enumerate(listed):
            below = (*path, "connectors", place)
            row = self._map({"connector": item} if isinstance(item, str) else item, below)
            if "connector" in row or "instance" in row:
                rows.append((below, self._discovery_connector(row, below)))
            else:
                self._problems.add(below, "requires a 'connector'")
        return rows

    def _discovery_connector(self, entry: dict[str, Any], path: KeyPath) -> dict[str, Any]:
        below = (*path, "config")
        config = self._map(entry.pop("config", None), below)
        for name in (*DISCOVERY_CONNECTORS, "instance"):
            if name in config:
                self._unless_given(entry, name, config.pop(name), path, (*below, name))
        instance = entry.pop("instance", None)
        found: dict[str, Any] = {
            "connector": entry.pop("connector", None) or str(getattr(instance, "id", "")),
            "instance": instance,
        }
        for name in [name for name in DISCOVERY_CONNECTORS if name in entry] or list(DISCOVERY_CONNECTORS):
            stated = entry.pop(name, None)
            part = {"enabled": stated} if isinstance(stated, bool) else self._map(stated, (*path, name))
            if part.get("providers") == "all":
                del part["providers"]
            found[name] = part
        return {**found, "config": self._options({**entry, "config": config}, path)}
