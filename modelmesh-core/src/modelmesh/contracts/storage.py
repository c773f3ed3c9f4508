"""What a storage connector implements: bytes under keys; and locks, counters and conditional saves where it can.

:class:`Storage` is all that is required. :class:`ConditionalSave`, :class:`Locking` and :class:`Counters` are parts that
a store has when its backend can; who needs one asks ``isinstance(store, Locking)``. A store may also have ``close()``,
called when the mesh closes, and ``after_fork()``, called in a child process. One that mends what it finds damaged has an
attribute ``on_damage``, which the mesh sets to what it is to call then, with why and with what became of the damaged part.

Everything is sync, as all contracts but the provider's are: on the way of a request only counters are asked, and then
under asyncio in a thread; all else is called by a thread that does nothing else. So an author writes each store once.
Any number of threads may call one store at the same time.

Keys are text of any characters, not empty (:func:`validated_key`): ``a/b``, ``../x`` and ``ü`` are three keys beside each
other, none of them a path. What goes wrong in the backend is a :class:`~modelmesh.errors.StorageError`; what the caller
did wrong is a ``ValueError`` or ``TypeError``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from attrs import field, frozen

from modelmesh.errors import StorageConflictError, StorageLockError


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes | bytearray | memoryview):
        message = f"the data of an entry is bytes, not {type(value).__name__}; encode it first"
        raise TypeError(message)
    return bytes(value)


@frozen
class StorageEntry:
    """What is stored under a key.

    Attributes:
        key: The key; :meth:`Storage.save` goes by its own argument.
        data: The bytes; none at all is a value too.
        metadata: Plain data (text, numbers, booleans, ``None``, lists, maps) kept beside them.
        version: Of an entry that was loaded: changes with every save; ``None`` when the store has no versions.
    """

    key: str
    data: bytes = field(converter=_bytes, repr=lambda data: f"<{len(data)} bytes>")
    metadata: Mapping[str, Any] = field(factory=dict, repr=False)
    version: str | None = field(default=None, eq=False)


@frozen
class EntryMetadata:
    """What is known of an entry without its data.

    Attributes:
        key: The key.
        size: Bytes of the data, before any compression.
        last_modified: When it was last saved, Unix seconds.
        content_type: What the saver's metadata calls ``content_type``; ``None`` when it said nothing.
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
        key: What is locked.
        lock_id: Unlike any other lock's.
        acquired_at: Unix seconds.
        expires_at: When it is free again without a release, Unix seconds.
    """

    key: str
    lock_id: str
    acquired_at: float
    expires_at: float


@runtime_checkable
class Storage(Protocol):
    """Keeps state between runs.

    Raises:
        StorageError: From any method: the backend failed.
        ValueError: From any method: the key is empty or no text that UTF-8 can write.
    """

    id: str

    def load(self, key: str) -> StorageEntry | None:
        """Return an entry, ``None`` when there is none."""
        ...

    def save(self, key: str, entry: StorageEntry) -> None:
        """Store an entry in place of any before it; whole or not at all."""
        ...

    def list(self, prefix: str | None = None) -> list[str]:
        """Return the keys of entries, sorted; only those that begin with ``prefix`` when one is given."""
        ...

    def delete(self, key: str) -> bool:
        """Remove an entry; ``False`` when there was none."""
        ...

    def stat(self, key: str) -> EntryMetadata | None:
        """Describe an entry, ``None`` when there is none."""
        ...

    def exists(self, key: str) -> bool:
        """Whether there is an entry."""
        ...


@runtime_checkable
class ConditionalSave(Protocol):
    """Compare and set: what somebody else saved in between is never overwritten unseen."""

    def save_if(self, key: str, entry: StorageEntry, version: str | None) -> str:
        """Store an entry in place of the one that was read.

        Args:
            key: The key.
            entry: What to store; its own ``version`` is not looked at.
            version: Of the entry that was read; ``None``: there must be none.

        Returns:
            The new version.

        Raises:
            StorageConflictError: Another version is there, or none, or one where there was to be none.
        """
        ...


@runtime_checkable
class Locking(Protocol):
    """Locks between all who use the same place. They are advisory: a lock on a key keeps nobody from saving under it."""

    def acquire(self, key: str, timeout: float | None = None, *, expires_s: float | None = None) -> LockHandle:
        """Wait for a lock and take it.

        Args:
            key: What to lock; need not exist.
            timeout: Seconds to wait; 0 tries once, ``None`` waits for as long as the store is configured to.
            expires_s: Seconds after which it is free again though nobody released it; ``None``: as configured.

        Raises:
            StorageLockError: Somebody else held it all the while. Also a ``TimeoutError``.
        """
        ...

    def release(self, lock: LockHandle) -> bool:
        """Give a lock back; ``False`` when it had expired, and then nothing of a later holder's is touched."""
        ...

    def is_locked(self, key: str) -> bool:
        """Whether somebody holds a lock on a key now."""
        ...


@runtime_checkable
class Counters(Protocol):
    """Whole numbers that many processes add to; no entries, so they are not listed and not loaded."""

    def increment(self, key: str, amount: int = 1, expires_s: float | None = None) -> int:
        """Add to a counter in one step and return what it comes to.

        Args:
            key: The counter; one that is not there, or has expired, stands at 0.
            amount: May be negative; 0 only reads. Money is counted in whole billionths of a dollar.
            expires_s: Seconds from the first addition until it is forgotten; later additions do not move that.

        Returns:
            The sum, within 64 bits.
        """
        ...


@runtime_checkable
class BatchCounters(Counters, Protocol):
    """Counters that are added to together, where that is one exchange with the store and not one each.

    A store that has this is asked nothing else on the way of a request.
    """

    def increment_many(self, additions: Mapping[str, tuple[int, float | None]]) -> dict[str, int]:
        """Add to several counters in one step: all of them or none.

        Args:
            additions: For each key what :meth:`Counters.increment` takes: the amount, and seconds until it is forgotten.

        Returns:
            The sums by key.
        """
        ...


def validated_key(key: str) -> str:
    """Return a key that every store can hold.

    Raises:
        ValueError: It is empty, or UTF-8 cannot write it.
        TypeError: It is no text.
    """
    given: Any = key
    if not isinstance(given, str):
        message = f"a key is text, not {type(given).__name__}"
        raise TypeError(message)
    if not key:
        message = "a key is empty; give the entry a name"
        raise ValueError(message)
    try:
        key.encode()
    except UnicodeEncodeError:
        message = f"the key {key!r} holds half a surrogate pair, which no store can write; use other text"
        raise ValueError(message) from None
    return key


def conflict_error(connector_id: str, key: str) -> StorageConflictError:
    """Return the error of a conditional save that came too late."""
    message = (
        f"the entry {key!r} in {connector_id} is not the version that was read: somebody else saved or deleted it since, so "
        "nothing was written. Load it again, apply the change to what is there now, and save that."
    )
    return StorageConflictError(message, connector_id=connector_id, key=key)


def lock_timeout_error(connector_id: str, key: str, waited: float) -> StorageLockError:
    """Return the error of a lock that somebody else kept."""
    message = (
        f"the lock on {key!r} in {connector_id} was not to be had within {waited:g} s, because somebody else holds it. "
        "Wait longer with acquire(key, timeout=…), or until it expires."
    )
    return StorageLockError(message, connector_id=connector_id, key=key)
