"""Interface of storage connectors: bytes under keys, with optional locks, counters and conditional saves.

Only :class:`Storage` is required. :class:`ConditionalSave`, :class:`Locking` and :class:`Counters` are optional parts that a
store implements if its backend can. Callers test for them with ``isinstance(store, Locking)``. A store may also define:

- ``close()``, called when the mesh closes,
- ``after_fork()``, called in a child process,
- ``on_damage``, an attribute of a store that repairs damaged data. The mesh assigns a callback ``(reason, outcome)`` to it.

All methods are synchronous, as in every contract but the provider's. On the path of a request only counters are called, and
under asyncio in a thread. Everything else is called by background threads. So an author writes each store once. Any number
of threads may call a store at the same time.

A key is any text that is not empty (:func:`validated_key`). ``a/b``, ``../x`` and ``ü`` are three independent keys, and none
of them is a path. A failure of the backend is a :class:`~modelmesh.errors.StorageError`, a mistake of the caller is a
``ValueError`` or ``TypeError``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from attrs import field, frozen

from modelmesh.errors import StorageConflictError, StorageLockError


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes | bytearray | memoryview):
        message = f"the data of an entry is bytes, not {type(value).__name__}. Encode it first"
        raise TypeError(message)
    return bytes(value)


@frozen
class StorageEntry:
    """Data under a key.

    Attributes:
        key: The key. :meth:`Storage.save` uses its own argument instead.
        data: The bytes. Empty data is a valid value.
        metadata: Plain data (text, numbers, booleans, ``None``, lists, maps) that is stored with the bytes.
        version: Version of a loaded entry, which changes with every save. ``None`` when the store has no versions.
    """

    key: str
    data: bytes = field(converter=_bytes, repr=lambda data: f"<{len(data)} bytes>")
    metadata: Mapping[str, Any] = field(factory=dict, repr=False)
    version: str | None = field(default=None, eq=False)


@frozen
class EntryMetadata:
    """Description of an entry without its data.

    Attributes:
        key: The key.
        size: Bytes of the data, before compression.
        last_modified: Unix seconds of the last save.
        content_type: ``content_type`` of the metadata, ``None`` when the metadata has none.
        version: As in :class:`StorageEntry`.
    """

    key: str
    size: int
    last_modified: float
    content_type: str | None = None
    version: str | None = None


@frozen
class LockHandle:
    """Proof of a lock.

    Attributes:
        key: The locked key.
        lock_id: Unique ID of the lock.
        acquired_at: Unix seconds.
        expires_at: Unix seconds at which the lock expires without a release.
    """

    key: str
    lock_id: str
    acquired_at: float
    expires_at: float


@runtime_checkable
class Storage(Protocol):
    """Store of state between runs.

    Raises:
        StorageError: From any method: the backend failed.
        ValueError: From any method: the key is empty, or UTF-8 cannot encode it.
    """

    id: str

    def load(self, key: str) -> StorageEntry | None:
        """Return an entry, ``None`` when it does not exist."""
        ...

    def save(self, key: str, entry: StorageEntry) -> None:
        """Store an entry atomically. It replaces an earlier one."""
        ...

    def list(self, prefix: str | None = None) -> list[str]:
        """Return the sorted keys of all entries, or of those whose key begins with ``prefix``."""
        ...

    def delete(self, key: str) -> bool:
        """Delete an entry and return whether it existed."""
        ...

    def stat(self, key: str) -> EntryMetadata | None:
        """Return the description of an entry, ``None`` when it does not exist."""
        ...

    def exists(self, key: str) -> bool:
        """Return whether an entry exists."""
        ...


@runtime_checkable
class ConditionalSave(Protocol):
    """Optional compare-and-set: a save fails if another process has saved since the entry was read."""

    def save_if(self, key: str, entry: StorageEntry, version: str | None) -> str:
        """Store an entry if the stored version is still the one that was read.

        Args:
            key: The key.
            entry: The new entry. Its own ``version`` is ignored.
            version: Version of the entry that was read. ``None`` requires that no entry exists.

        Returns:
            The new version.

        Raises:
            StorageConflictError: The stored version differs, or an entry exists or is missing against the requirement.
        """
        ...


@runtime_checkable
class Locking(Protocol):
    """Optional locks between all processes that use a store. They are advisory: a lock on a key does not prevent a save."""

    def acquire(self, key: str, timeout: float | None = None, *, expires_s: float | None = None) -> LockHandle:
        """Acquire a lock, waiting if necessary.

        Args:
            key: The key to lock. An entry need not exist.
            timeout: Seconds to wait. 0 tries once, ``None`` waits as long as the store is configured to.
            expires_s: Seconds after which the lock expires without a release. ``None`` uses the store's configuration.

        Raises:
            StorageLockError: Another process held the lock until the timeout. Also a ``TimeoutError``.
        """
        ...

    def release(self, lock: LockHandle) -> bool:
        """Release a lock. Return ``False`` when it had expired; a lock of a later owner is not affected."""
        ...

    def is_locked(self, key: str) -> bool:
        """Return whether a key is locked now."""
        ...


@runtime_checkable
class Counters(Protocol):
    """Optional integers that many processes add to. They are not entries: they are neither listed nor loaded."""

    def increment(self, key: str, amount: int = 1, expires_s: float | None = None) -> int:
        """Add to a counter atomically and return the sum.

        Args:
            key: The counter. A counter that does not exist, or has expired, is 0.
            amount: May be negative. 0 only reads. Money is counted in whole nano-dollars.
            expires_s: Seconds from the first addition until the counter expires. Later additions do not change that.

        Returns:
            The sum, within 64 bits.
        """
        ...


@runtime_checkable
class BatchCounters(Counters, Protocol):
    """Optional counters that are updated together, in one exchange with the store instead of one for each.

    If a store implements this, it is the only method called on the path of a request.
    """

    def increment_many(self, additions: Mapping[str, tuple[int, float | None]]) -> dict[str, int]:
        """Add to several counters atomically.

        Args:
            additions: Amount and seconds until expiry by key, as in :meth:`Counters.increment`.

        Returns:
            The sums by key.
        """
        ...


def validated_key(key: str) -> str:
    """Return a key after checking that every store can hold it.

    Raises:
        ValueError: The key is empty, or UTF-8 cannot encode it.
        TypeError: The key is not text.
    """
    given: Any = key
    if not isinstance(given, str):
        message = f"a key is text, not {type(given).__name__}"
        raise TypeError(message)
    if not key:
        message = "a key is empty. Give the entry a name"
        raise ValueError(message)
    try:
        key.encode()
    except UnicodeEncodeError:
        message = f"the key {key!r} contains half of a surrogate pair, which UTF-8 cannot encode. Use other text"
        raise ValueError(message) from None
    return key


def conflict_error(connector_id: str, key: str) -> StorageConflictError:
    """Build the error of a conditional save whose entry has changed."""
    message = (
        f"the entry {key!r} in {connector_id} is not the version that was read: it was saved or deleted since, so nothing "
        "was written. Load it again, apply the change to the new version and save that."
    )
    return StorageConflictError(message, connector_id=connector_id, key=key)


def lock_timeout_error(connector_id: str, key: str, waited: float) -> StorageLockError:
    """Build the error of a lock that another process kept."""
    message = (
        f"the lock on {key!r} in {connector_id} was not acquired within {waited:g} s: another process holds it. "
        "Wait longer with acquire(key, timeout=…), or until it expires."
    )
    return StorageLockError(message, connector_id=connector_id, key=key)
