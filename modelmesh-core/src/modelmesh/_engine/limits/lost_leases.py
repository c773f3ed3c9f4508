"""Giving back the leases of attempts that were cut short, with their reservations.

An interrupt may come between any two lines. What counts is therefore recomputed from the leases that are still in flight,
rather than undone step by step.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelmesh._engine.health.circuit_breaker import Lease
    from modelmesh._engine.health.registry import HealthBook
    from modelmesh._engine.limits.counter import Meter


def give_back(lease: Lease, now: float) -> None:
    """Give back the place and the reservation of an attempt whose result will not come. May be repeated.

    Args:
        lease: The attempt's.
        now: Monotonic seconds.
    """
    candidate, pool = lease.candidate, lease.pool
    if pool is None or lease.settled:
        return
    pool.ledger.fail(lease.booking, sent=lease.sent, billed="unknown", now=now)
    lease.booking = None
    meters = chain(candidate.health.meters, candidate.account.meters, pool.meters, pool.ledger.everywhere)
    changed = _recount({id(meter): meter for meter in meters}, pool.book)
    pool.ledger.recheck(changed, now)
    pool.book.release(lease)


def _recount(meters: dict[int, Meter], book: HealthBook) -> list[Meter]:
    """Set what each meter has reserved to the sum of what the leases in flight hold; return the meters that were off."""
    held = dict.fromkeys(meters, 0)
    for lease in tuple(book.leases):
        for meter, amount in lease.booking.held if lease.booking is not None else ():
            if id(meter) in held:
                held[id(meter)] += amount
    changed = [meter for key, meter in meters.items() if meter.reserved != held[key]]
    for meter in changed:
        meter.reserved = held[id(meter)]
    return changed


def give_back_lost(book: HealthBook, now: float) -> None:
    """Give back every lease whose owner was collected without settling it."""
    while book.lost:
        give_back(book.lost.popleft(), now)
