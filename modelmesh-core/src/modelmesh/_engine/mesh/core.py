"""Shared core of one mesh: lock, clock, random source, health, limits and drivers."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING

from modelmesh._engine.foundation.clock import Clock
from modelmesh._engine.health.health_registry import HealthRegistry
from modelmesh._engine.limits.reservations import Reservations
from modelmesh._engine.routing.attempt_lease import AttemptLease, return_lost_leases

if TYPE_CHECKING:
    from modelmesh._engine.execution.aio import AsyncDriver
    from modelmesh._engine.execution.sync import SyncDriver
    from modelmesh._engine.health.lease import Lease
    from modelmesh._engine.routing.steps import Totals


class MeshCore:
    """State that exists before a configuration is assembled, and that every part of a mesh shares.

    Attributes:
        lock: Held around each step of a request. Reentrant: the garbage collector may close a stream during a step.
        clock: Monotonic seconds.
        rng: Source of every random number of the mesh.
        health: Circuit breakers and cooldowns.
        reservations: Limits and what requests reserve of them.
        publisher: Publishes the deltas of shared counters and returns their totals, ``None`` without shared counters.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        asleep: Callable[[float], Awaitable[None]] | None,
        wall: Callable[[], float],
        rng: random.Random,
    ) -> None:
        self.lock = RLock()
        self.clock = clock
        self.rng = rng
        self.health = HealthRegistry(draw=rng.random)
        self.health.on_lost = self._return_lease
        self.reservations = Reservations(self.health, Clock.start(clock, wall))
        self.publisher: Callable[[dict[str, int]], Totals | None] | None = None
        self._sleep, self._asleep = sleep, asleep

    @cached_property
    def driver(self) -> SyncDriver:
        """Driver of requests in threads, imported for the first of them."""
        from modelmesh._engine.execution.sync import SyncDriver  # noqa: PLC0415 - create() needs no driver

        return SyncDriver(self.lock, self.clock, self._sleep, self.publisher)

    @cached_property
    def adriver(self) -> AsyncDriver:
        """Driver of requests in tasks, imported for the first of them."""
        from modelmesh._engine.execution.aio import AsyncDriver  # noqa: PLC0415 - a client for threads needs no asyncio

        return AsyncDriver(self.lock, self.clock, self._asleep, self.publisher)

    def unix_now(self) -> float:
        """Return Unix seconds by the monotonic clock, so that a change of the wall clock has no effect."""
        return self.reservations.clock.unix_now()

    def advance(self) -> None:
        """Bring health up to date with the clock."""
        with self.lock:
            self.health.advance(self.clock())

    def after_fork(self) -> None:
        """Replace the lock, which may have been held, and drop the leases: the parent's threads settle those."""
        self.lock = RLock()
        for name in ("driver", "adriver"):
            if name in self.__dict__:  # a stream of the parent holds its driver
                getattr(self, name).lock = self.lock
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
