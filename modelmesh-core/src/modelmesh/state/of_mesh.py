"""What a mesh counts and knows, as a state manager takes it and gives it back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from threading import RLock
from typing import TYPE_CHECKING, Any

from attrs import define

from modelmesh.contracts.observability import RoutingEvent
from modelmesh.state import image

if TYPE_CHECKING:
    from modelmesh.events import Emitter
    from modelmesh.routing.health import HealthBook
    from modelmesh.routing.ledger import Ledger
    from modelmesh.routing.pool import Pool
    from modelmesh.state.image import SystemState
    from modelmesh.state.manager import StateManager
    from modelmesh.usage import UsageTracker


@define(eq=False)
class StateOfMesh:
    """The counts and the health of one mesh, under its lock.

    Attributes:
        pools: Gives the mesh's pools.
        book: Their health.
        ledger: Their limits.
        usage: What was used.
        emitter: Hears of what happens to the store.
        lock: The mesh's.
        clock: Monotonic seconds.
    """

    pools: Callable[[], Sequence[Pool]]
    book: HealthBook
    ledger: Ledger
    usage: UsageTracker
    emitter: Emitter
    lock: RLock
    clock: Callable[[], float]

    def take(self) -> SystemState:
        """Return what is to be saved."""
        with self.lock:
            return image.take(self.pools(), self.ledger, self.usage, self.clock())

    def apply(self, state: SystemState) -> None:
        """Go on from what was saved."""
        with self.lock:
            image.apply(state, self.pools(), self.book, self.ledger, self.usage, self.clock())

    def settled(self) -> dict[str, int]:
        """Take what the store has not been told of yet, with a zero for each count that is only looked at."""
        with self.lock:
            posted = self.ledger.take_posted()
            return {**dict.fromkeys(self.ledger.watched(), 0), **posted}

    def adopt(self, totals: Mapping[str, int]) -> None:
        """Take what all processes together have spent, of limits that are spent."""
        with self.lock:
            self.ledger.adopt_spent(totals, self.clock())

    def adopt_all(self, state: StateManager) -> None:
        """Take what all processes together have spent, of every limit."""
        meters = self.ledger.meters(self.pools())
        totals = state.totals(meters)
        with self.lock:
            self.ledger.adopt_all(meters, totals, self.clock())

    def tell(self, event: str, facts: Mapping[str, Any]) -> None:
        """Send an event of the store."""
        if self.emitter.listening:
            self.emitter.emit(RoutingEvent(event, time.time(), None, None, None, facts))
