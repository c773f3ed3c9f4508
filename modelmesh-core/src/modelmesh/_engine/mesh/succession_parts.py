"""The parts of a mesh that its successor takes over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import RLock
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from modelmesh._engine.health.health_registry import HealthRegistry
    from modelmesh._engine.limits.reservations import Reservations
    from modelmesh._engine.routing.pool import Pool
    from modelmesh._engine.state import StateManager
    from modelmesh._engine.telemetry.usage import UsageTracker


@frozen
class SuccessionParts:
    """Parts of a mesh.

    Attributes:
        lock: Its lock.
        clock: Returns monotonic seconds.
        health: Its circuit breakers.
        reservations: Its limits.
        usage: Its usage totals.
        pools: Returns its pools.
        state: Persists its state, ``None`` without a storage section.
    """

    lock: RLock
    clock: Callable[[], float]
    health: HealthRegistry
    reservations: Reservations
    usage: UsageTracker
    pools: Callable[[], Sequence[Pool]]
    state: StateManager | None
