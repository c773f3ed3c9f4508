"""Keeps the state of a mesh in a storage connector: when, in what order, and what happens when the store is down."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from threading import Condition, Event, RLock, Thread
from typing import Any, Literal

from attrs import frozen

from modelmesh._engine.limits.counter import LimitCounter
from modelmesh._engine.plugins import attribution as authors
from modelmesh._engine.routing.flow import Totals
from modelmesh._engine.state.shared_counters import SharedCounts
from modelmesh._engine.state.snapshot import DamagedStateError, NewerStateError, SystemState
from modelmesh.contracts.storage import Counters, LockHandle, Locking, Storage, StorageEntry
from modelmesh.errors import ModelMeshError, StorageError

_log = logging.getLogger("modelmesh.state")

KEY = "modelmesh/state"
DEBOUNCE_S = 1.0
"""With ``immediate``, changes within this long are written together, but for what is reserved: that is written before."""

Policy = Literal["in-memory", "sync-on-boundary", "periodic", "immediate"]


@frozen
class SyncStatus:
    """How well the store keeps up. Times are Unix seconds.

    Attributes:
        last_sync: When the state was last saved, ``None`` before the first time.
        next_sync: When it will be, ``None`` when nothing is due.
        pending_changes: Changes since then.
        locked: Whether this process holds the lock of the state.
        lock_owner: ID of that lock.
        error: Why the store failed the last time, ``None`` when it did not.
    """

    last_sync: float | None
    next_sync: float | None
    pending_changes: int
    locked: bool
    lock_owner: str | None
    error: str | None


class StateManager:
    """Loads the state at the start and saves it as its policy says. A store that fails never fails a request."""

    def __init__(
        self,
        storage: Storage,
        *,
        policy: Policy = "sync-on-boundary",
        interval: float = 300.0,
        locking: bool = True,
        take: Callable[[], SystemState],
        apply: Callable[[SystemState], None],
        settled: Callable[[], dict[str, int]],
        adopt: Callable[[Mapping[str, int]], None],
        now: Callable[[], float],
        tell: Callable[[str, Mapping[str, Any]], None],
    ) -> None:
        """Take the store and the ways to the mesh.

        Args:
            storage: Where the state is kept.
            policy: When it is saved.
            interval: Seconds between two saves, with ``periodic``.
            locking: Whether a store that has locks is locked for a save.
            take: Takes a picture of the mesh.
            apply: Lets the mesh go on from a picture; raises ``DamagedStateError``.
            settled: Takes the amounts that were settled and not posted yet, and nothing of each limit that is spent.
            adopt: Takes what all processes together have counted.
            now: Unix seconds.
            tell: Told of ``storage_failed`` and ``storage_recovered``.
        """
        self.storage, self.policy, self.interval = storage, policy, interval
        self._locking = locking and isinstance(storage, Locking)
        self._settled, self._adopt = settled, adopt
        self._take, self._apply, self._now, self._tell = take, apply, now, tell
        self._io = RLock()
        self._wake = Condition()
        self._thread: Thread | None = None
        self._stop = Event()
        self._changes = 0
        self._last: float | None = None
        self._loaded = False
        self._begun = False
        self._error: str | None = None
        self._unusable: tuple[bytes, DamagedStateError] | None = None
        self._lock_held: LockHandle | None = None
        self._lock_left: LockHandle | None = None
        self.counts: SharedCounts | None = None
        if hasattr(storage, "on_damage"):
            storage.on_damage = self._mended
        if policy == "immediate" and isinstance(storage, Counters):
            self.counts = SharedCounts(storage, f"{KEY}/", now, self._failed, self._works)

    # -- reading ----------------------------------------------------------------------------------------------------

    def load(self) -> SystemState | None:
        """Return what is stored, ``None`` when there is nothing that can be used. What is damaged is kept aside."""
        return self._read()[1]

    def _read(self) -> tuple[bytes, SystemState | None]:
        try:
            entry = self.storage.load(KEY)
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises: the start goes on
            self._failed(error)
            return b"", None
        if entry is None:
            return b"", None
        try:
            return entry.data, SystemState.from_bytes(entry.data)
        except (DamagedStateError, NewerStateError) as error:
            self._keep_aside(entry.data, error)
            return entry.data, None

    def begin(self) -> None:
        """Load, let the mesh go on from it, and begin to save."""
        if self.policy == "in-memory":
            return
        self._begun = True
        self._go_on()
        if self.policy != "sync-on-boundary":
            self._start()

    def look(self) -> SystemState | None:
        """Let the mesh go on from what is stored and leave that as it is; in place of :meth:`begin`, for who only looks.

        Returns:
            What is stored, ``None`` when nothing is.

        Raises:
            StorageError: The store failed.
            NewerStateError: A later version wrote it.
            DamagedStateError: It cannot be used. It is not kept aside either.
        """
        entry = self.storage.load(KEY)
        state = None if entry is None else SystemState.from_bytes(entry.data)
        if state is not None:
            self._apply(state)
        self._loaded = True
        return state

    def _go_on(self) -> None:
        before = self._error
        data, state = self._read()
        if state is not None:
            try:
                if self._unusable is not None and self._unusable[0] == data:
                    raise self._unusable[1]  # once is enough: a part of it may have been counted
                self._apply(state)
            except DamagedStateError as error:
                self._unusable = (data, error)
                self._keep_aside(data, error)
        self._loaded = self._error is before

    def _keep_aside(self, data: bytes, error: Exception) -> None:
        word = "newer" if isinstance(error, NewerStateError) else "corrupt"
        try:
            taken = set(self.storage.list(f"{KEY}.{word}-"))
            place = next(n for n in range(1, len(taken) + 2) if f"{KEY}.{word}-{n}" not in taken)
            aside = f"{KEY}.{word}-{place}"
            self.storage.save(aside, StorageEntry(aside, data))
            self.storage.delete(KEY)
        except Exception as failure:  # noqa: BLE001 - whatever a plugin raises: the start goes on, and nothing is overwritten
            message = f"what is stored cannot be used ({error}), and not be kept aside ({type(failure).__name__}: {failure})"
            self._failed(StorageError(message, connector_id=self.storage.id))
            return
        where = f"kept aside as {aside!r}"
        _log.warning("the stored state cannot be used: %s; it is %s, and counting begins anew", error, where)
        self._tell("storage_failed", {"reason": str(error), "kept": where, "storage": self.storage.id})

    # -- writing ----------------------------------------------------------------------------------------------------

    def changed(self) -> None:
        """Hear that something is worth saving."""
        self._changes += 1
        if self._thread is None and self._begun and self.policy != "sync-on-boundary" and not self._stop.is_set():
            self._start()  # in a forked child
        if self.policy == "immediate":
            with self._wake:
                self._wake.notify()

    def save(self) -> bool:
        """Save the state now; ``False`` when the store failed, which is told and tried again later."""
        with self._io:
            try:
                with _Locked(self):
                    if not self._loaded:
                        self._go_on()  # the store was down at the start: what it holds is not overwritten unseen
                        if not self._loaded:
                            return False
                    changes, state = self._changes, self._take()
                    self.storage.save(KEY, StorageEntry(KEY, state.to_bytes(), {"content_type": "application/json"}))
            except Exception as error:  # noqa: BLE001 - whatever a plugin raises
                self._failed(error)
                return False
            self._changes -= changes
            self._last = self._now()
        self._works()
        return True

    def sync(self) -> bool:
        """Send what waits to be sent, and save; ``False`` when the store failed."""
        sent = self._count()
        return self.save() and sent

    def _count(self) -> bool:
        settled = self._settled()
        if self.counts is None:
            return True
        found = self.counts.post(settled, again=True)
        if found is not None:
            self._adopt(found.by_name)
        return found is not None

    def post(self, amounts: dict[str, int]) -> Totals | None:
        """Keep what was reserved before it is spent, so that not even a crash forgets it; takes the amounts out."""
        if self.counts is not None:
            return self.counts.post(amounts)
        self._changes += 1
        if self._error is None:
            with self._io:
                if self._error is None:  # a store that failed is tried again beside the requests: none waits for it twice
                    self.save()
        return None

    def totals(self, counters: Mapping[str, LimitCounter]) -> dict[str, int]:
        """Read what all processes together have spent."""
        return self.counts.totals(counters, self._now()) if self.counts is not None else {}

    # -- the thread -------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._thread = Thread(target=self._work, name="modelmesh-state", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while not self._stop.is_set():
            with self._wake:
                self._wake.wait(self.interval if self.policy == "periodic" else DEBOUNCE_S)
            if self._stop.is_set():
                return
            if self._changes or (self.counts is not None and self.counts.pending):
                self.sync()
                if self.policy == "immediate":
                    self._stop.wait(DEBOUNCE_S)
            else:
                self._count()

    def close(self) -> None:
        """Save a last time and let go of the store."""
        self._stop.set()
        with self._wake:
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join()
        if self._begun:
            self.sync()
        self.release_lock()
        close = getattr(self.storage, "close", None)
        if close is not None:
            try:
                close()
            except Exception as error:  # noqa: BLE001 - whatever a plugin raises: what is saved is saved
                _log.warning("%s did not close: %s", self.storage.id, authors.what(error, self.storage))

    def after_fork(self) -> None:
        """Locks may have been held, and threads do not come along."""
        self._io, self._wake, self._thread = RLock(), Condition(), None
        stopped, self._stop = self._stop.is_set(), Event()
        if stopped:
            self._stop.set()
        self._lock_held = self._lock_left = None
        if self.counts is not None:
            self.counts.after_fork()
        forked = getattr(self.storage, "after_fork", None)
        if forked is not None:
            forked()

    # -- locks and status -------------------------------------------------------------------------------------------

    def acquire_lock(self, timeout: float | None = None) -> LockHandle:
        """Take the lock of the state, so that no other process saves it.

        Raises:
            StorageLockError: Somebody else held it all the while; also a ``TimeoutError``.
            ModelMeshError: The store has no locks.
        """
        if not isinstance(self.storage, Locking):
            message = f"{self.storage.id} has no locks. Use a store that has, e.g. modelmesh.sqlite.v1 or redis.redis.v1."
            raise ModelMeshError(message)
        self._lock_held = self.storage.acquire(KEY, timeout)
        return self._lock_held

    def release_lock(self, handle: LockHandle | None = None) -> bool:
        """Give the lock back; ``False`` when it was not held any more."""
        handle = handle or self._lock_held
        if handle is None or not isinstance(self.storage, Locking):
            return False
        self._lock_held = None
        try:
            return self.storage.release(handle)
        except Exception as error:  # noqa: BLE001 - it expires by itself
            self._failed(error)
            return False

    def get_sync_status(self) -> SyncStatus:
        """Return how well the store keeps up."""
        due = None
        if self.policy == "periodic":
            due = (self._last or self._now()) + self.interval
        elif self.policy == "immediate" and self._changes:
            due = self._now() + DEBOUNCE_S
        owner = self._lock_held.lock_id if self._lock_held else None
        waiting = self.counts.pending if self.counts is not None else 0
        return SyncStatus(self._last, due, self._changes + waiting, owner is not None, owner, self._error)

    # -- failures ---------------------------------------------------------------------------------------------------

    def _failed(self, error: Exception) -> None:
        first, self._error = self._error is None, f"{type(error).__name__}: {error}"
        if first:
            _log.warning("the state cannot be kept in %s: %s; requests go on without it", self.storage.id, self._error)
            self._tell("storage_failed", {"reason": self._error, "storage": self.storage.id})

    def _mended(self, why: str, then: str) -> None:
        self._tell("storage_failed", {"reason": why, "kept": then, "storage": self.storage.id})

    def _works(self) -> None:
        if self._error is not None:
            self._error = None
            self._tell("storage_recovered", {"storage": self.storage.id})


class _Locked:
    """Holds the store's lock around a save, unless the user holds it already."""

    def __init__(self, manager: StateManager) -> None:
        self._manager = manager
        self._handle: LockHandle | None = None

    def __enter__(self) -> None:
        manager = self._manager
        if manager._locking and manager._lock_held is None:  # noqa: SLF001 - one thing in two classes
            assert isinstance(manager.storage, Locking)
            if manager._lock_left is not None:  # noqa: SLF001 - the store failed before it was given back: else we wait for us
                manager.storage.release(manager._lock_left)  # noqa: SLF001
                manager._lock_left = None  # noqa: SLF001
            self._handle = manager.storage.acquire(KEY)

    def __exit__(self, *_: object) -> None:
        if self._handle is not None:
            assert isinstance(self._manager.storage, Locking)
            self._manager._lock_left = self._handle  # noqa: SLF001 - until it is given back
            self._manager.storage.release(self._handle)
            self._manager._lock_left = None  # noqa: SLF001
