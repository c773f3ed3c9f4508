"""Rows that processes share in one entry of a store. Of two rows with the same name, the later one counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Protocol, TypeAlias

from modelmesh.contracts.storage import BatchCounters, ConditionalSave, Storage, StorageEntry
from modelmesh.errors import StorageConflictError

Row: TypeAlias = dict[str, Any]
"""Plain data with two keys of its own: ``at``, when it was written, and ``until``, when it expires. Both in Unix seconds."""

TRIES: Final = 5
"""Attempts of a conditional save. A change that loses each of them is written with the next exchange."""


class SharedStore(Storage, ConditionalSave, BatchCounters, Protocol):
    """What sharing requires of a store."""


class SharedRows:
    """Rows in one entry, and a counter of its changes.

    Processes read the counters of all entries in one exchange, and load an entry only when its counter changed.

    Attributes:
        key: Key of the entry and of its counter.
    """

    def __init__(self, store: SharedStore, key: str) -> None:
        self.key = key
        self._store = store
        self._seen: int | None = None

    def has_changed(self, version: int) -> bool:
        """Return whether the counter differs from that of the rows that were last loaded."""
        return version != self._seen

    def exchange(self, changes: Mapping[str, Row], version: int, now: float) -> dict[str, Row]:
        """Write changed rows, and return the rows of all processes.

        Args:
            changes: The changed rows by name.
            version: The counter, read before this call.
            now: Unix seconds.

        Raises:
            StorageError: The store failed, or other processes were faster in each attempt.
        """
        for tries_left in reversed(range(TRIES)):
            entry = self._store.load(self.key)
            rows = _decoded(entry.data) if entry is not None else {}
            if not changes:
                self._seen = version
                return rows
            rows = {name: row for name, row in rows.items() if row["until"] > now}
            rows |= {name: row for name, row in changes.items() if name not in rows or rows[name]["at"] <= row["at"]}
            try:
                self._store.save_if(
                    self.key, StorageEntry(self.key, _encoded(rows)), entry.version if entry is not None else None
                )
            except StorageConflictError:
                if not tries_left:
                    raise
                continue
            counted = self._store.increment_many({self.key: (1, None)})[self.key]
            self._seen = counted if counted == version + 1 else None  # another process saved too: load its rows next time
            return rows
        raise AssertionError("unreachable")


def _encoded(rows: Mapping[str, Row]) -> bytes:
    return json.dumps(rows, separators=(",", ":")).encode()


def _decoded(data: bytes) -> dict[str, Row]:
    """Return stored rows. Rows of another form are dropped: a later version may have written them."""
    try:
        found = json.loads(data)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        name: row
        for name, row in found.items()
        if isinstance(row, dict) and isinstance(row.get("at"), int | float) and isinstance(row.get("until"), int | float)
    }
