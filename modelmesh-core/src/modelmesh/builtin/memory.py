"""Storage that lasts as long as the process."""

from __future__ import annotations

import time
from collections.abc import Mapping
from threading import Lock
from typing import Any

from modelmesh.contracts.storage import EntryMetadata, StorageEntry


class MemoryStorage:
    """A dictionary that threads may share."""

    id = "modelmesh.memory.v1"

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        self._lock = Lock()
        self._entries: dict[str, tuple[StorageEntry, float]] = {}

    def load(self, key: str) -> StorageEntry | None:
        """Return an entry, ``None`` when there is none."""
        with self._lock:
            found = self._entries.get(key)
        return found[0] if found else None

    def save(self, key: str, entry: StorageEntry) -> None:
        """Store an entry in place of any before it."""
        with self._lock:
            self._entries[key] = (entry, time.time())

    def list(self, prefix: str | None = None) -> list[str]:
        """Return the keys, sorted; only those that begin with ``prefix`` when one is given."""
        with self._lock:
            return sorted(key for key in self._entries if key.startswith(prefix or ""))

    def delete(self, key: str) -> bool:
        """Remove an entry; ``False`` when there was none."""
        with self._lock:
            return self._entries.pop(key, None) is not None

    def stat(self, key: str) -> EntryMetadata | None:
        """Describe an entry, ``None`` when there is none."""
        with self._lock:
            found = self._entries.get(key)
        if found is None:
            return None
        entry, when = found
        return EntryMetadata(key, len(entry.data), when, "application/octet-stream")

    def exists(self, key: str) -> bool:
        """Whether there is an entry."""
        with self._lock:
            return key in self._entries
