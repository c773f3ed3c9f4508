"""Catalogue of installed plugins, read from the metadata of distributions without an import."""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from modelmesh._engine.foundation.ids import Kind
from modelmesh._engine.foundation.suggestions import MIN_SIMILARITY_OF_FREE_NAMES, most_similar
from modelmesh.errors import DuplicateConnectorError

if TYPE_CHECKING:
    from importlib_metadata import Distribution, EntryPoint

AUTODETECT = "modelmesh.autodetect"
EMBEDDED = "modelmesh.embedded"
PLUGINS = "modelmesh.plugins"
COMMANDS = "modelmesh.commands"


@frozen
class PluginEntry:
    """One entry point of a plugin.

    Attributes:
        name: Name of the entry point: an ID, a variable, or the name of a plugin.
        kind: Kind of the connector, ``None`` for the other groups.
        value: ``module:Class``.
        point: The entry point, which loads the object.
    """

    name: str
    kind: Kind | None
    value: str
    point: EntryPoint

    @cached_property
    def owner(self) -> tuple[str, str]:
        """Name and version of the distribution. An unknown version is empty.

        Only messages need them. Reading them parses the whole METADATA file, which would be most of the cost of a scan.
        """
        metadata = self.point.dist.metadata if self.point.dist else None
        known = {key: metadata[key] for key in ("Name", "Version") if key in metadata} if metadata else {}
        return known.get("Name", "an unknown distribution"), known.get("Version", "")

    @property
    def distribution(self) -> str:
        """Name and version of the distribution, as text."""
        return " ".join(self.owner).rstrip()

    @property
    def module(self) -> str:
        """Module that the entry point imports."""
        return self.point.module


class Catalog:
    """Registered plugins by kind and ID."""

    def __init__(self, points: Iterable[EntryPoint]) -> None:
        kinds = {kind.group: kind for kind in Kind}
        self._connectors: dict[Kind, dict[str, list[PluginEntry]]] = {kind: {} for kind in Kind}
        self._others: dict[str, list[PluginEntry]] = {AUTODETECT: [], EMBEDDED: [], PLUGINS: [], COMMANDS: []}
        self._foreign: list[PluginEntry] = []
        for point in points:
            if point.group in kinds:
                kind = kinds[point.group]
                self._connectors[kind].setdefault(point.name, []).append(PluginEntry(point.name, kind, point.value, point))
            elif point.group in self._others:
                self._others[point.group].append(PluginEntry(point.name, None, point.value, point))
            else:
                self._foreign.append(PluginEntry(point.name, None, point.value, point))

    @classmethod
    def scan(cls) -> Catalog:
        """Return the catalogue of the plugins that are installed now.

        One scan reads every group. The result is cached until an entry of ``sys.path`` changes, because an installation
        writes a folder into one of them. It is not cached right after a change: an installation may still be running, and a
        second change within the resolution of the time stamp would be missed.
        """
        global _scanned  # noqa: PLW0603 - a cache for the process
        state = _path_state()
        if _scanned is not None and _scanned[0] == state:
            return _scanned[1]
        catalog = cls(read_entry_points())
        settled = time.time_ns() - _SETTLED_NS
        _scanned = (state, catalog) if all(changed < settled for _, changed in state) else None
        return catalog

    def find(self, kind: Kind, connector_id: str) -> PluginEntry | None:
        """Return the entry point of an ID.

        Raises:
            DuplicateConnectorError: More than one distribution provides the ID. The message names them.
        """
        several = _distinct(self._connectors[kind].get(connector_id, []))
        if len(several) > 1:
            owners = " and ".join(sorted(found.distribution for found in several))
            message = (
                f"two distributions provide the {kind.label} connector {connector_id!r}: {owners}. "
                f"Uninstall one: pip uninstall {several[-1].owner[0]}"
            )
            raise DuplicateConnectorError(message, connector_id=connector_id, distribution=owners)
        return several[0] if several else None

    def has(self, kind: Kind, connector_id: str) -> bool:
        """Return whether a distribution provides an ID of this kind."""
        return connector_id in self._connectors[kind]

    def of_kind(self, kind: Kind) -> list[PluginEntry]:
        """Return the connectors of a kind."""
        return [one for several in self._connectors[kind].values() for one in several]

    def ids(self, kind: Kind) -> list[str]:
        """Return the IDs of a kind, sorted."""
        return sorted(self._connectors[kind])

    def all(self) -> Iterator[PluginEntry]:
        """Yield every connector by kind and ID, including duplicates of an ID."""
        for kind in Kind:
            for connector_id in self.ids(kind):
                yield from self._connectors[kind][connector_id]

    def variables(self) -> list[PluginEntry]:
        """Return the environment variables that detect a provider."""
        return self._others[AUTODETECT]

    def embedded(self) -> list[PluginEntry]:
        """Return the providers that need no key. They are used if no other is found."""
        return self._others[EMBEDDED]

    def plugins(self, group: str = PLUGINS) -> list[PluginEntry]:
        """Return the hook modules of every mesh, or with :data:`COMMANDS` those of the command line."""
        return self._others[group]

    def near_miss_groups(self) -> list[tuple[PluginEntry, str]]:
        """Return entry points in a misspelt group, each with the intended group."""
        groups = [*(kind.group for kind in Kind), *self._others]
        names = {one.point.group for one in self._foreign}
        meant = {name: most_similar(_plain(name), groups, MIN_SIMILARITY_OF_FREE_NAMES) for name in names}
        return [(one, group) for one in self._foreign if (group := meant[one.point.group]) is not None]

    def orphan_variables(self) -> list[PluginEntry]:
        """Return variables with an entry point that names no registered provider connector."""
        return [one for one in self._others[AUTODETECT] if self.provider_at(one.value) is None]

    def provider_at(self, value: str) -> PluginEntry | None:
        """Return the provider connector that an autodetection entry names by ``module:Class``."""
        for several in self._connectors[Kind.PROVIDER].values():
            for found in several:
                if found.value.replace(" ", "") == value.replace(" ", ""):
                    return found
        return None


_NAME_SEPARATORS = re.compile(r"[-_.]+")
"""Separators of distribution names (PEP 503). The package packaging would be a dependency for this one expression."""

_log = logging.getLogger("modelmesh.plugins")

_SETTLED_NS = 2_000_000_000
"""Age of the last change of ``sys.path`` entries from which a scan may be cached."""

_scanned: tuple[tuple[tuple[object, int], ...], Catalog] | None = None


def _path_state() -> tuple[tuple[object, int], ...]:
    """Return the finders, and each entry of ``sys.path`` with the time of its last change."""
    return (*((finder, 0) for finder in sys.meta_path), *((entry, _changed_at(entry)) for entry in sys.path))


def _changed_at(entry: str) -> int:
    try:
        return os.stat(entry or ".").st_mtime_ns  # noqa: PTH116 - a fifth of the time of Path.stat
    except (OSError, ValueError):
        return 0


def _plain(group: str) -> str:
    """Return a group name with normalized separators and case."""
    return group.lower().replace("-", "_").replace("model_mesh", "modelmesh").replace("modelmesh_", "modelmesh.")


def _distinct(several: list[PluginEntry]) -> list[PluginEntry]:
    """Remove duplicates of one distribution on the path, e.g. an editable install and a wheel."""
    if len(several) < 2:  # noqa: PLR2004 - the usual case, without reading the distribution
        return several
    return list({_NAME_SEPARATORS.sub("-", found.owner[0]).lower(): found for found in reversed(several)}.values())[::-1]


def read_entry_points() -> Iterator[EntryPoint]:
    """Yield the entry points of every installed distribution in groups that may be ours.

    If a distribution is on the path twice, the first one counts. An unreadable list is skipped and logged.
    ``importlib_metadata.entry_points()`` is not used: it parses the list of every distribution, and one damaged list makes it
    raise without the name of its distribution.
    """
    import importlib_metadata  # noqa: PLC0415 - must not slow 'import modelmesh'

    seen: set[str] = set()
    present = [entry for entry in sys.path if os.path.exists(entry or ".")]  # noqa: PTH110 - an absent one imports zipfile
    for distribution in importlib_metadata.distributions(path=present):
        place = getattr(distribution, "_path", None)
        try:
            name = distribution.name if place is None else place.name.partition("-")[0].lower()
            points = distribution.entry_points if name not in seen and _may_have_ours(distribution, place) else ()
        except Exception as error:  # noqa: BLE001 - the parser raises TypeError and others
            why = f"{type(error).__name__}: {error}"
            _log.warning("skipped the entry points of %s, which cannot be read: %s. Reinstall it", place or "a distribution", why)
            continue
        seen.add(name)
        yield from (point for point in points if _is_near(point.group))


def _may_have_ours(distribution: Distribution, place: Path | None) -> bool:
    """Return whether the list of a distribution mentions us. Parsing all lists would take most of a scan."""
    if not isinstance(place, Path):
        return _is_near(distribution.read_text("entry_points.txt") or "")
    try:
        with open(f"{place}/entry_points.txt", "rb", buffering=0) as file:  # noqa: PTH123 - much faster than Path.read_bytes
            text = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return b"mesh" in text or b"model" in text


def _is_near(group: str) -> bool:
    return "mesh" in group or "model" in group
