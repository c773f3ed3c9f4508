"""The flow of a request: a generator that yields steps and receives their outcomes.

The flow does no I/O, and reads only the clock and the random source that it is given. Both drivers therefore behave alike, a
virtual clock runs a day of requests in a millisecond, and a dry run is the same code stopped at its first step.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from modelmesh._engine.foundation.attempts import Attempt
from modelmesh._engine.routing import final_errors
from modelmesh._engine.routing.attempt_flow import attempt, reject
from modelmesh._engine.routing.attempt_lease import return_lost_leases
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.plan import RequestPlan
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.routing.retries import retry_delay
from modelmesh._engine.routing.selection import choose
from modelmesh._engine.routing.selection_sets import SelectionSets
from modelmesh._engine.routing.steps import Flow, Outcome, Served, Step
from modelmesh._engine.routing.waiting import leave_queue, wait, wait_for_candidate, wait_for_settlement
from modelmesh.contracts.call import Call
from modelmesh.contracts.strategy import SelectionRequest
from modelmesh.errors import RoutingError


def serve(
    call: Call, pool: Pool, *, clock: Callable[[], float], rng: Any, dry_run: bool = False, attempts: list[Attempt] | None = None
) -> Flow:
    """Serve one request.

    Args:
        call: The request.
        pool: The pool that serves it.
        clock: Returns monotonic time, seconds.
        rng: Random source with a method ``random()``.
        dry_run: Change nothing. The caller closes the flow at its first step.
        attempts: List that receives the attempts, for a caller that closes the flow early.

    Yields:
        Steps. The outcome of a :class:`.Send` is an :class:`.Answer`, an :class:`.Opened` stream or a ``ProviderError``, that
        of a :class:`.Wait` is ``None``.

    Returns:
        The result.

    Raises:
        NoActiveModelError: No member is capable and available.
        AllProvidersExhaustedError: Every attempt failed.
        BadRequestError: The request itself is wrong.
    """
    started = clock()
    return_lost_leases(pool.health, started)
    pool.health.advance(started)
    if pool.standby_policy is not None:
        pool.standby_policy.raise_pending(keep=dry_run)
    plan = _plan(call, pool, clock, rng, [] if attempts is None else attempts, started)
    plan.pacer = None if dry_run else pool.pacer
    try:
        while plan.has_time_for_attempt():
            try:
                choice = choose(plan)
            except RoutingError:
                if not plan.attempts:
                    raise
                break
            if choice is None:
                if not (yield from wait_for_candidate(plan)):
                    break
                continue
            candidate, reason = choice
            served = yield from _try_candidate(plan, candidate, reason, dry_run=dry_run)
            if served is not None:
                return served
    finally:
        if plan.ticket is not None:
            leave_queue(plan)
    if plan.first_refusal is not None:
        raise final_errors.final_provider_error(plan.first_refusal, plan.attempts)
    raise final_errors.no_target_answered(
        pool, call, plan.sets, plan.attempts, plan.last_error, clock(), plan.exceeded_limits, ended=plan.end_reason
    )


def _plan(call: Call, pool: Pool, clock: Callable[[], float], rng: Any, attempts: list[Attempt], started: float) -> RequestPlan:
    selection = SelectionRequest(call, pool.name, started, rng, call.options.session_id)
    sets = SelectionSets(pool.capable(call), pool.available)
    total = pool.policy.limits.total if call.options.timeout is None else call.options.timeout
    return RequestPlan(
        call=call,
        pool=pool,
        clock=clock,
        rng=rng,
        selection=selection,
        sets=sets,
        deadline=started + total,
        attempts=attempts,
    )


def _try_candidate(
    plan: RequestPlan, candidate: Candidate, reason: str, *, dry_run: bool
) -> Generator[Step, Outcome, Served | None]:
    """Send the request to a candidate if its limits allow it, and retry it there as the retry policy allows.

    Returns:
        The result, or ``None`` to select again.

    Raises:
        BudgetExceededError: A limit ends the request.
        ProviderError: The failure of the candidate is final.
    """
    pool, retries = plan.pool, 0
    check = pool.reservations.check(pool, candidate, plan.call, plan.clock(), is_first=not plan.attempts)
    may_send = dry_run or check.plan is None or not plan.waits_for_budget(check)
    while may_send:
        if check.exceeded is not None:
            reject(plan, candidate, check.exceeded, dry_run=dry_run)
            if not retries:
                return None  # nothing was sent, so the request does not rotate
            break
        served = yield from attempt(plan, candidate, reason, check, dry_run=dry_run)
        if served is not None:
            return served
        delay = _delay_of_retry(plan, candidate, retries)
        if delay is None:
            break
        retries += 1
        yield from _wait_for_retry(plan, delay)
        check = pool.reservations.check(pool, candidate, plan.call, plan.clock(), is_first=not plan.attempts)
    if plan.awaits_budget:
        yield from wait_for_settlement(plan)
    else:
        pool.record_rotation()
    return None


def _delay_of_retry(plan: RequestPlan, candidate: Candidate, retries: int) -> float | None:
    """Return the delay before the next retry at a candidate, ``None`` when the request leaves it.

    Raises:
        ProviderError: The failure is final.
    """
    if plan.awaits_budget or plan.has_exceeded_limit(candidate):
        return None
    error = plan.last_error
    assert error is not None
    delay = retry_delay(plan, error, candidate, retries)
    if delay is None:
        final = plan.final_error(candidate, error)
        if final is not None:
            raise final_errors.final_provider_error(final, plan.attempts)
        plan.exclude(candidate, error)
    return delay


def _wait_for_retry(plan: RequestPlan, delay: float) -> Generator[Step, Outcome]:
    if delay:
        yield from wait(plan, delay)
    else:
        plan.pool.health.advance(plan.clock())
