"""A store whose backend can compare and set, and what follows from that: conditional saves, locks and counters."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from modelmesh.contracts.storage import LockHandle, StorageEntry, conflict_error, lock_timeout_error, validated_key
from modelmesh_cdk.storage.base import RESERVED, BaseStorage, raw_key
from modelmesh_cdk.storage.lock_owner import current_owner, has_exited

ABSENT = None
"""The tag of what is not there."""


class SharedStorage(BaseStorage):
    """Override :meth:`_swap` beside the four hooks, and processes can share the store.

    Locks and counters are blobs under raw keys of their own. A lock is a lease: it holds until it is released or its
    time is up, by the wall clocks of the machines that share the store, which should agree within a second. One whose
    process has ended, as far as can be seen from here, is free at once. A backend
    with counters or locks of its own overrides :meth:`increment`, or :meth:`acquire` and its two neighbours.
    """

    id: ClassVar[str] = "modelmesh.shared-storage.v1"

    def _swap(self, key: str, blob: bytes, tag: Any) -> bool:
        """Store a blob only if what is under the raw key still has the tag that :meth:`_tagged` gave. Override this.

        Args:
            key: The raw key.
            blob: What to store.
            tag: ``None``: there must be nothing. By default a tag is the old blob itself.

        Returns:
            ``False`` when it has another; then nothing was written. One step: nobody can come in between.
        """
        raise NotImplementedError

    def _tagged(self, key: str) -> tuple[bytes | None, Any]:
        """Return a blob and what :meth:`_swap` knows it by again; override it for an ETag or a revision number."""
        blob = self._read(key)
        return blob, blob

    # -- conditional saves ------------------------------------------------------------------------------------------

    def save_if(self, key: str, entry: StorageEntry, version: str | None) -> str:
        """Store an entry in place of the one that was read, and return its version.

        Raises:
            StorageConflictError: Another version is there.
            StorageError: The backend failed.
        """
        blob, new = self._blob(key, entry)
        old, tag = self._guarded(key, "read", self._tagged, raw_key(key))
        there = None if old is None else self._unpacked(key, old).entry.version
        if there != version or not self._guarded(key, "saved", self._swap, raw_key(key), blob, tag):
            raise conflict_error(self.id, key)
        return new

    # -- locks ------------------------------------------------------------------------------------------------------

    def acquire(self, key: str, timeout: float | None = None, *, expires_s: float | None = None) -> LockHandle:
        """Wait for a lock and take it.

        Raises:
            StorageLockError: Somebody else held it all the while.
            StorageError: The backend failed.
        """
        raw = _raw("lock", key)
        patience = self.config.lock_timeout if timeout is None else timeout
        lasting = self.config.lock_timeout if expires_s is None else expires_s
        until = time.monotonic() + patience
        while True:
            held, tag = self._record(raw, key)
            now = time.time()
            free_in = _left(held, now)
            if free_in <= 0:
                handle = LockHandle(key, uuid.uuid4().hex, now, now + lasting)
                facts = {"lock_id": handle.lock_id, "acquired_at": now, "expires_at": handle.expires_at, "owner": current_owner()}
                if self._guarded(key, "locked", self._swap, raw, _encoded(facts), tag):
                    return handle
                continue  # somebody was quicker: look again at once
            left = until - time.monotonic()
            if left <= 0:
                raise lock_timeout_error(self.id, key, patience)
            time.sleep(min(left, free_in, self.config.retry_interval))

    def release(self, lock: LockHandle) -> bool:
        """Give a lock back; ``False`` when it had expired.

        Raises:
            StorageError: The backend failed.
        """
        raw = _raw("lock", lock.key)
        held, tag = self._record(raw, lock.key)
        if held.get("lock_id") != lock.lock_id or held["expires_at"] <= time.time():
            return False
        free = _encoded({"lock_id": "", "expires_at": 0.0})  # not removed: that would need a conditional removal too
        return bool(self._guarded(lock.key, "unlocked", self._swap, raw, free, tag))

    def is_locked(self, key: str) -> bool:
        """Whether somebody holds a lock on a key now.

        Raises:
            StorageError: The backend failed.
        """
        held, _ = self._record(_raw("lock", key), key)
        return _left(held, time.time()) > 0

    # -- counters ---------------------------------------------------------------------------------------------------

    def increment(self, key: str, amount: int = 1, expires_s: float | None = None) -> int:
        """Add to a counter in one step and return what it comes to.

        Raises:
            StorageError: The backend failed.
        """
        raw = _raw("counter", key)
        while True:
            record, tag = self._record(raw, key)
            now = time.time()
            if record and record["expires_at"] is not None and record["expires_at"] <= now:
                record = {}
            value = int(record.get("value", 0)) + amount
            if amount == 0:
                return value
            until = record["expires_at"] if record else (None if expires_s is None else now + expires_s)
            blob = _encoded({"value": value, "expires_at": until})
            if self._guarded(key, "counted", self._swap, raw, blob, tag):
                return value

    def _record(self, raw: str, key: str) -> tuple[dict[str, Any], Any]:
        blob, tag = self._guarded(key, "read", self._tagged, raw)
        if blob is None:
            return {}, ABSENT
        try:
            return dict(json.loads(blob)), tag
        except ValueError:
            raise self._failed(key, "read", f"its lock or counter is no longer readable. {self.hint}") from None


def is_over(raw: str, blob: bytes) -> bool:
    """Whether a raw key holds a counter or a lock whose time is up; a store may remove it, and should now and then."""
    if not raw.startswith((f"{RESERVED}lock/", f"{RESERVED}counter/")):
        return False
    try:
        until = json.loads(blob)["expires_at"]
    except (ValueError, KeyError, TypeError):
        return False  # not ours to judge
    return until is not None and until <= time.time()


def _left(held: Mapping[str, Any], now: float) -> float:
    """Return for how long a lock holds, seconds; not at all once its holder is gone."""
    return 0.0 if has_exited(str(held.get("owner", ""))) else float(held.get("expires_at", 0.0)) - now


def _raw(what: str, key: str) -> str:
    return f"{RESERVED}{what}/{validated_key(key)}"


def _encoded(record: Mapping[str, Any]) -> bytes:
    # The mark keeps two records apart that say the same: a swap must not take a later one for the one it read.
    return json.dumps({**record, "mark": uuid.uuid4().hex}).encode()
