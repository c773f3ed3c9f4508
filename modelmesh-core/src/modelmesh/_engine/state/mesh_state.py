"""State of a mesh, as the state manager captures and restores it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from threading import RLock
from typing import Any

from attrs import define, field

from modelmesh._engine.health.health_registry import HealthRegistry
from modelmesh._engine.limits.counter import LimitCounter
from modelmesh._engine.limits.reservations import Reservations
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.routing.steps import Totals
from modelmesh._engine.state import snapshot
from modelmesh._engine.state.manager import StateManager
from modelmesh._engine.state.peer_exchange import SharedView
from modelmesh._engine.state.settings import StateSettings, SyncPolicy
from modelmesh._engine.state.shared_choices import SharedChoices, shares_choices
from modelmesh._engine.state.shared_health import SharedHealth
from modelmesh._engine.state.shared_standby import SharedStandby
from modelmesh._engine.state.system_state import DamagedStateError, SystemState
from modelmesh._engine.telemetry.events import Emitter
from modelmesh._engine.telemetry.usage import UsageTracker
from modelmesh.contracts.observability import RoutingEvent
from modelmesh.contracts.storage import Storage

_log = logging.getLogger("modelmesh.state")


@define(eq=False, kw_only=True)
class MeshState:
    """Counts and health of one mesh, read and changed under its lock.

    Attributes:
        pools: Returns the mesh's pools.
        health: Their circuit breakers.
        reservations: Their limits.
        usage: Usage totals.
        emitter: Receives the events of the store.
        lock: The mesh's lock.
        clock: Returns monotonic seconds.
        grows: Whether models may join after the start. Their stored state is kept until then.
        manager: Saves this state, after :meth:`manage`.
    """

    pools: Callable[[], Sequence[Pool]]
    health: HealthRegistry
    reservations: Reservations
    usage: UsageTracker
    emitter: Emitter
    lock: RLock
    clock: Callable[[], float]
    grows: bool = False
    manager: StateManager = field(init=False)
    _restored: SystemState | None = field(default=None, init=False)
    _joined: dict[str, LimitCounter] = field(factory=dict, init=False)

    def manage(self, storage: Storage, settings: StateSettings, now: Callable[[], float]) -> StateManager:
        """Create and return the manager that saves this state. Nothing is loaded yet.

        Args:
            storage: The store.
            settings: When the state is saved.
            now: Returns Unix seconds.
        """
        self.manager = StateManager(storage=storage, settings=settings, source=self, now=now, publish_event=self.publish_event)
        return self.manager

    def begin(self, *, loads: bool = True) -> Callable[[dict[str, int]], Totals | None] | None:
        """Restore the stored state and start saving.

        Args:
            loads: Whether the state is restored. A predecessor hands it over otherwise.

        Returns:
            The function that publishes what a request reserves, ``None`` where reservations are not published.
        """
        self.manager.begin(loads=loads)
        if self.manager.policy is not SyncPolicy.IMMEDIATE:
            return None
        self.apply_all_totals()
        self.reservations.shared.start(required=self.manager.requires_store)
        self.manager.share(self._shared_views())
        return self.manager.publish

    def _shared_views(self) -> list[SharedView]:
        clock = self.reservations.clock
        choices = [SharedChoices(pool, lambda: self.lock, clock) for pool in self.pools() if shares_choices(pool)]
        health = SharedHealth(self.pools, self.health, lambda: self.lock, clock)
        return [health, SharedStandby(self.pools, lambda: self.lock), *choices]

    def load_read_only(self) -> SystemState | None:
        """Restore and return the stored state, ``None`` when there is none. The store is not changed."""
        if self.manager.policy is SyncPolicy.IN_MEMORY:
            return None
        state = self.manager.load_read_only()
        if self.manager.policy is SyncPolicy.IMMEDIATE:
            self.apply_all_totals()
            self.reservations.shared.start()  # a manual change of this process is published too
        return state

    def capture(self) -> SystemState:
        """Return a snapshot of the mesh, with the stored state of models that have not joined yet."""
        with self.lock:
            state = snapshot.capture(self.pools(), self.reservations, self.usage, self.clock())
            if self._restored is not None:
                snapshot.merge_unseen(self._restored, state, self.pools(), self.reservations)
            return state

    def restore(self, state: SystemState) -> None:
        """Apply a stored snapshot to the mesh."""
        with self.lock:
            snapshot.restore(state, self.pools(), self.health, self.reservations, self.usage, self.clock())
            self._restored = state if self.grows else None

    def restore_joined(self, candidate: Candidate) -> None:
        """Restore the stored state of a model that joined after the start. The caller holds the lock."""
        self._joined |= {counter.limit.name: counter for counter in self.reservations.counters_of(candidate.health)}
        if self._restored is None:
            return
        try:
            snapshot.restore_one(self._restored, candidate, self.pools(), self.health, self.reservations, self.clock())
        except DamagedStateError as error:
            _log.warning("the stored state of %s is ignored: %s", candidate, error)

    def drain_counts(self) -> dict[str, int]:
        """Remove and return the amounts that the store has not received, with 0 for each counter that is only read."""
        with self.lock:
            posted = self.reservations.shared.take()
            return {**dict.fromkeys(self.reservations.exhausted_buckets(), 0), **posted}

    def apply_totals(self, totals: Mapping[str, int]) -> None:
        """Apply the totals of all processes for counters that were published or are exhausted.

        Threads publish independently, so one may have missed the amounts of another.
        """
        if not totals:
            return
        names = {bucket.rpartition("@")[0] for bucket in totals}
        found = {name: counter for name, counter in self.reservations.counters(self.pools()).items() if name in names}
        with self.lock:  # requests wait meanwhile: only for the counters that were published
            self.reservations.apply_all_totals(found, totals, self.clock())

    def apply_joined_totals(self) -> None:
        """Apply the totals of all processes for the limits of models that joined after the start."""
        with self.lock:
            joined, self._joined = self._joined, {}
        if self.manager.policy is SyncPolicy.IMMEDIATE:  # other counters are current, and would change during the query
            self._apply_totals_of(joined)

    def apply_shared_totals(self, counters: Mapping[str, LimitCounter]) -> None:
        """Apply the totals of all processes for new counters, where counters are shared."""
        if self.manager.policy is SyncPolicy.IMMEDIATE:
            self._apply_totals_of(counters)

    def apply_all_totals(self) -> None:
        """Apply the totals of all processes for every limit."""
        self._apply_totals_of(self.reservations.counters(self.pools()))

    def _apply_totals_of(self, counters: Mapping[str, LimitCounter]) -> None:
        totals = self.manager.totals(counters)
        with self.lock:
            self.reservations.apply_all_totals(counters, totals, self.clock())

    def publish_event(self, event: str, facts: Mapping[str, Any]) -> None:
        """Publish an event of the store."""
        if self.emitter.has_subscribers:
            self.emitter.emit(RoutingEvent(event, time.time(), None, None, None, facts))
