"""Settlement of a session, response by response.

The vendor charges for each response of a session. A reservation therefore covers one response: its usage settles the reservation,
and the next one decides whether the session may go on.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any

from modelmesh._engine.foundation.attempts import AttemptOutcome
from modelmesh._engine.foundation.failures import Billed
from modelmesh._engine.foundation.units import NANO
from modelmesh._engine.limits.consumption import consumption
from modelmesh._engine.limits.cost import cost_nano_usd
from modelmesh._engine.routing import final_errors
from modelmesh._engine.routing.attempt_lease import return_lease
from modelmesh._engine.routing.reported_usage import in_chat_format
from modelmesh._engine.routing.steps import Outcome, PublishDeltas, Served, Step, Totals
from modelmesh._engine.routing.stream_progress import StreamProgress
from modelmesh.contracts.operations import REALTIME
from modelmesh.errors import ModelMeshError, ProviderError


class SessionProgress(StreamProgress):
    """State of a session. Its events are not read for their content."""

    __slots__ = ()


class SessionAccount:
    """Usage, cost and limits of one open session."""

    def __init__(self, served: Served, clock: Callable[[], float]) -> None:
        """Initialize.

        Args:
            served: The open session.
            clock: Returns monotonic seconds.
        """
        self._served, self._clock = served, clock
        self._running = self._settled = 0
        self._nano_usd: int | None = 0

    def response_began(self) -> None:
        """Record that the model began a response."""
        self._running += 1

    def response_ended(self, reported: Any) -> Generator[Step, Outcome, ModelMeshError | None]:
        """Settle a response and reserve the next one.

        Args:
            reported: ``usage`` of the response, as the vendor sent it.

        Yields:
            Steps that publish amounts to the shared counters.

        Returns:
            The error that ends the session, because a limit leaves no room for another response.
        """
        self._running = max(self._running - 1, 0)
        usage = in_chat_format(REALTIME, reported)
        if usage is None:
            return None  # nothing was charged, as after a cancellation before any output
        self._settle(usage, estimated=False)
        served = self._served
        pool, candidate, lease, now = served.pool, served.candidate, served.lease, self._clock()
        check = pool.reservations.check(pool, candidate, served.sent, now, is_first=False)
        if check.exceeded is None:
            lease.reservation = pool.reservations.reserve(check, now)
            return (yield from self._publish())
        pool.reservations.record_exceeded(check.exceeded, now)
        return final_errors.budget_exceeded(pool, candidate, check.exceeded, served.attempts, now)

    def _publish(self) -> Generator[Step, Outcome, ModelMeshError | None]:
        """Publish the reservation where limits are shared. Return the error of a limit that other processes exhausted."""
        served = self._served
        reservations, reservation = served.pool.reservations, served.lease.reservation
        if reservation is None or reservations.shared.pending is None:
            return None
        amounts = reservations.shared.publish(reservation)
        try:
            outcome = yield PublishDeltas(amounts)
        except BaseException:
            reservations.shared.requeue(amounts)
            raise
        if isinstance(outcome, Totals):
            exceeded = reservations.apply_totals(reservation, outcome.by_name, self._clock(), outcome.later)
            if exceeded is not None:
                return final_errors.budget_exceeded(served.pool, served.candidate, exceeded, served.attempts, self._clock())
        elif reservations.shared.required and reservation.spends_budget:
            return final_errors.store_unavailable(served.pool)
        return None

    def end(self, error: ProviderError | None, *, completed: bool) -> None:
        """Settle the session. A response that was not complete counts with its expected usage.

        Args:
            error: The failure of the vendor that ended the session, ``None`` without one.
            completed: Whether the vendor or a limit ended the session, rather than the caller.
        """
        served, now = self._served, self._clock()
        attempt, pool, lease = served.attempts[-1], served.pool, served.lease
        if self._running:
            expected = consumption(served.sent, served.candidate, None, 0).usage
            self._settle(expected or {}, estimated=True)
        reservation, lease.reservation = lease.reservation, None
        pool.reservations.fail(reservation, sent=False, billed=Billed.NO, now=now)
        if not self._settled:  # vendors charge for responses alone
            attempt.billed, attempt.cost = Billed.NO, 0.0
        if error is not None:
            attempt.outcome, attempt.failure = AttemptOutcome.INTERRUPTED, error.failure.value
            attempt.error = type(error).__name__
            pool.health.record_failure(lease, error, now, pool.policy.circuit)
        elif completed or self._settled:
            attempt.outcome = AttemptOutcome.ANSWERED
            pool.health.record_success(lease, now)
        else:
            attempt.outcome = AttemptOutcome.CANCELLED
            return_lease(lease, now)

    def _settle(self, usage: Mapping[str, Any], *, estimated: bool) -> None:
        """Settle the reservation of one response, and add its usage and cost to those of the session."""
        served, now = self._served, self._clock()
        attempt, pool, lease = served.attempts[-1], served.pool, served.lease
        cost = cost_nano_usd(served.candidate.info.pricing, usage, pool.unix_time(now))
        reservation, lease.reservation = lease.reservation, None
        pool.reservations.settle(reservation, usage, cost, now, unreported=estimated)
        attempt.usage = _sum(attempt.usage or {}, usage)
        attempt.estimated = attempt.estimated or estimated
        self._nano_usd = None if cost is None or self._nano_usd is None else self._nano_usd + cost
        attempt.cost = None if self._nano_usd is None else self._nano_usd / NANO
        self._settled += 1


def _sum(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sum of two usages, with their details."""
    total = dict(one)
    for name, value in other.items():
        earlier = total.get(name)
        if isinstance(value, Mapping):
            total[name] = _sum(earlier if isinstance(earlier, Mapping) else {}, value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            total[name] = value + (earlier if isinstance(earlier, int | float) else 0)
        elif earlier is None:
            total[name] = value
    return total
