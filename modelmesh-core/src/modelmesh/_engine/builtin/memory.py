"""In-memory storage, which lasts as long as the process.

cachetools is not used: a counter needs its own expiry and an atomic addition, which its caches do not have.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from copy import deepcopy
from threading import Condition
from typing import Any

from attrs import evolve

from modelmesh._engine.foundation.units import parse_duration
from modelmesh.contracts.storage import EntryMetadata, LockHandle, StorageEntry, conflict_error, lock_timeout_error, validated_key


class MemoryStorage:
    """Storage in a dictionary that threads may share, with locks and counters of this object only."""

    id = "modelmesh.memory.v1"

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        locking = (config or {}).get("locking") or {}
        self._timeout = parse_duration(locking.get("timeout", 30.0))
        self._changed = Condition()
        self._entries: dict[str, tuple[StorageEntry, float]] = {}
        self._locks: dict[str, tuple[LockHandle, float]] = {}
        self._counters: dict[str, tuple[int, float | None]] = {}

    @classmethod
    def known_settings(cls) -> frozenset[str]:
        """Return the settings that this store reads."""
        return frozenset({"locking"})

    # -- entries ----------------------------------------------------------------------------------------------------

    def load(self, key: str) -> StorageEntry | None:
        """Return an entry, or ``None``."""
        with self._changed:
            found = self._entries.get(validated_key(key))
        return evolve(found[0], metadata=deepcopy(found[0].metadata)) if found else None

    def save(self, key: str, entry: StorageEntry) -> None:
        """Store an entry, replacing an earlier one."""
        stored = _stored(key, entry)
        with self._changed:
            self._entries[key] = (stored, time.time())

    def save_if(self, key: str, entry: StorageEntry, version: str | None) -> str:
        """Replace the version that was read, and return the new version.

        Raises:
            StorageConflictError: The stored version is another one.
        """
        stored = _stored(key, entry)
        with self._changed:
            found = self._entries.get(key)
            if version != (found[0].version if found else None):
                raise conflict_error(self.id, key)
            self._entries[key] = (stored, time.time())
        assert stored.version is not None
        return stored.version

    def list(self, prefix: str | None = None) -> list[str]:
        """Return the sorted keys, optionally only those that begin with ``prefix``."""
        with self._changed:
            return sorted(key for key in self._entries if key.startswith(prefix or ""))

    def delete(self, key: str) -> bool:
        """Remove an entry. Returns ``False`` if there was none."""
        with self._changed:
            return self._entries.pop(validated_key(key), None) is not None

    def stat(self, key: str) -> EntryMetadata | None:
        """Return the metadata of an entry, or ``None``."""
        with self._changed:
            found = self._entries.get(validated_key(key))
        if found is None:
            return None
        entry, when = found
        return EntryMetadata(key, len(entry.data), when, entry.metadata.get("content_type"), entry.version)

    def exists(self, key: str) -> bool:
        """Return whether there is an entry."""
        with self._changed:
            return validated_key(key) in self._entries

    # -- locks ------------------------------------------------------------------------------------------------------

    def acquire(self, key: str, timeout: float | None = None, *, expires_s: float | None = None) -> LockHandle:
        """Wait for a lock and take it.

        Raises:
            StorageLockError: Another holder stored the lock until the timeout.
        """
        validated_key(key)
        seconds = self._timeout if timeout is None else timeout
        lifetime = self._timeout if expires_s is None else expires_s
        until = time.monotonic() + seconds
        with self._changed:
            while (free_in := self._free_in(key)) > 0:
                left = until - time.monotonic()
                if left <= 0:
                    raise lock_timeout_error(self.id, key, seconds)
                self._changed.wait(min(left, free_in))
            now = time.time()
            handle = LockHandle(key, uuid.uuid4().hex, now, now + lifetime)
            self._locks[key] = (handle, time.monotonic() + lifetime)
        return handle

    def release(self, lock: LockHandle) -> bool:
        """Release a lock. Returns ``False`` if it had expired."""
        with self._changed:
            current = self._locks.get(lock.key)
            if current is None or current[0].lock_id != lock.lock_id:
                return False
            in_time = self._free_in(lock.key) > 0
            del self._locks[lock.key]
            self._changed.notify_all()
            return in_time

    def is_locked(self, key: str) -> bool:
        """Return whether a key is locked now."""
        with self._changed:
            return self._free_in(validated_key(key)) > 0

    def _free_in(self, key: str) -> float:
        current = self._locks.get(key)
        return current[1] - time.monotonic() if current else 0.0

    # -- counters ---------------------------------------------------------------------------------------------------

    def increment(self, key: str, amount: int = 1, expires_s: float | None = None) -> int:
        """Add to a counter and return its new value."""
        validated_key(key)
        now = time.monotonic()
        with self._changed:
            value, until = self._counters.get(key, (0, None))
            if until is not None and now >= until:
                del self._counters[key]
                value, until = 0, None
            if amount == 0:
                return value
            if key not in self._counters:  # counters of a minute accumulate, so expired ones are removed
                over = [one for one, (_, ends) in self._counters.items() if ends is not None and now >= ends]
                for one in over:
                    del self._counters[one]
                until = None if expires_s is None else now + expires_s
            self._counters[key] = (value + amount, until)
            return value + amount

    def increment_many(self, additions: Mapping[str, tuple[int, float | None]]) -> dict[str, int]:
        """Add to several counters in one step and return their new values."""
        for key in additions:
            validated_key(key)
        with self._changed:
            return {key: self.increment(key, amount, expires_s) for key, (amount, expires_s) in additions.items()}

    def after_fork(self) -> None:
        """Replace the lock in a child process."""
        self._changed = Condition()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id}>"


def _stored(key: str, entry: StorageEntry) -> StorageEntry:
    return evolve(entry, key=validated_key(key), metadata=deepcopy(dict(entry.metadata)), version=uuid.uuid4().hex)
