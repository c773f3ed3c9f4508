"""Base class of stores with compare-and-swap, which provides conditional saves, locks and counters."""

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
"""Tag of a raw key without a blob."""


class SharedStorage(BaseStorage):
    """Store that several processes can share. Override :meth:`_swap` and the four hooks of the base class.

    Locks and counters are blobs under separate raw keys. A lock is a lease: it holds until its release or its expiry, by the
    wall clocks of the machines that share the store, which should agree within a second. The lock of a local process that
    has ended is free at once. A backend with native counters overrides :meth:`increment`. One with native locks overrides
    :meth:`acquire`, :meth:`release` and :meth:`is_locked`.
    """

    id: ClassVar[str] = "modelmesh.shared-storage.v1"

    def _swap(self, key: str, blob: bytes, tag: Any) -> bool:
        """Store a blob only if the raw key still has the tag that :meth:`_tagged` returned. Override this.

        Args:
            key: The raw key.
            blob: The new blob.
            tag: Expected tag. ``None`` expects no blob. By default the tag is the old blob.

        Returns:
            ``False`` if the tag differs, and nothing was written. The operation must be atomic.
        """
        raise NotImplementedError

    def _tagged(self, key: str) -> tuple[bytes | None, Any]:
        """Return a blob and its tag for :meth:`_swap`. Override this for an ETag or a revision number."""
        blob = self._read(key)
        return blob, blob

    # -- conditional saves ------------------------------------------------------------------------------------------

    def save_if(self, key: str, entry: StorageEntry, version: str | None) -> str:
        """Store an entry if the stored version is the expected one. Return the new version.

        Raises:
            StorageConflictError: The store has another version.
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
        """Wait for a lock and acquire it.

        Raises:
            StorageLockError: Another owner held the lock until the timeout.
            StorageError: The backend failed.
        """
        raw = _raw("lock", key)
        patience = self.config.lock_timeout if timeout is None else timeout
        lasting = self.config.lock_timeout if expires_s is None else expires_s
        until = time.monotonic() + patience
        while True:
            record, tag = self._record(raw, key)
            now = time.time()
            free_in = _left(record, now)
            if free_in <= 0:
                handle = LockHandle(key, uuid.uuid4().hex, now, now + lasting)
                facts = {"lock_id": handle.lock_id, "acquired_at": now, "expires_at": handle.expires_at, "owner": current_owner()}
                if self._guarded(key, "locked", self._swap, raw, _encoded(facts), tag):
                    return handle
                continue  # another owner was faster: read again at once
            left = until - time.monotonic()
            if left <= 0:
                raise lock_timeout_error(self.id, key, patience)
            time.sleep(min(left, free_in, self.config.retry_interval))

    def release(self, lock: LockHandle) -> bool:
        """Release a lock. Return ``False`` if it had expired.

        Raises:
            StorageError: The backend failed.
        """
        raw = _raw("lock", lock.key)
        record, tag = self._record(raw, lock.key)
        if record.get("lock_id") != lock.lock_id or record["expires_at"] <= time.time():
            return False
        free = _encoded({"lock_id": "", "expires_at": 0.0})  # not removed, because that needs a conditional removal
        return bool(self._guarded(lock.key, "unlocked", self._swap, raw, free, tag))

    def is_locked(self, key: str) -> bool:
        """Return whether a key is locked now.

        Raises:
            StorageError: The backend failed.
        """
        record, _ = self._record(_raw("lock", key), key)
        return _left(record, time.time()) > 0

    # -- counters ---------------------------------------------------------------------------------------------------

    def increment(self, key: str, amount: int = 1, expires_s: float | None = None) -> int:
        """Add to a counter atomically and return the sum.

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
    """Return whether a raw key holds an expired counter or lock. A store may remove it and should do so regularly."""
    if not raw.startswith((f"{RESERVED}lock/", f"{RESERVED}counter/")):
        return False
    try:
        until = json.loads(blob)["expires_at"]
    except (ValueError, KeyError, TypeError):
        return False  # not a record of the kit
    return until is not None and until <= time.time()


def _left(record: Mapping[str, Any], now: float) -> float:
    """Return the remaining time of a lock in seconds, 0 if its owner has exited."""
    return 0.0 if has_exited(str(record.get("owner", ""))) else float(record.get("expires_at", 0.0)) - now


def _raw(what: str, key: str) -> str:
    return f"{RESERVED}{what}/{validated_key(key)}"


def _encoded(record: Mapping[str, Any]) -> bytes:
    # The mark makes equal records distinct: a swap must not take a later one for the one that it read.
    return json.dumps({**record, "mark": uuid.uuid4().hex}).encode()
