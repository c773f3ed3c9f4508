"""Shared core of one mesh: lock, clock, random source, health, limits and drivers."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from threading import RLock
from typing import TYPE_CHECKING

from modelmesh._engine.execution import AsyncDriver, SyncDriver
from modelmesh._engine.foundation.clock import Clock
from modelmesh._engine.health.health_registry import HealthRegistry
from modelmesh._engine.limits.reservations import Reservations
from modelmesh._engine.routing.attempt_lease import AttemptLease, return_lost_leases

if TYPE_CHECKING:
    from modelmesh._engine.health.lease import Lease


class MeshCore:
    """State that exists before a configuration is assembled, and that every part of a mesh shares.

    Attributes:
        lock: Held around each step of a request. Reentrant: the garbage collector may close a stream during a step.
        clock: Monotonic seconds.
        rng: Source of every random number of the mesh.
        health: Circuit breakers and cooldowns.
        reservations: Limits and what requests reserve of them.
        driver: Runs requests in threads.
        adriver: Runs requests in tasks.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        asleep: Callable[[float], Awaitable[None]],
        wall: Callable[[], float],
        rng: random.Random,
    ) -> None:
        self.lock = RLock()
        self.clock = clock
        self.rng = rng
        self.health = HealthRegistry(draw=rng.random)
        self.health.on_lost = self._return_lease
        self.reservations = Reservations(self.health, Clock.start(clock, wall))
        self.driver = SyncDriver(self.lock, clock, sleep)
        self.adriver = AsyncDriver(self.lock, clock, asleep)

    def unix_now(self) -> float:
        """Return Unix seconds by the monotonic clock, so that a change of the wall clock has no effect."""
        return self.reservations.clock.unix_now()

    def advance(self) -> None:
        """Bring health up to date with the clock."""
        with self.lock:
            self.health.advance(self.clock())

    def after_fork(self) -> None:
        """Replace the lock, which may have been held, and drop the leases: the parent's threads settle those."""
        self.lock = self.driver.lock = self.adriver.lock = RLock()
        for lease in list(self.health.leases):
            if isinstance(lease, AttemptLease):
                self.reservations.discard(lease.reservation, self.clock())
            self.health.release(lease)

    def _return_lease(self, lease: Lease) -> None:
        """Return the lease of a garbage-collected stream. If another thread holds the lock, the next request does it."""
        self.health.lost.append(lease)
        if self.lock.acquire(blocking=False):
            try:
                return_lost_leases(self.health, self.clock())
            finally:
                self.lock.release()
