"""One canonical spelling out of the many that documents use.

Everything here moves keys about; nothing is converted and nothing is judged, except a key that is given twice in two
spellings that disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh.config.locate import Path
from modelmesh.config.problems import Problems

QUEUE_ALIASES = {"timeout": "queue_wait"}
KEY_ALIASES = {
    "apiKey": "api_key",
    "baseUrl": "base_url",
    "baseURL": "base_url",
    "maxRetries": "max_retries",
    "strategyInstance": "strategy_instance",
}
POOL_ALIASES = {"hierarchy_node": "capability", "allowed_providers": "providers"}
TUNING = (
    "deactivation", "recovery", "retry", "selection", "model_priority", "provider_priority", "fallback_strategy",
    "balance_mode", "rate_limit", "provider_deactivation", "provider_recovery", "on_budget_exceeded", "budget", "timeouts",
)  # fmt: skip
SELECTION_KEYS = ("model_priority", "provider_priority", "fallback_strategy", "balance_mode", "rate_limit")
SECTION_ALIASES = {
    "deactivation": {"failure_threshold": "retry_limit"},
    "recovery": {"cooldown_seconds": "cooldown"},
}
OBSERVABILITY_ALIASES = {"redact_secrets": "redact"}
STATISTICS_KEYS = ("flush_interval", "retention", "scopes")
DISCOVERERS = {"sync": "modelmesh.registry-sync.v1", "health": "modelmesh.health-monitor.v1"}
"""What discovery is for, and which connector does it where none is named."""
PARTS = ("routing", "events", "logging", "statistics", "tracing")


class Normalizer:
    """Rewrites one raw configuration section by section."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def _map(self, value: Any, path: Path) -> dict[str, Any]:
        if value is None:
            return {}
        if isinstance(value, Mapping):
            return {str(key): item for key, item in value.items()}
        self._problems.add(path, f"must be a map of keys, not {_kind(value)}")
        return {}

    def _rename(self, section: dict[str, Any], aliases: Mapping[str, str], path: Path) -> dict[str, Any]:
        for alias, name in aliases.items():
            if alias in section:
                value = section.pop(alias)
                if name in section and section[name] != value:
                    self._problems.add(
                        (*path, alias), f"says something else than {name!r}; they are two names of one key, keep one"
                    )
                section.setdefault(name, value)
        return section

    def _key(self, keyed: dict[str, Any], key: Any, entry: dict[str, Any], path: Path, needs: str) -> None:
        if not isinstance(key, str):
            self._problems.add(path, f"needs {needs}")
        elif key in keyed:
            self._problems.add(path, f"{key!r} stands twice; remove one")
        else:
            keyed[key] = entry
            self._problems.listed((path[0], key), path)

    # -- providers --------------------------------------------------------------------------------------------------

    def providers(self, value: Any) -> dict[str, dict[str, Any]]:
        """Key to entry; a list of entries is keyed by ``name``, ``id`` or ``connector``."""
        path: Path = ("providers",)
        if isinstance(value, list):
            keyed: dict[str, Any] = {}
            for place, item in enumerate(value):
                entry = self._map(item, (*path, place))
                named, connector = entry.pop("name", None), entry.pop("id", None)
                key = named or connector or entry.get("connector")
                if named and connector:
                    entry.setdefault("connector", connector)
                if not isinstance(key, str):
                    self._problems.add((*path, place), "needs a 'connector' (or 'name', 'id')")
                elif key in keyed:
                    self._problems.add((*path, place), f"{key!r} stands twice; give each entry a 'name' of its own")
                else:
                    keyed[key] = entry
                    self._problems.listed((*path, key), (*path, place))
            value = keyed
        return {key: self._provider(item, (*path, key)) for key, item in self._map(value, path).items()}

    def _provider(self, value: Any, path: Path) -> dict[str, Any]:
        entry = self._rename(self._map(value, path), KEY_ALIASES, path)
        inner = self._rename(self._map(entry.pop("config", None), (*path, "config")), KEY_ALIASES, (*path, "config"))
        auth = {
            **self._map(inner.pop("auth", None), (*path, "config", "auth")),
            **self._map(entry.pop("auth", None), (*path, "auth")),
        }
        auth = self._rename(auth, KEY_ALIASES, (*path, "auth"))
        entry = {**inner, **entry}
        if "api_key" in auth:
            entry.setdefault("api_key", auth.pop("api_key"))
        if auth:
            entry["auth"] = auth
        if "connection_pool" in entry:
            places = (*path, "connection_pool")
            entry["connection_pool"] = self._rename(self._map(entry["connection_pool"], places), QUEUE_ALIASES, places)
        return entry

    # -- models -----------------------------------------------------------------------------------------------------

    def models(self, value: Any) -> dict[str, dict[str, Any]]:
        """ID to entry; a list of entries is keyed by ``id`` or ``name``."""
        path: Path = ("models",)
        if isinstance(value, list):
            keyed: dict[str, Any] = {}
            for place, item in enumerate(value):
                entry = self._map(item, (*path, place))
                key = entry.pop("id", None) or entry.pop("name", None)
                self._key(keyed, key, entry, (*path, place), "an 'id'")
            value = keyed
        return {key: self._map(item, (*path, key)) for key, item in self._map(value, path).items()}

    # -- pools ------------------------------------------------------------------------------------------------------

    def pools(self, value: Any, default_rotation: Any) -> dict[str, dict[str, Any]]:
        """Name to entry, the tuning of ``rotation`` and ``selection`` brought up to the pool."""
        path: Path = ("pools",)
        if isinstance(value, list):
            keyed: dict[str, Any] = {}
            for place, item in enumerate(value):
                entry = self._map(item, (*path, place))
                self._key(keyed, entry.pop("name", None), entry, (*path, place), "a 'name'")
            value = keyed
        common = self._rotation(default_rotation, ("rotation",))
        return {key: _over(common, self._pool(item, (*path, key))) for key, item in self._map(value, path).items()}

    def _pool(self, value: Any, path: Path) -> dict[str, Any]:
        entry = self._rename(self._map(value, path), KEY_ALIASES | POOL_ALIASES, path)
        rotation = self._rotation(entry.pop("rotation", None), (*path, "rotation"))
        return _over(rotation, self._tuning(entry, path))

    def _rotation(self, value: Any, path: Path) -> dict[str, Any]:
        if isinstance(value, str):
            return {"strategy": value}
        return self._tuning(self._rename(self._map(value, path), {"policy": "strategy"}, path), path)

    def _tuning(self, entry: dict[str, Any], path: Path) -> dict[str, Any]:
        for name, aliases in SECTION_ALIASES.items():
            if name in entry:
                entry[name] = self._rename(self._map(entry[name], (*path, name)), aliases, (*path, name))
        if "selection" in entry:
            selection = self._map(entry["selection"], (*path, "selection"))
            for key in SELECTION_KEYS:
                if key in selection:
                    entry.setdefault(key, selection.pop(key))
            if "policy" in selection:
                entry.setdefault("strategy", selection.pop("policy"))
            entry["selection"] = selection
        if callable(getattr(entry.get("strategy"), "select", None)):
            entry.setdefault("strategy_instance", entry.pop("strategy"))  # a live object where an ID may stand
        return entry

    # -- secrets and observability ----------------------------------------------------------------------------------

    def secrets(self, value: Any) -> dict[str, Any]:
        """``store``, ``instance`` and ``config``; the store's keys may also stand beside them."""
        path: Path = ("secrets",)
        entry = self._map(value, path)
        if "store" in entry and "connector" in entry and entry["store"] != entry["connector"]:
            self._problems.add((*path, "connector"), f"names another store than 'store' ({entry['store']!r}); keep one")
        store = entry.pop("store", None) or entry.pop("connector", None)
        entry.pop("connector", None)
        found: dict[str, Any] = {"config": {}}
        if store is not None:
            found["store"] = store
        if "instance" in entry:
            found["instance"] = entry.pop("instance")
        config = self._map(entry.pop("config", None), (*path, "config"))
        found["config"] = {**config, **entry}
        return found

    def storage(self, value: Any) -> dict[str, Any]:
        """``connector``, ``instance``, when to sync, and ``config``: the connector's keys, wherever they stood."""
        path: Path = ("storage",)
        entry = self._map({"connector": value} if isinstance(value, str) else value, path)
        persistence = self._map(entry.pop("persistence", None), (*path, "persistence"))
        locking = self._map(entry.pop("locking", None), (*path, "locking"))
        found: dict[str, Any] = {key: entry.pop(key) for key in ("connector", "instance") if key in entry}
        for key in ("sync_policy", "sync_interval"):
            stated = persistence.pop(key, None)
            if key in entry or stated is not None:
                found[key] = entry.pop(key, stated)
        if "enabled" in locking:
            found["locking"] = locking.pop("enabled")
        block = str(found.get("connector") or "modelmesh.local-file.v1").split(".")
        named = self._map(entry.pop(block[1], None), (*path, block[1])) if len(block) > 1 and block[1] in entry else {}
        config = self._map(entry.pop("config", None), (*path, "config"))
        found["config"] = {**named, **config, **entry}
        if persistence:
            found["config"]["persistence"] = persistence
        if locking:
            found["config"]["locking"] = locking
        return found

    def discovery(self, value: Any) -> list[tuple[Path, dict[str, Any]]]:
        """One entry for each connector and where it stands; ``sync`` and ``health`` alone go to those of the mesh."""
        path: Path = ("discovery",)
        if value is None:
            return []
        entry = self._map({"connector": value} if isinstance(value, str) else value, path)
        if "connector" in entry or "instance" in entry:
            return [(path, self._discoverer(entry, path))]
        if "connectors" not in entry:
            config = self._map(entry.pop("config", None), (*path, "config"))
            wanted = [name for name in DISCOVERERS if name in entry] or list(DISCOVERERS)
            own = {key: item for key, item in entry.items() if key not in DISCOVERERS}
            return [
                (path, self._discoverer({"connector": DISCOVERERS[name], name: entry.get(name), **config, **own}, path))
                for name in wanted
            ]
        listed = entry.pop("connectors")
        for key in entry:
            self._problems.add((*path, key), f"{key!r} must stand in an entry of 'connectors', as there is such a list")
        if not isinstance(listed, list):
            self._problems.add((*path, "connectors"), f"must be a list, not {_kind(listed)}")
            return []
        rows: list[tuple[Path, dict[str, Any]]] = []
        for place, item in enumerate(listed):
            below = (*path, "connectors", place)
            row = self._map({"connector": item} if isinstance(item, str) else item, below)
            if "connector" in row or "instance" in row:
                rows.append((below, self._discoverer(row, below)))
            else:
                self._problems.add(below, "needs a 'connector'")
        return rows

    def _discoverer(self, entry: dict[str, Any], path: Path) -> dict[str, Any]:
        config = self._map(entry.pop("config", None), (*path, "config"))
        entry = {**config, **entry}
        instance = entry.pop("instance", None)
        found: dict[str, Any] = {
            "connector": entry.pop("connector", None) or str(getattr(instance, "id", "")),
            "instance": instance,
        }
        for name in [name for name in DISCOVERERS if name in entry] or list(DISCOVERERS):
            stated = entry.pop(name, None)
            part = {"enabled": stated} if isinstance(stated, bool) else self._map(stated, (*path, name))
            if part.get("providers") == "all":
                del part["providers"]
            found[name] = part
        return {**found, "config": entry}

    def statistics(self, value: Any) -> dict[str, Any]:
        """What of the sub-section is the mesh's own; the rest is the connector's."""
        part = value.get("statistics") if isinstance(value, Mapping) else None
        found = {key: part[key] for key in STATISTICS_KEYS if key in part} if isinstance(part, Mapping) else {}
        if found.get("scopes") == "all":
            del found["scopes"]
        return found

    def observability(self, value: Any) -> list[dict[str, Any]]:
        """One entry for each connector, with the roles it plays."""
        path: Path = ("observability",)
        if isinstance(value, str):
            value = {"connector": value}
        entry = self._map(value, path)
        if not entry:
            return []
        flat: dict[str, Any] = {key: entry.pop(key) for key in ("connector", "instance", "config") if key in entry}
        general = {key: entry.pop(key) for key in ("level", "max_payload_size") if key in entry}
        parts = {
            key: self._rename(self._map(_part(key, entry.pop(key)), (*path, key)), OBSERVABILITY_ALIASES, (*path, key))
            for key in PARTS
            if key in entry
        }
        if "events" in parts:
            told = self._rename(parts.pop("events"), {"filter": "events"}, (*path, "events"))
            parts["routing"] = {**told, **parts.get("routing", {})}
        blocks = {key: self._map(item, (*path, key)) for key, item in entry.items() if isinstance(item, Mapping)}
        loose = {key: item for key, item in entry.items() if key not in blocks}
        sinks: list[dict[str, Any]] = []
        for part in parts.values():  # a part with keys for the connector, and none of its own, has one like the flat one
            if "connector" in flat and "instance" not in flat and "connector" not in part and set(part) - _GENERAL_KEYS:
                part["connector"] = flat["connector"]
                part["config"] = {**self._map(flat.get("config"), (*path, "config")), **self._map(part.get("config"), path)}
        roles = [role for role in ("routing", "logging", "statistics", "tracing") if role != "statistics" or role in parts]
        unclaimed = [role for role in roles if "connector" not in parts.get(role, {})]
        shared: dict[str, Any] = {"roles": unclaimed, **_common(parts, unclaimed), **flat}
        if flat and unclaimed:
            sinks.append(shared)
        for role, part in parts.items():
            if "connector" in part:
                mine = (*_PART_KEYS, *STATISTICS_KEYS, "connector")
                own = {key: item for key, item in part.items() if key not in mine}
                kept = {key: part[key] for key in _PART_KEYS if key in part}
                config: dict[str, Any] = self._map(own.pop("config", None), (*path, role, "config"))
                config.update(own)
                sinks.append({"roles": [role], "connector": part["connector"], **kept, "config": config})
        for sink in sinks:
            sink.update({key: item for key, item in general.items() if key not in sink})
            segment = str(sink.get("connector") or "").split(".")
            block = blocks.get(segment[1], {}) if len(segment) > 1 else {}
            sink["config"] = {**loose, **block, **self._map(sink.get("config"), (*path, "config"))}
        return sinks


_PART_KEYS = ("level", "max_payload_size", "redact", "min_severity", "events")
_GENERAL_KEYS = {*_PART_KEYS, "include_metadata", "flush_interval", "retention", "scopes"}


def _part(name: str, value: Any) -> Any:
    """A sub-section; a list under ``events`` is the key of a sink, and not the sub-section of that name."""
    return {"filter": value} if name == "events" and isinstance(value, list | str) else value


def _over(base: dict[str, Any], entry: dict[str, Any]) -> dict[str, Any]:
    """Lay a pool's own keys over the common ones; in a section they share, key by key."""
    shared = {
        key: {**base[key], **entry[key]}
        for key in base.keys() & entry.keys()
        if isinstance(base[key], Mapping) and isinstance(entry[key], Mapping)
    }
    return {**base, **entry, **shared}


def _common(parts: Mapping[str, Mapping[str, Any]], roles: list[str]) -> dict[str, Any]:
    """What the sub-sections without a connector of their own say of the flat one."""
    found: dict[str, Any] = {}
    for role in roles:
        part = parts.get(role, {})
        found |= {key: part[key] for key in _PART_KEYS if key in part}
    return found


def _kind(value: Any) -> str:
    names = {list: "a list", str: "text", bool: "yes/no", int: "a number", float: "a number"}
    return names.get(type(value), type(value).__name__)
