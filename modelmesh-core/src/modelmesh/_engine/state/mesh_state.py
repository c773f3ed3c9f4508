"""What a mesh counts and knows, as a state manager takes it and gives it back."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from threading import RLock
from typing import TYPE_CHECKING, Any

from attrs import define, field

from modelmesh._engine.state import snapshot as image
from modelmesh._engine.state.manager import StateManager
from modelmesh.contracts.observability import RoutingEvent

if TYPE_CHECKING:
    from modelmesh._engine.config.schema import StorageSection
    from modelmesh._engine.health.registry import HealthRegistry
    from modelmesh._engine.limits.counter import LimitCounter
    from modelmesh._engine.limits.reservations import Reservations
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh._engine.routing.pool import Pool
    from modelmesh._engine.state.snapshot import SystemState
    from modelmesh._engine.telemetry.events import Emitter
    from modelmesh._engine.telemetry.usage import UsageTracker
    from modelmesh.contracts.storage import Storage

_log = logging.getLogger("modelmesh.state")


@define(eq=False)
class StateOfMesh:
    """The counts and the health of one mesh, under its lock.

    Attributes:
        pools: Gives the mesh's pools.
        health: Their health.
        reservations: Their limits.
        usage: What was used.
        emitter: Hears of what happens to the store.
        lock: The mesh's.
        clock: Monotonic seconds.
        grows: Whether models may come later than the start; what is known of those is kept until then.
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
    _before: SystemState | None = None
    _new: dict[str, LimitCounter] = field(factory=dict)

    def manage(self, storage: Storage, section: StorageSection, now: Callable[[], float]) -> StateManager:
        """Make what keeps this in a store, as the configuration says, and return it; nothing is loaded yet.

        Args:
            storage: The store.
            section: What the configuration says of it.
            now: Unix seconds.
        """
        self.manager = StateManager(
            storage,
            policy=section.sync_policy,
            interval=section.sync_interval,
            locking=section.locking,
            take=self.take,
            apply=self.apply,
            settled=self.settled,
            adopt=self.adopt,
            now=now,
            tell=self.tell,
        )
        return self.manager

    def begin(self) -> Any:
        """Go on from what is stored, and keep it from now on.

        Returns:
            Posts what a request reserves, where other processes count along; else ``None``.
        """
        self.manager.begin()
        if self.manager.policy != "immediate":
            return None
        self.adopt_all()
        self.reservations.posted = {}
        return self.manager.post

    def look(self) -> SystemState | None:
        """Go on from what is stored and leave that as it is; returns it, ``None`` when there is nothing."""
        if self.manager.policy == "in-memory":
            return None
        found = self.manager.look()
        if self.manager.policy == "immediate":
            self.adopt_all()
            self.reservations.posted = {}  # what a person gives back is given back to everybody
        return found

    def take(self) -> SystemState:
        """Return what is to be saved."""
        with self.lock:
            taken = image.take(self.pools(), self.reservations, self.usage, self.clock())
            if self._before is not None:
                image.carry(self._before, taken, self.pools(), self.reservations)
            return taken

    def apply(self, state: SystemState) -> None:
        """Go on from what was saved."""
        with self.lock:
            image.apply(state, self.pools(), self.health, self.reservations, self.usage, self.clock())
            self._before = state if self.grows else None

    def joined(self, candidate: Candidate) -> None:
        """Go on with a model that came later than the start; under the lock."""
        self._new |= {counter.quota.name: counter for counter in candidate.health.counters}
        if self._before is None:
            return
        try:
            image.rejoin(self._before, candidate, self.health, self.reservations, self.clock())
        except image.DamagedStateError as error:
            _log.warning("what is stored of %s is passed over: %s", candidate, error)

    def settled(self) -> dict[str, int]:
        """Take what the store has not been told of yet, with a zero for each count that is only looked at."""
        with self.lock:
            posted = self.reservations.take_posted()
            return {**dict.fromkeys(self.reservations.watched(), 0), **posted}

    def adopt(self, totals: Mapping[str, int]) -> None:
        """Take what all processes together have spent, of what was sent or is watched; threads may have missed each other's."""
        if not totals:
            return
        names = {bucket.rpartition("@")[0] for bucket in totals}
        found = {name: counter for name, counter in self.reservations.counters(self.pools()).items() if name in names}
        with self.lock:  # requests wait meanwhile: only for what was told
            self.reservations.adopt_all(found, totals, self.clock())

    def adopt_joined(self) -> None:
        """Take what all processes together have spent of the limits of models that came later than the start."""
        with self.lock:
            new, self._new = self._new, {}
        if self.manager.policy == "immediate":  # the others' counts are up to date, and change while the store is asked
            self._adopt(new)

    def adopt_all(self) -> None:
        """Take what all processes together have spent, of every limit."""
        self._adopt(self.reservations.counters(self.pools()))

    def _adopt(self, counters: Mapping[str, LimitCounter]) -> None:
        totals = self.manager.totals(counters)
        with self.lock:
            self.reservations.adopt_all(counters, totals, self.clock())

    def tell(self, event: str, facts: Mapping[str, Any]) -> None:
        """Send an event of the store."""
        if self.emitter.listening:
            self.emitter.emit(RoutingEvent(event, time.time(), None, None, None, facts))
