"""Moves of keys to their canonical paths, recorded in the source map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from modelmesh._engine.config.problems import Problems
from modelmesh._engine.config.source_map import KeyPath

Keys = TypeVar("Keys", Mapping[str, Any], list[str])


class KeyMover:
    """Moves keys of a raw configuration to their canonical paths."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def _map(self, value: Any, path: KeyPath) -> dict[str, Any]:
        if value is None:
            return {}
        if isinstance(value, Mapping):
            return {str(key): item for key, item in value.items()}
        self._problems.add(path, f"must be a map of keys, not {kind_of(value)}")
        return {}

    def _rename(self, section: dict[str, Any], aliases: Mapping[str, str], path: KeyPath) -> dict[str, Any]:
        for alias, name in aliases.items():
            if alias in section:
                value = section.pop(alias)
                if name in section and section[name] != value:
                    self._problems.add((*path, alias), f"conflicts with {name!r}, another name of the same key. Keep one")
                if name not in section:
                    section[name] = value
                    self._problems.record_move((*path, name), (*path, alias))
        return section

    def _moved_keys(self, keys: Keys, path: KeyPath, written: KeyPath) -> Keys:
        """Record in the source map that the keys moved from ``written`` to ``path``, and return the keys."""
        for key in keys:
            self._problems.record_move((*path, key), (*written, key))
        return keys

    def _unless_given(self, entry: dict[str, Any], name: str, value: Any, path: KeyPath, written: KeyPath) -> None:
        if name not in entry:
            entry[name] = value
            self._problems.record_move((*path, name), written)
        elif entry[name] != value:
            self._problems.add(written, f"conflicts with {name!r}, another name of the same key. Keep one")

    def _options(self, entry: dict[str, Any], path: KeyPath, *blocks: tuple[KeyPath, Mapping[str, Any]]) -> dict[str, Any]:
        """Collect the connector's settings from blocks, from ``config``, and from loose keys, which win."""
        config = self._map(entry.pop("config", None), (*path, "config"))
        found: dict[str, Any] = {}
        for written, keys in (*blocks, ((*path, "config"), config), (path, entry)):
            found.update(self._moved_keys(keys, (*path, "config"), written))
        return found


def kind_of(value: Any) -> str:
    """Return the name of a value's type for messages."""
    names = {list: "a list", str: "text", bool: "yes/no", int: "a number", float: "a number"}
    return names.get(type(value), type(value).__name__)
