"""Saving of the mesh's state."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock

from modelmesh._engine.state.loader import StateLoader
from modelmesh._engine.state.settings import KEY
from modelmesh._engine.state.source import StateSource
from modelmesh._engine.state.state_lock import StateLock
from modelmesh._engine.state.store_health import StoreHealth
from modelmesh.contracts.storage import Storage, StorageEntry


class StateSaver:
    """Writes snapshots of the mesh to the store, one thread at a time.

    Attributes:
        changes: Changes since the last save.
        is_retired: Whether another mesh of this process saves instead.
        last_saved: Unix seconds of the last save, ``None`` before the first.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        source: StateSource,
        loader: StateLoader,
        lock: StateLock,
        health: StoreHealth,
        now: Callable[[], float],
    ) -> None:
        """Start with nothing saved.

        Args:
            storage: The store.
            source: The mesh.
            loader: Reads the store before the first save, if the store was down at the start.
            lock: The store's lock.
            health: Records failures.
            now: Returns Unix seconds.
        """
        self.changes = 0
        self.is_retired = False
        self.last_saved: float | None = None
        self._storage, self._source, self._loader = storage, source, loader
        self._lock, self._health, self._now = lock, health, now
        self._writing = RLock()

    def save(self) -> bool:
        """Save a snapshot and return whether the store accepted it. Failures are recorded, not raised."""
        if self.is_retired:
            return True
        with self._writing:
            try:
                with self._lock.held_for_save():
                    if not self._loader.loaded:
                        self._loader.restore()  # the store was down at the start: do not overwrite what it holds
                        if not self._loader.loaded:
                            return False
                    changes, state = self.changes, self._source.capture()
                    self._storage.save(KEY, StorageEntry(KEY, state.to_bytes(), {"content_type": "application/json"}))
            except Exception as error:  # noqa: BLE001 - a plugin may raise anything
                self._health.record_failure(error)
                return False
            self.changes -= changes
            self.last_saved = self._now()
        self._health.record_success()
        return True

    def save_if_healthy(self) -> None:
        """Save, unless the store failed before: a request waits for a failed store at most once."""
        if self._health.error is None:
            with self._writing:
                if self._health.error is None:
                    self.save()

    def after_fork(self) -> None:
        """Take a new lock in a child process: another thread of the parent may have held it."""
        self._writing = RLock()
