"""Giving back the leases of attempts that were cut short, with their reservations.

An interrupt may come between any two lines. What counts is therefore recomputed from the leases that are still in flight,
rather than undone step by step.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from modelmesh._engine.foundation.failures import Billed

if TYPE_CHECKING:
    from modelmesh._engine.health.circuit_breaker import Lease
    from modelmesh._engine.health.registry import HealthRegistry
    from modelmesh._engine.limits.counter import LimitCounter


def return_lease(lease: Lease, now: float) -> None:
    """Give back the place and the reservation of an attempt whose result will not come. May be repeated.

    Args:
        lease: The attempt's.
        now: Monotonic seconds.
    """
    candidate, pool = lease.candidate, lease.pool
    if pool is None or lease.settled:
        return
    pool.reservations.fail(lease.reservation, sent=lease.sent, billed=Billed.UNKNOWN, now=now)
    lease.reservation = None
    counters = chain(candidate.health.counters, candidate.account.counters, pool.counters, pool.reservations.global_counters)
    changed = _recount({id(counter): counter for counter in counters}, pool.health)
    pool.reservations.recheck(changed, now)
    pool.health.release(lease)


def _recount(counters: dict[int, LimitCounter], health: HealthRegistry) -> list[LimitCounter]:
    """Set what each meter has reserved to the sum of what the leases in flight hold; return the meters that were off."""
    held = dict.fromkeys(counters, 0)
    for lease in tuple(health.leases):
        for counter, amount in lease.reservation.amounts if lease.reservation is not None else ():
            if id(counter) in held:
                held[id(counter)] += amount
    changed = [counter for key, counter in counters.items() if counter.reserved != held[key]]
    for counter in changed:
        counter.reserved = held[id(counter)]
    return changed


def return_lost_leases(health: HealthRegistry, now: float) -> None:
    """Give back every lease whose owner was collected without settling it."""
    while health.lost:
        return_lease(health.lost.popleft(), now)
