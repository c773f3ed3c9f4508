"""Persistence of a mesh's state in a storage connector."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from modelmesh._engine.limits.counter import LimitCounter
from modelmesh._engine.plugins import attribution
from modelmesh._engine.routing.steps import Totals
from modelmesh._engine.state.loader import StateLoader
from modelmesh._engine.state.peer_exchange import PeerExchange, SharedView
from modelmesh._engine.state.save_thread import SaveThread
from modelmesh._engine.state.saver import StateSaver
from modelmesh._engine.state.settings import DEBOUNCE_S, KEY, StateSettings, SyncPolicy, retry_delay
from modelmesh._engine.state.shared_counters import SharedCounters
from modelmesh._engine.state.shared_rows import SharedStore
from modelmesh._engine.state.source import StateSource
from modelmesh._engine.state.state_lock import StateLock
from modelmesh._engine.state.store_health import StoreHealth
from modelmesh._engine.state.sync_status import CountsStatus, StateSyncStatus, next_save
from modelmesh._engine.state.system_state import SystemState
from modelmesh.contracts.storage import BatchCounters, ConditionalSave, Counters, LockHandle, Storage

_log = logging.getLogger("modelmesh.state")


class StateManager:
    """Loads the state at the start and saves it according to the sync policy. A store that fails never fails a request.

    Attributes:
        storage: The store.
        settings: The sync policy and its parameters.
        counters: Counters that several processes share, ``None`` where each process counts alone.
        thread: The thread that saves, with ``periodic`` and ``immediate``.
        peers: Exchange of health and sessions with other processes, ``None`` where they are not shared.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        settings: StateSettings,
        source: StateSource,
        now: Callable[[], float],
        publish_event: Callable[[str, Mapping[str, Any]], None],
    ) -> None:
        """Connect the store with the mesh. Nothing is loaded yet.

        Args:
            storage: The store.
            settings: The sync policy and its parameters.
            source: The mesh.
            now: Returns Unix seconds.
            publish_event: Publishes ``storage_failed`` and ``storage_recovered`` with their facts.
        """
        self.storage, self.settings = storage, settings
        self._source, self._now = source, now
        self._health = StoreHealth(storage.id, publish_event)
        self._loader = StateLoader(storage, source, self._health)
        self._lock = StateLock(storage, self._health, for_saves=settings.locking)
        self._saver = StateSaver(
            storage=storage, source=source, loader=self._loader, lock=self._lock, health=self._health, now=now
        )
        self.thread = SaveThread(self._sync_if_due, settings.interval_s if settings.policy is SyncPolicy.PERIODIC else DEBOUNCE_S)
        self._begun = False
        self.counters: SharedCounters | None = None
        self.peers: PeerExchange | None = None
        if hasattr(storage, "on_damage"):
            storage.on_damage = self._health.report_damage
        if settings.policy is SyncPolicy.IMMEDIATE and isinstance(storage, Counters):
            self.counters = SharedCounters(storage, f"{KEY}/", now, self._health)
            self._health.shares_counts = True

    @property
    def policy(self) -> SyncPolicy:
        """When the state is saved."""
        return self.settings.policy

    # -- life -------------------------------------------------------------------------------------------------------

    def begin(self, *, loads: bool = True) -> None:
        """Load the stored state into the mesh, unless a predecessor hands it over, and start saving."""
        if self.policy is SyncPolicy.IN_MEMORY:
            return
        self._begun = True
        if loads:
            self._loader.restore()
        else:
            self._loader.loaded = True
        if self.policy is not SyncPolicy.ON_BOUNDARY:
            self.thread.start()

    def share(self, views: Iterable[SharedView]) -> None:
        """Exchange parts of the mesh with the processes that share the store, if it can add and compare."""
        store = self.storage
        if self.policy is SyncPolicy.IMMEDIATE and isinstance(store, BatchCounters) and isinstance(store, ConditionalSave):
            self.peers = PeerExchange(cast("SharedStore", store), f"{KEY}/", views, self._now, self._health)
            self.peers.exchange()
            self.peers.thread.start()

    def load(self) -> SystemState | None:
        """Return the stored state, ``None`` when there is none that can be used. Unreadable data goes to quarantine."""
        return self._loader.read()[1]

    def load_read_only(self) -> SystemState | None:
        """Load the stored state into the mesh and change nothing in the store. Replaces :meth:`begin`.

        Raises:
            StorageError: The store failed.
            NewerStateError: A later version wrote the state.
            DamagedStateError: The state cannot be used.
        """
        return self._loader.restore_read_only()

    def retire(self) -> None:
        """Stop saving, because the mesh of a changed configuration saves from now on. Shared counts are still published."""
        self._saver.is_retired = True

    def move_counts(self, successor: StateManager) -> None:
        """Give amounts that the store has not received to the mesh of a changed configuration, which outlives this one."""
        if self.counters is not None and successor.counters is not None and (self.counters.is_down or self.counters.pending):
            settled = {name: amount for name, amount in self._source.drain_counts().items() if amount}
            successor.counters.add_unsent(settled)
            successor.counters.add_unsent(self.counters.take_unsent())

    def close(self) -> None:
        """Save a last time, release the lock and close the store."""
        self.thread.join()
        if self.peers is not None:
            self.peers.thread.join()
            self.peers.exchange()
        if self._begun:
            self.sync()
        self._lock.release()
        close = getattr(self.storage, "close", None)
        if close is not None:
            try:
                close()
            except Exception as error:  # noqa: BLE001 - a plugin may raise anything, and the state is saved already
                _log.warning("%s did not close: %s", self.storage.id, attribution.summarize(error, self.storage))

    def after_fork(self) -> None:
        """Reset locks, the thread and unsent counts in a child process."""
        for part in (self._saver, self._lock, self.thread, self.counters, self.peers):
            if part is not None:
                part.after_fork()
        forked = getattr(self.storage, "after_fork", None)
        if forked is not None:
            forked()

    # -- saving -----------------------------------------------------------------------------------------------------

    def record_change(self) -> None:
        """Record that the state differs from what is stored."""
        self._saver.changes += 1
        if self._begun and self.policy is not SyncPolicy.ON_BOUNDARY:
            self.thread.start()  # in a forked child
            if self.peers is not None:
                self.peers.thread.start()
        if self.policy is SyncPolicy.IMMEDIATE:
            self.thread.wake()

    def save(self) -> bool:
        """Save the state now and return whether the store accepted it. A failed save is repeated later."""
        return self._saver.save()

    def sync(self) -> bool:
        """Publish pending counts, save the state, and return whether the store accepted both."""
        published = self._publish_settled()
        return self.save() and published

    def publish(self, amounts: dict[str, int]) -> Totals | None:
        """Store reserved amounts before they are spent, so that a crash does not lose them.

        Args:
            amounts: Amounts by counter name. Published amounts are removed.

        Returns:
            The totals of all processes, ``None`` where there are none.
        """
        if self.counters is not None:
            return self.counters.publish(amounts)
        self._saver.changes += 1
        self._saver.save_if_healthy()
        return None

    def totals(self, counters: Mapping[str, LimitCounter]) -> dict[str, int]:
        """Return the totals of all processes for the given counters."""
        return self.counters.totals(counters, self._now()) if self.counters is not None else {}

    def _publish_settled(self) -> bool:
        settled = self._source.drain_counts()
        if self.counters is None:
            return True
        totals = self.counters.publish(settled, retry=True)
        if totals is not None:
            self._source.apply_totals(totals.by_name)
        return totals is not None

    def _sync_if_due(self) -> None:
        waits = self.counters is not None and (self.counters.pending or self.counters.is_down)
        if self._saver.changes or waits or self._health.error is not None:  # with an error, a save tests the store
            self.sync()
            if self.policy is SyncPolicy.IMMEDIATE:
                failures = self._health.failures
                self.thread.pause(retry_delay(failures // 2) - DEBOUNCE_S if failures else DEBOUNCE_S)  # the thread waits as well
        else:
            self._publish_settled()

    # -- lock and status --------------------------------------------------------------------------------------------

    def acquire_lock(self, timeout: float | None = None) -> LockHandle:
        """Acquire the lock of the state, so that no other process saves it.

        Raises:
            StorageLockError: Another process held the lock until the timeout. Also a ``TimeoutError``.
            ModelMeshError: The store has no locks.
        """
        return self._lock.acquire(timeout)

    def release_lock(self, handle: LockHandle | None = None) -> bool:
        """Release the lock and return whether it was still held."""
        return self._lock.release(handle)

    def get_sync_status(self) -> StateSyncStatus:
        """Return when the state was and will be saved, and the store's last error."""
        waiting = self.counters.pending if self.counters is not None else 0
        owner = self._lock.owner
        return StateSyncStatus(
            last_sync=self._saver.last_saved,
            next_sync=next_save(self.settings, self._saver, self._now()),
            pending_changes=self._saver.changes + waiting,
            locked=owner is not None,
            lock_owner=owner,
            error=self._health.error,
            counts=self.get_counts_status(),
        )

    @property
    def requires_store(self) -> bool:
        """Whether requests that a budget limits are refused while counts cannot be shared."""
        return self.settings.requires_store and self.counters is not None

    def get_counts_status(self) -> CountsStatus:
        """Return whether limits compare the counts of all processes."""
        if self.counters is None:
            reason = (
                f"{self.storage.id} has no counters" if self.policy is SyncPolicy.IMMEDIATE else f"sync_policy: {self.policy}"
            )
            return CountsStatus(counts="local", reason=reason)
        pending = self.counters.pending
        if not self.counters.is_down and self._health.error is None:  # a failed load or save comes before the first count
            return CountsStatus(counts="shared", pending=pending)
        reason = f"the store does not reply: {self._health.error}" if self._health.error else "the store does not reply"
        refuses = self.requires_store
        return CountsStatus(counts="local", reason=reason, is_store_down=True, refuses_budgets=refuses, pending=pending)
