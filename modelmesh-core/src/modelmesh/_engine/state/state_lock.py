"""Lock of the stored state, for stores that have locks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from modelmesh._engine.state.settings import KEY
from modelmesh._engine.state.store_health import StoreHealth
from modelmesh.contracts.storage import LockHandle, Locking, Storage
from modelmesh.errors import ModelMeshError


class StateLock:
    """The store's lock on the state, held by the user or during a save."""

    def __init__(self, storage: Storage, health: StoreHealth, *, for_saves: bool) -> None:
        """Start without holding the lock.

        Args:
            storage: The store.
            health: Records a release that failed.
            for_saves: Whether a save takes the lock, where the store has locks.
        """
        self._storage, self._health = storage, health
        self._for_saves = for_saves and isinstance(storage, Locking)
        self._held: LockHandle | None = None
        self._unreleased: LockHandle | None = None

    @property
    def owner(self) -> str | None:
        """ID of the lock that the user holds, ``None`` when the user holds none."""
        return self._held.lock_id if self._held is not None else None

    def acquire(self, timeout: float | None = None) -> LockHandle:
        """Acquire the lock for the user.

        Raises:
            StorageLockError: Another process held the lock until the timeout. Also a ``TimeoutError``.
            ModelMeshError: The store has no locks.
        """
        if not isinstance(self._storage, Locking):
            message = f"{self._storage.id} has no locks. Use a store that has, e.g. modelmesh.sqlite.v1 or redis.redis.v1."
            raise ModelMeshError(message)
        self._held = self._storage.acquire(KEY, timeout)
        return self._held

    def release(self, handle: LockHandle | None = None) -> bool:
        """Release the user's lock and return whether it was still held.

        Args:
            handle: The lock, by default the last one acquired.
        """
        handle = handle or self._held
        if handle is None or not isinstance(self._storage, Locking):
            return False
        self._held = None
        try:
            return self._storage.release(handle)
        except Exception as error:  # noqa: BLE001 - the lock expires by itself
            self._health.record_failure(error)
            return False

    @contextmanager
    def held_for_save(self) -> Iterator[None]:
        """Hold the lock around a save, unless the user holds it already or saves take no lock."""
        if not self._for_saves or self._held is not None:
            yield
            return
        assert isinstance(self._storage, Locking)
        if self._unreleased is not None:  # a failed release left our own lock behind: without this we wait for ourselves
            self._storage.release(self._unreleased)
            self._unreleased = None
        handle = self._storage.acquire(KEY)
        try:
            yield
        finally:
            self._unreleased = handle
            self._storage.release(handle)
            self._unreleased = None

    def after_fork(self) -> None:
        """Forget the locks of the parent process."""
        self._held = self._unreleased = None
