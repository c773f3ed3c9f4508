"""Waits of a request: for the pace of its pool, for a slot of a provider account, and for a budget."""

from __future__ import annotations

from collections.abc import Generator

from modelmesh._engine.health.admission_queue import Ticket
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.routing.plan import MIN_TIME_FOR_ATTEMPT_S, RequestPlan
from modelmesh._engine.routing.selection import choose
from modelmesh._engine.routing.steps import Outcome, Step, Wait

QUEUE_POLL_S = 1.0
"""Interval at which a queued request checks whether another candidate became available. A granted slot wakes it at once."""

BUDGET_POLL_S = 0.05
"""Interval at which a request checks whether a budget has room that is reserved for other requests."""


def wait_for_candidate(plan: RequestPlan) -> Generator[Step, Outcome, bool]:
    """Wait until a candidate may be tried, for the pace of the pool or in a queue.

    Returns:
        ``False`` when waiting does not help.
    """
    if not plan.pace_delay:
        return plan.end_reason is None and (yield from _wait_in_queue(plan))
    if not _may_wait_for_pace(plan):
        return False
    yield from wait(plan, plan.pace_delay)
    return True


def wait(plan: RequestPlan, seconds: float) -> Generator[Step, Outcome]:
    """Wait, and apply what became due meanwhile."""
    plan.waited += seconds
    yield Wait(seconds)
    plan.pool.health.advance(plan.clock())


def _wait_in_queue(plan: RequestPlan) -> Generator[Step, Outcome, bool]:
    """Wait in the queues of the accounts at capacity.

    Returns:
        ``False`` when no candidate became available.
    """
    leave_queue(plan)  # a slot that was granted and could not be used goes to the next request
    accounts = () if plan.gave_up_waiting else plan.queueable_accounts()
    if not accounts:
        _give_up(plan, 0.0)
        return choose(plan) is not None
    began = plan.clock()
    longest = _max_wait(plan, accounts)
    ticket = Ticket()
    plan.ticket = ticket
    plan.queued_at = accounts
    plan.pool.health.enqueue(ticket, accounts)
    while ticket.granted is None:
        left = longest - (plan.clock() - began)
        if left <= 0:
            leave_queue(plan)
            _give_up(plan, longest)
            return True
        yield Wait(min(QUEUE_POLL_S, left), ticket)
        plan.pool.health.advance(plan.clock())
        if plan.untried() or not any(account.ready for account in accounts):
            break
    waited = plan.clock() - began
    plan.waited += waited
    full = ", ".join(f"{one.provider_id} ({one.concurrency_limit} requests in flight at most)" for one in accounts)
    plan.queue_note = f"waited {waited:.1f} s for a slot of {full}"
    if ticket.granted is None:
        leave_queue(plan)
    return True


def _may_wait_for_pace(plan: RequestPlan) -> bool:
    """Return whether the delay of the pool's pace fits the time that is left."""
    if plan.pace_delay <= plan.time_left() - MIN_TIME_FOR_ATTEMPT_S:
        return True
    plan.end_reason = f"rate_limit of the pool lets the next request through in {plan.pace_delay:.1f} s, after the deadline"
    return False


def _max_wait(plan: RequestPlan, accounts: tuple[ProviderHealth, ...]) -> float:
    """Return how long the request may wait for a slot of some accounts, seconds."""
    left = plan.time_left()
    left -= min(MIN_TIME_FOR_ATTEMPT_S, left / 2)
    limits = [account.admission.wait_s for account in accounts]
    return left if None in limits else min(left, max(limit for limit in limits if limit is not None))


def _give_up(plan: RequestPlan, seconds: float) -> None:
    """Record that no slot became free in time, or that every queue is full."""
    plan.gave_up_waiting = True
    busy = plan.pool.accounts_at_capacity(plan.sets.capable & ~plan.sets.tried)
    names = ", ".join(f"{one.provider_id} ({one.in_flight} in flight, {one.admission.waiting} waiting)" for one in busy)
    if names and seconds:
        plan.end_reason = f"no slot became free within {seconds:.1f} s at {names}"
    elif names:
        plan.end_reason = f"the queue is full at {names}"


def leave_queue(plan: RequestPlan) -> None:
    """Leave the queue, or return the slot that was granted and not taken."""
    if plan.ticket is not None:
        plan.pool.health.dequeue(plan.ticket, plan.queued_at)
        plan.ticket = None
        plan.queued_at = ()


def wait_for_settlement(plan: RequestPlan) -> Generator[Step, Outcome]:
    """Wait for other attempts to settle the amounts that budgets reserve for them."""
    plan.awaits_budget = False
    plan.budget_waited += BUDGET_POLL_S
    leave_queue(plan)
    yield from wait(plan, BUDGET_POLL_S)
