"""Canonical form of the section ``observability``: one entry for each connector."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from modelmesh._engine.config.keys import KeyMover
from modelmesh._engine.config.source_map import KeyPath
from modelmesh._engine.foundation.ids import Kind
from modelmesh._engine.foundation.suggestions import did_you_mean
from modelmesh._engine.plugins.aliases import canonical_id

OBSERVABILITY_PARTS = ("routing", "events", "logging", "statistics", "tracing")
"""Names of the sub-sections."""

ROLES = ("routing", "logging", "statistics", "tracing")
STATISTICS_KEYS = ("flush_interval", "retention", "scopes")
OBSERVABILITY_ALIASES = {"redact_secrets": "redact"}
_PART_KEYS = ("level", "max_payload_size", "redact", "min_severity", "events", "include_metadata")
_GENERAL = ("level", "max_payload_size", "redact")
_GENERAL_KEYS = {*_PART_KEYS, *STATISTICS_KEYS}
_TOP: KeyPath = ("observability",)


class SinkNormalizer(KeyMover):
    """Rewrites the section ``observability``."""

    def statistics(self, value: Any) -> dict[str, Any]:
        """Return the keys of the sub-section that the mesh reads. The other keys belong to the connector."""
        part = value.get("statistics") if isinstance(value, Mapping) else None
        found = {key: part[key] for key in STATISTICS_KEYS if key in part} if isinstance(part, Mapping) else {}
        if found.get("scopes") == "all":
            del found["scopes"]
        return found

    def observability(self, value: Any) -> list[tuple[KeyPath, dict[str, Any]]]:
        """Return one entry for each connector with its roles, and the canonical path of the entry."""
        entry = self._map({"connector": value} if isinstance(value, str) else value, _TOP)
        if not entry:
            return []
        entry = self._rename(entry, OBSERVABILITY_ALIASES, _TOP)
        common: dict[str, Any] = {key: entry.pop(key) for key in ("connector", "instance", "config") if key in entry}
        defaults: dict[str, Any] = {key: entry.pop(key) for key in _GENERAL if key in entry}
        parts = self._parts(entry)
        blocks = {key: self._map(item, (*_TOP, key)) for key, item in entry.items() if isinstance(item, Mapping)}
        loose = {key: item for key, item in entry.items() if key not in blocks}
        own = [role for role, part in parts.items() if _has_own_connector(part, common)]
        sinks = self._common_sink(common, defaults, parts, own) + self._own_sinks(common, defaults, parts, own)
        found = [((*_TOP, place), self._sink(sink, (*_TOP, place), loose, blocks)) for place, sink in enumerate(sinks)]
        self._check_parts_without_connector([part for role, part in parts.items() if role not in own], covered=bool(common))
        self._check_unknown(sinks, loose, blocks)
        self._note_tracing(parts)
        return found

    # -- sub-sections -----------------------------------------------------------------------------------------------

    def _parts(self, entry: dict[str, Any]) -> dict[str, _Part]:
        """Remove the sub-sections from the entry and return them by role."""
        parts = {}
        for key in OBSERVABILITY_PARTS:
            if key in entry:
                path = (*_TOP, key)
                keys = self._map(_part_keys(key, entry.pop(key)), path)
                parts[key] = _Part(path, self._rename(keys, OBSERVABILITY_ALIASES, path))
        if "events" in parts:
            events = parts.pop("events")
            routing = parts.setdefault("routing", _Part((*_TOP, "routing"), {}))
            for key, item in self._rename(events.keys, {"filter": "events"}, events.path).items():
                self._unless_given(routing.keys, key, item, routing.path, (*events.path, key))
        return parts

    # -- sinks ------------------------------------------------------------------------------------------------------

    def _common_sink(
        self, common: Mapping[str, Any], defaults: Mapping[str, Any], parts: Mapping[str, _Part], own: Sequence[str]
    ) -> list[_Sink]:
        """Return the sink of the section's own connector: it plays every role that no sub-section gives away."""
        roles = [role for role in ROLES if role not in own and (role != "statistics" or role in parts)]
        if not common or not roles:
            return []
        stated = [(parts[role].path, parts[role].keys) for role in roles if role in parts]
        return [_Sink(source=common, roles=roles, stated=(_TOP, common), general=[(_TOP, defaults), *stated])]

    def _own_sinks(
        self, common: Mapping[str, Any], defaults: Mapping[str, Any], parts: Mapping[str, _Part], own: Sequence[str]
    ) -> list[_Sink]:
        """Return the sinks of the sub-sections that name a connector, or that have keys for one like the common one."""
        sinks = []
        for role in own:
            part = parts[role]
            names_connector = "connector" in part.keys
            config = (*_TOP, "config")
            sinks.append(
                _Sink(
                    source={**({} if names_connector else common), **part.keys},
                    roles=[role],
                    stated=(part.path, part.keys),
                    general=[(_TOP, defaults), (part.path, part.keys)],
                    shared=[] if names_connector else [(config, self._map(common.get("config"), config))],
                )
            )
        return sinks

    def _sink(
        self, sink: _Sink, path: KeyPath, loose: Mapping[str, Any], blocks: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, Any]:
        written, stated = sink.stated
        self._problems.record_move(path, written)
        found: dict[str, Any] = {"roles": sink.roles}
        for key in ("connector", "instance"):
            if key in sink.source:
                found[key] = sink.source[key]
                self._problems.record_move((*path, key), (*(written if key in stated else _TOP), key))
        for at, keys in sink.general:
            for key in _PART_KEYS:
                if key in keys:
                    found[key] = keys[key]
                    self._problems.record_move((*path, key), (*at, key))
        own = {key: item for key, item in stated.items() if key not in (*_GENERAL_KEYS, "connector", "instance")}
        config = self._map(own.pop("config", None), (*written, "config"))
        named = [((*_TOP, name), blocks[name]) for name in sink.block_names if name in blocks]
        options: dict[str, Any] = {}
        for at, keys in ((_TOP, loose), *named, *sink.shared, ((*written, "config"), config), (written, own)):
            options.update(self._moved_keys(keys, (*path, "config"), at))
        return {**found, "config": options}

    # -- checks -----------------------------------------------------------------------------------------------------

    def _check_unknown(self, sinks: Sequence[_Sink], loose: Mapping[str, Any], blocks: Mapping[str, Any]) -> None:
        used = {name for sink in sinks for name in sink.block_names}
        for key in (*(blocks.keys() - used), *(loose if not sinks else ())):
            hint = did_you_mean(key, (*OBSERVABILITY_PARTS, *_GENERAL, *used))
            known = ", ".join((*OBSERVABILITY_PARTS, *_GENERAL, "connector", "config", "instance"))
            what = f"unknown key {key!r}.{hint} Known here: {known}, and the middle of a connector's ID"
            self._problems.add((*_TOP, key), what)

    def _check_parts_without_connector(self, parts: Iterable[_Part], *, covered: bool) -> None:
        """Check the sub-sections without a connector of their own. ``covered`` when the common connector plays their role."""
        for part in parts:
            for key in part.keys:
                if key not in _GENERAL_KEYS:
                    known = ", ".join(sorted(_GENERAL_KEYS | {"connector"}))
                    hint = did_you_mean(key, (*_GENERAL_KEYS, "connector"))
                    what = f"unknown key {key!r}, and no connector here reads it.{hint} Known here: {known}"
                    self._problems.add((*part.path, key), what)
                elif not covered and key in _PART_KEYS:
                    self._problems.note((*part.path, key), f"has no effect: {part.path[-1]!r} has no 'connector'. Add one")

    def _note_tracing(self, parts: Mapping[str, _Part]) -> None:
        if "tracing" in parts and "min_severity" in parts["tracing"].keys:
            what = "'min_severity' is read but not acted on by this version of modelmesh-core: nothing is traced yet"
            self._problems.note((*_TOP, "tracing", "min_severity"), what)


@frozen
class _Part:
    """A sub-section of ``observability``."""

    path: KeyPath
    keys: dict[str, Any]


@frozen(kw_only=True)
class _Sink:
    """The settings of one connector, with their paths.

    Attributes:
        source: Keys among which ``connector`` and ``instance`` are.
        roles: Roles that the connector plays.
        stated: The connector's own keys and their path.
        general: Keys that every sink may have, each map with its path. Later maps win.
        shared: Settings from the common ``config``, each map with its path.
    """

    source: Mapping[str, Any]
    roles: list[str]
    stated: tuple[KeyPath, Mapping[str, Any]]
    general: list[tuple[KeyPath, Mapping[str, Any]]]
    shared: list[tuple[KeyPath, Mapping[str, Any]]] = field(factory=list)

    @property
    def block_names(self) -> tuple[str, ...]:
        """The middle of the connector's ID. A block of its settings may have that name."""
        connector = str(self.source.get("connector") or getattr(self.source.get("instance"), "id", ""))
        names = (connector, canonical_id(connector, Kind.OBSERVABILITY))
        return tuple(dict.fromkeys(name.split(".")[1] for name in names if name.count(".")))


def _has_own_connector(part: _Part, common: Mapping[str, Any]) -> bool:
    """Return whether a part names a connector, or has settings for one like the common one."""
    return "connector" in part.keys or (
        "connector" in common and "instance" not in common and bool(set(part.keys) - _GENERAL_KEYS)
    )


def _part_keys(name: str, value: Any) -> Any:
    """Return the keys of a sub-section. A list under ``events`` is the filter of a sink."""
    return {"filter": value} if name == "events" and isinstance(value, list | str) else value
