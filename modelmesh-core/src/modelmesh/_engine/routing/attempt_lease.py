"""Lease of an attempt with its reservation, and the return of leases after interrupted attempts.

An interrupt may come between any two lines. Reserved amounts are therefore recomputed from the leases that are still in flight,
rather than undone step by step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from modelmesh._engine.foundation.failures import Billed
from modelmesh._engine.health.lease import Lease

if TYPE_CHECKING:
    from modelmesh._engine.health.health_registry import HealthRegistry
    from modelmesh._engine.limits.counter import LimitCounter
    from modelmesh._engine.limits.reservation import Reservation
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh._engine.routing.pool import Pool
    from modelmesh.contracts.caller import Caller


@define(eq=False)
class AttemptLease(Lease):
    """Lease of one attempt at a candidate.

    Attributes:
        candidate: The candidate.
        pool: The pool that sends the attempt.
        sent: Whether the request may have been sent.
        caller: The caller of the request.
        reservation: The attempt's reservation, ``None`` when nothing limits it.
    """

    candidate: Candidate = field(kw_only=True)
    pool: Pool = field(kw_only=True, repr=False)
    caller: Caller | None = None
    sent: bool = False
    reservation: Reservation | None = None


def return_lease(lease: AttemptLease, now: float) -> None:
    """Return the place and the reservation of an attempt without a result. May be repeated.

    Args:
        lease: The attempt's lease.
        now: Monotonic seconds.
    """
    if lease.settled:
        return
    pool, candidate = lease.pool, lease.candidate
    pool.reservations.fail(lease.reservation, sent=lease.sent, billed=Billed.UNKNOWN, now=now)
    lease.reservation = None
    counters = pool.reservations.counters_for(pool, candidate, lease.caller)
    changed = _recount({id(counter): counter for counter in counters}, pool.health)
    pool.reservations.recheck(changed, now)
    pool.health.release(lease)


def _recount(counters: dict[int, LimitCounter], health: HealthRegistry) -> list[LimitCounter]:
    """Set the reserved amount of each counter to the sum over the leases in flight. Returns the counters that changed."""
    reserved = dict.fromkeys(counters, 0)
    for lease in tuple(health.leases):
        reservation = lease.reservation if isinstance(lease, AttemptLease) else None
        for counter, amount in reservation.amounts if reservation is not None else ():
            if id(counter) in reserved:
                reserved[id(counter)] += amount
    changed = [counter for key, counter in counters.items() if counter.reserved != reserved[key]]
    for counter in changed:
        counter.correct_reserved(reserved[id(counter)])
    return changed


def return_lost_leases(health: HealthRegistry, now: float) -> None:
    """Return every lease that was garbage-collected with its owner before it was settled."""
    while health.lost:
        lease = health.lost.popleft()
        if isinstance(lease, AttemptLease):
            return_lease(lease, now)
