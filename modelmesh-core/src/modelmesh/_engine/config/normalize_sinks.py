"""The section ``observability``: one entry for each connector, out of the forms that documents use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from modelmesh._engine.config.keys import KeyMover
from modelmesh._engine.config.source_map import KeyPath
from modelmesh._engine.foundation.ids import Kind
from modelmesh._engine.foundation.suggestions import did_you_mean
from modelmesh._engine.plugins.aliases import canonical_id

OBSERVABILITY_PARTS = ("routing", "events", "logging", "statistics", "tracing")
"""Sub-sections."""

ROLES = ("routing", "logging", "statistics", "tracing")
STATISTICS_KEYS = ("flush_interval", "retention", "scopes")
OBSERVABILITY_ALIASES = {"redact_secrets": "redact"}
_PART_KEYS = ("level", "max_payload_size", "redact", "min_severity", "events", "include_metadata")
_GENERAL = ("level", "max_payload_size", "redact")
_GENERAL_KEYS = {*_PART_KEYS, *STATISTICS_KEYS}


class SinkNormalizer(KeyMover):
    """Rewrites the section ``observability``."""

    def statistics(self, value: Any) -> dict[str, Any]:
        """What of the sub-section is the mesh's own; the rest is the connector's."""
        part = value.get("statistics") if isinstance(value, Mapping) else None
        found = {key: part[key] for key in STATISTICS_KEYS if key in part} if isinstance(part, Mapping) else {}
        if found.get("scopes") == "all":
            del found["scopes"]
        return found

    def observability(self, value: Any) -> list[tuple[KeyPath, dict[str, Any]]]:
        """One entry for each connector, with the roles it plays, and its canonical path."""
        path: KeyPath = ("observability",)
        entry = self._map({"connector": value} if isinstance(value, str) else value, path)
        if not entry:
            return []
        entry = self._rename(entry, OBSERVABILITY_ALIASES, path)
        flat: dict[str, Any] = {key: entry.pop(key) for key in ("connector", "instance", "config") if key in entry}
        general = {key: entry.pop(key) for key in _GENERAL if key in entry}
        parts = self._parts(entry, path)
        blocks = {key: self._map(item, (*path, key)) for key, item in entry.items() if isinstance(item, Mapping)}
        loose = {key: item for key, item in entry.items() if key not in blocks}
        roles = [role for role in ROLES if role != "statistics" or role in parts]
        own = [role for role, part in parts.items() if self._has_its_own(part, flat)]
        unclaimed = [role for role in roles if role not in own]
        rows: list[_Sink] = []
        if flat and unclaimed:
            said = [(parts[role].path, parts[role].keys) for role in unclaimed if role in parts]
            rows.append(_Sink(flat, unclaimed, (path, flat), [(path, general), *said]))
        for role in own:
            part = parts[role]
            stated = "connector" in part.keys
            below = (*path, "config")
            shared: list[tuple[KeyPath, Mapping[str, Any]]] = [] if stated else [(below, self._map(flat.get("config"), below))]
            rows.append(
                _Sink(
                    {**({} if stated else flat), **part.keys},
                    [role],
                    (part.path, part.keys),
                    [(path, general), (part.path, part.keys)],
                    shared,
                )
            )
        used = {name for row in rows for name in row.segment}
        found = [((*path, place), self._sink(row, (*path, place), loose, blocks)) for place, row in enumerate(rows)]
        self._unheard([part for role, part in parts.items() if role not in own], told=bool(flat))
        for key in (*(blocks.keys() - used), *(loose if not rows else ())):
            hint = did_you_mean(key, (*OBSERVABILITY_PARTS, *_GENERAL, *used))
            known = ", ".join((*OBSERVABILITY_PARTS, *_GENERAL, "connector", "config", "instance"))
            what = f"unknown key {key!r}.{hint} Known here: {known}, and the middle of a connector's ID"
            self._problems.add((*path, key), what)
        if "tracing" in parts and "min_severity" in parts["tracing"].keys:
            what = "'min_severity' is read but not acted on by this version of modelmesh-core: nothing is traced yet"
            self._problems.note((*path, "tracing", "min_severity"), what)
        return found

    def _parts(self, entry: dict[str, Any], path: KeyPath) -> dict[str, _Part]:
        parts = {}
        for key in OBSERVABILITY_PARTS:
            if key in entry:
                below = (*path, key)
                keys = self._map(_part(key, entry.pop(key)), below)
                parts[key] = _Part(below, self._rename(keys, OBSERVABILITY_ALIASES, below))
        if "events" in parts:
            events = parts.pop("events")
            routing = parts.setdefault("routing", _Part((*path, "routing"), {}))
            for key, item in self._rename(events.keys, {"filter": "events"}, events.path).items():
                self._unless_given(routing.keys, key, item, routing.path, (*events.path, key))
        return parts

    @staticmethod
    def _has_its_own(part: _Part, flat: Mapping[str, Any]) -> bool:
        """Whether a part has a connector, or keys for one like the flat one."""
        return "connector" in part.keys or (
            "connector" in flat and "instance" not in flat and bool(set(part.keys) - _GENERAL_KEYS)
        )

    def _sink(
        self, row: _Sink, path: KeyPath, loose: Mapping[str, Any], blocks: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, Any]:
        top: KeyPath = ("observability",)
        written, _ = row.stated
        self._problems.record_move(path, written)
        found: dict[str, Any] = {"roles": row.roles}
        for key in ("connector", "instance"):
            if key in row.said:
                found[key] = row.said[key]
                self._problems.record_move((*path, key), (*(written if key in row.stated[1] else top), key))
        for at, keys in row.general:
            for key in _PART_KEYS:
                if key in keys:
                    found[key] = keys[key]
                    self._problems.record_move((*path, key), (*at, key))
        own = {key: item for key, item in row.stated[1].items() if key not in (*_GENERAL_KEYS, "connector", "instance")}
        config = self._map(own.pop("config", None), (*written, "config"))
        named = [((*top, name), blocks[name]) for name in row.segment if name in blocks]
        options: dict[str, Any] = {}
        for at, keys in ((top, loose), *named, *row.shared, ((*written, "config"), config), (written, own)):
            options.update(self._lifted(keys, (*path, "config"), at))
        return {**found, "config": options}

    def _unheard(self, parts: list[_Part], *, told: bool) -> None:
        """Check the sub-sections without a connector of their own; ``told`` when another connector takes their part."""
        for part in parts:
            for key in part.keys:
                if key not in _GENERAL_KEYS:
                    known = ", ".join(sorted(_GENERAL_KEYS | {"connector"}))
                    hint = did_you_mean(key, (*_GENERAL_KEYS, "connector"))
                    what = f"unknown key {key!r}, and no connector here reads it.{hint} Known here: {known}"
                    self._problems.add((*part.path, key), what)
                elif not told and key in _PART_KEYS:
                    self._problems.note((*part.path, key), f"changes nothing, for {part.path[-1]!r} has no 'connector'; add one")


@frozen
class _Part:
    """A sub-section of ``observability``."""

    path: KeyPath
    keys: dict[str, Any]


@frozen
class _Sink:
    """The settings of one connector, and their path."""

    said: Mapping[str, Any]
    roles: list[str]
    stated: tuple[KeyPath, Mapping[str, Any]]
    general: list[tuple[KeyPath, Mapping[str, Any]]]
    shared: list[tuple[KeyPath, Mapping[str, Any]]] = field(factory=list)

    @property
    def segment(self) -> tuple[str, ...]:
        """The middle of the connector's ID, which may name a block of its keys."""
        connector = str(self.said.get("connector") or getattr(self.said.get("instance"), "id", ""))
        names = (connector, canonical_id(connector, Kind.OBSERVABILITY))
        return tuple(dict.fromkeys(name.split(".")[1] for name in names if name.count(".")))


def _part(name: str, value: Any) -> Any:
    """A sub-section; a list under ``events`` is the key of a sink, and not the sub-section of that name."""
    return {"filter": value} if name == "events" and isinstance(value, list | str) else value
