"""The flow of a request: a generator that yields steps and is sent their outcomes.

The flow does no I/O, and reads only the clock and the random source that it is given. The synchronous and the
asynchronous driver therefore cannot differ, a virtual clock runs a day of it in a millisecond, and a dry plan is the
same code stopped at its first step.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any

from attrs import define, evolve, field, frozen

from modelmesh._engine.foundation.attempts import Attempt, AttemptOutcome
from modelmesh._engine.foundation.failure_rules import RULES
from modelmesh._engine.foundation.failures import Billed, FailureClass, Scope
from modelmesh._engine.foundation.units import NANO
from modelmesh._engine.health.admission_queue import Ticket
from modelmesh._engine.health.circuit_breaker import Lease, LeaseGuard
from modelmesh._engine.health.retry_policy import StreamPolicy
from modelmesh._engine.limits.consumption import consumption
from modelmesh._engine.limits.cost import cost_nano_usd
from modelmesh._engine.limits.counter import Metric
from modelmesh._engine.limits.lost_leases import return_lease, return_lost_leases
from modelmesh._engine.limits.reservations import Refusal
from modelmesh._engine.limits.token_counts import answer_tokens
from modelmesh._engine.routing import final_errors
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.plan import BUDGET_POLL_S, QUEUE_POLL_S, RequestPlan
from modelmesh._engine.routing.plugin_errors import strategy_raised
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.routing.response_check import check_answer, usage_of
from modelmesh._engine.routing.selection_sets import SelectionSets
from modelmesh._engine.routing.stream_progress import Progress
from modelmesh.contracts.call import Call, Limits
from modelmesh.contracts.provider import Answer
from modelmesh.contracts.strategy import SelectionRequest
from modelmesh.contracts.usage import reported_tokens
from modelmesh.errors import ProviderError, RoutingError


@frozen
class Send:
    """Step: send the request to this candidate.

    Attributes:
        call: The request.
        candidate: Whom to ask.
        limits: How long it may take.
        attempt: The record to be filled.
        stream: How long a stream is held back.
    """

    call: Call
    candidate: Candidate
    limits: Limits
    attempt: Attempt
    stream: StreamPolicy = field(factory=StreamPolicy)


@frozen
class Wait:
    """Step: let this many seconds pass.

    Attributes:
        seconds: How long.
        ticket: The request waits in a queue; the driver may end the wait when the ticket is notified.
    """

    seconds: float
    ticket: Ticket | None = None


@define(eq=False)
class Opened:
    """Outcome: a stream that has shown content.

    Attributes:
        stream: The open stream.
        events: Its iterator, positioned after ``held``.
        held: Chunks already read from it.
        progress: What is known of it so far.
        left: Whether another thread has closed it while it was read.
    """

    stream: Any
    events: Any
    held: list[dict[str, Any]]
    progress: Progress
    left: bool = False


@frozen
class PublishDeltas:
    """Step: count these amounts, by name of the count, where other processes and later runs see them.

    Whoever sends them takes them out; what is left in it when the step fails was not sent. The outcome is
    :class:`Totals`, or nothing where there are none to be had.
    """

    amounts: dict[str, int]


@frozen
class Totals:
    """Outcome: what all processes together have counted, by name of the count."""

    by_name: Mapping[str, int]


Outcome = Totals | Answer | Opened | ProviderError | None
Step = Send | Wait | PublishDeltas


@define(eq=False)
class Served:
    """End of a flow: somebody answered, or began to.

    Attributes:
        pool: The pool that was asked.
        candidate: Who answered.
        outcome: The answer or the open stream.
        attempts: The record, the successful attempt last.
        reason: Why this candidate.
        sets: What the choice was made from, for ``explain()``.
        lease: Records the attempt's outcome in the health tracker when a stream ends.
        request: What the strategy was told of the request.
        guard: Gives the lease back when a stream is lost before it ended.
    """

    pool: Pool
    candidate: Candidate
    outcome: Answer | Opened
    attempts: list[Attempt]
    reason: str
    sets: SelectionSets
    lease: Lease
    request: SelectionRequest
    guard: LeaseGuard


Flow = Generator[Step, Outcome, Served]


def serve(
    call: Call, pool: Pool, *, clock: Callable[[], float], rng: Any, dry_run: bool = False, attempts: list[Attempt] | None = None
) -> Flow:
    """Serve one request.

    Args:
        call: The request.
        pool: Who may serve it.
        clock: Gives monotonic time, seconds.
        rng: Has ``random()``.
        dry_run: Stop short of changing anything; the flow is dropped at its first step.
        attempts: Takes the record; whoever drops the flow in the middle finds there what was begun.

    Yields:
        Steps. A :class:`Send` wants an :class:`Answer`, an :class:`Opened` stream or a ``ProviderError`` sent back,
        a :class:`Wait` nothing.

    Returns:
        Who answered.

    Raises:
        NoActiveModelError: No member is able and ready.
        AllProvidersExhaustedError: Every attempt failed.
        BadRequestError: The request itself is wrong.
    """
    started = clock()
    return_lost_leases(pool.health, started)
    pool.health.advance(started)
    if pool.judge is not None and pool.judge.error is not None:
        error, pool.judge.error = pool.judge.error, pool.judge.error if dry_run else None
        raise error
    selection = SelectionRequest(call, pool.name, started, rng, call.options.session_id)
    total = pool.policy.limits.total if call.options.timeout is None else call.options.timeout
    record = [] if attempts is None else attempts
    plan = RequestPlan(
        call, pool, clock, rng, selection, SelectionSets(pool.capable(call), pool.available), started + total, record
    )
    plan.pacer = None if dry_run else pool.pacer
    try:
        while plan.has_time_for_attempt():
            try:
                choice = plan.choose()
            except RoutingError:
                if not plan.attempts:
                    raise
                break
            if choice is None:
                if not (yield from _wait_for_candidate(plan)):
                    break
                continue
            candidate, reason = choice
            served = yield from _try_candidate(plan, candidate, reason, dry_run=dry_run)
            if served is not None:
                return served
    finally:
        _leave_queue(plan)
    if plan.first_refusal is not None:
        raise final_errors.final_provider_error(plan.first_refusal, plan.attempts)
    raise final_errors.no_target_answered(
        pool, call, plan.sets, plan.attempts, plan.last_error, clock(), plan.refusals, ended=plan.end_reason
    )


def _try_candidate(
    plan: RequestPlan, candidate: Candidate, reason: str, *, dry_run: bool
) -> Generator[Step, Outcome, Served | None]:
    """Send the request to a candidate if its limits let it through; ``None`` when the loop goes on.

    Raises:
        BudgetExceededError: A limit ends the request.
    """
    pool = plan.pool
    refusal = pool.reservations.check(pool, candidate, plan.call, plan.clock())
    if dry_run or not plan.waits_for_budget(candidate, refusal):
        if refusal is not None:
            _reject(plan, candidate, refusal, dry_run=dry_run)
            return None
        served = yield from _try_with_retries(plan, candidate, reason, dry_run=dry_run)
        if served is not None:
            return served
    if plan.awaits_budget:
        yield from _wait_for_settlement(plan)
    else:
        pool.record_rotation()
    return None


def _reject(plan: RequestPlan, candidate: Candidate, refusal: Refusal, *, dry_run: bool = False) -> None:
    """Go on without a candidate whose limits the request does not fit.

    Raises:
        BudgetExceededError: The limit ends the request.
    """
    if not dry_run:
        plan.pool.reservations.record_refusal(refusal, plan.clock())
    plan.refuse(candidate, refusal)
    if refusal.ends_request(plan.pool.policy):
        raise final_errors.budget_exceeded(plan.pool, candidate, refusal, plan.attempts)


def _try_with_retries(
    plan: RequestPlan, candidate: Candidate, reason: str, *, dry_run: bool
) -> Generator[Step, Outcome, Served | None]:
    """Ask one candidate, and again where the rules let it be asked again; ``None`` when the next one is to be asked."""
    retries = 0
    while True:
        served = yield from _attempt(plan, candidate, reason, dry_run=dry_run)
        if served is not None or plan.awaits_budget or plan.is_refused(candidate):
            return served
        error = plan.last_error
        assert error is not None
        delay = plan.retry_delay(error, candidate, retries)
        if delay is None:
            final = plan.final_error(candidate, error)
            if final is not None:
                raise final_errors.final_provider_error(final, plan.attempts)
            plan.exclude(candidate, error)
            return None
        retries += 1
        plan.waited = delay
        if delay:
            yield Wait(delay)
        plan.pool.health.advance(plan.clock())
        refusal = plan.pool.reservations.check(plan.pool, candidate, plan.call, plan.clock())
        if refusal is not None:
            _reject(plan, candidate, refusal)
            return None


def _wait_for_candidate(plan: RequestPlan) -> Generator[Step, Outcome, bool]:
    """Wait until a candidate may be tried, for the pool's pace or in a queue; ``False`` when waiting does not help."""
    if not plan.pace_delay:
        return plan.end_reason is None and (yield from _wait_in_queue(plan))
    if not plan.may_wait_for_pace():
        return False
    plan.waited += plan.pace_delay
    yield Wait(plan.pace_delay)
    plan.pool.health.advance(plan.clock())
    return True


def _wait_in_queue(plan: RequestPlan) -> Generator[Step, Outcome, bool]:
    """Wait in the queues of the accounts that are full; ``False`` when no candidate became available."""
    _leave_queue(plan)  # a place that was granted and could not be used goes to the next request
    accounts = () if plan.gave_up_waiting else plan.queueable_accounts()
    if not accounts:
        plan.give_up_waiting(0.0)
        return plan.choose() is not None
    began, longest = plan.clock(), plan.max_wait(accounts)
    plan.ticket, plan.queued_at = Ticket(), accounts
    plan.pool.health.enqueue(plan.ticket, accounts)
    while plan.ticket.granted is None:
        left = longest - (plan.clock() - began)
        if left <= 0:
            _leave_queue(plan)
            plan.give_up_waiting(longest)
            return True
        seconds = min(QUEUE_POLL_S, left)
        yield Wait(seconds, plan.ticket)
        plan.pool.health.advance(plan.clock())
        if plan.untried() or not any(account.ready for account in accounts):
            break
    plan.waited += plan.clock() - began
    if plan.ticket.granted is None:
        _leave_queue(plan)
    return True


def _leave_queue(plan: RequestPlan) -> None:
    """Give up the request's place in the queue, or the place that it was granted and did not take."""
    if plan.ticket is not None:
        plan.pool.health.dequeue(plan.ticket, plan.queued_at)
        plan.ticket, plan.queued_at = None, ()


def _wait_for_settlement(plan: RequestPlan) -> Generator[Step, Outcome]:
    """Let some time pass in which other attempts settle what budgets reserve for them."""
    plan.awaits_budget = False
    plan.budget_waited += BUDGET_POLL_S
    plan.waited += BUDGET_POLL_S
    _leave_queue(plan)
    yield Wait(BUDGET_POLL_S)
    plan.pool.health.advance(plan.clock())


def _attempt(plan: RequestPlan, candidate: Candidate, reason: str, *, dry_run: bool) -> Generator[Step, Outcome, Served | None]:
    pool, now = plan.pool, plan.clock()
    attempt = Attempt(len(plan.attempts) + 1, candidate.provider_id, candidate.model_id, reason, plan.waited * 1000)
    limits = candidate.account.override_limits(pool.policy.limits).within(max(plan.ends - now, 0.001))
    send = Send(plan.call, candidate, limits, attempt, pool.policy.stream)
    if dry_run:
        yield send
        return None
    lease = Lease(candidate, pool)
    guard = LeaseGuard(lease, pool.health.on_lost)
    try:
        pool.health.begin(lease, now)
        _leave_queue(plan)
        lease.reservation = pool.reservations.reserve(pool, candidate, plan.call, now)
        if lease.reservation is not None and pool.reservations.deltas is not None:
            refusal = yield from _publish_reservation(plan, lease)
            if refusal is not None:
                _reject_late(plan, candidate, refusal)
                return None
        send = _with_output_limit(send, pool, lease, now)
        plan.waited = 0.0
        plan.attempts.append(attempt)
        pool.record_request()
        if pool.pacer is not None:
            pool.pacer.sent(candidate, now)
        _notify(pool, "picked", candidate, plan.selection)
        lease.sent = True
        outcome = yield send
        if isinstance(outcome, Answer):
            outcome = check_answer(plan.call, outcome)
        if isinstance(outcome, ProviderError):
            _record_failure(plan, lease, attempt, outcome)
            return None
        assert isinstance(outcome, Answer | Opened)
        done = plan.clock()
        attempt.ms = (done - now) * 1000
        attempt.billed = Billed.YES
        served = Served(pool, candidate, outcome, plan.attempts, reason, plan.sets, lease, plan.selection, guard)
        if isinstance(outcome, Opened):
            attempt.outcome = AttemptOutcome.STREAMING
            attempt.note(outcome.stream.adapted)
        else:
            attempt.outcome = AttemptOutcome.ANSWERED
            attempt.note(outcome.adapted)
            usage = usage_of(outcome.body)
            is_reported = usage is not None and reported_tokens(usage.get("completion_tokens")) is not None
            output = 0 if is_reported else answer_tokens(outcome.body)
            settle(served, usage=usage, output=output, now=done, seconds=done - now)
    except BaseException:
        # Whatever cuts the attempt short, its place and its reservation are given back: a caller who leaves, an interrupt
        # between any two lines, a strategy that raises.
        if not lease.settled:
            attempt.outcome = AttemptOutcome.CANCELLED
            attempt.ms = (plan.clock() - now) * 1000
            return_lease(lease, plan.clock())
        raise
    return served


def _record_failure(plan: RequestPlan, lease: Lease, attempt: Attempt, error: ProviderError) -> None:
    """Record the consumption of a failed attempt, and its effect on the candidate's health."""
    pool, candidate, done = plan.pool, lease.candidate, plan.clock()
    error.provider_id, error.model_id = candidate.provider_id, candidate.model_id
    attempt.fail(error, done - lease.began)
    plan.record_failure(candidate, error)
    if isinstance(error.usage, Mapping) and error.billed != "no":
        _settle_reported(pool, lease, attempt, candidate, error.usage, done)
    pool.reservations.fail(lease.reservation, sent=error.failure is not FailureClass.CONNECT, billed=error.billed, now=done)
    pool.health.record_failure(lease, error, done, pool.policy.circuit)
    if RULES[error.failure].scope is not Scope.NONE:
        _notify(pool, "failed", candidate, plan.selection, error)
        _run_policies(pool, candidate, done, error=error)


def _reject_late(plan: RequestPlan, candidate: Candidate, refusal: Refusal) -> None:
    """Go on after other processes reserved what this attempt needs: wait for what a budget reserves, else leave the candidate.

    Raises:
        BudgetExceededError: The limit ends the request.
    """
    plan.awaits_budget = refusal.counter.limit.metric is Metric.COST and plan.may_wait_for_budget()
    if not plan.awaits_budget:
        _reject(plan, candidate, refusal)


def _with_output_limit(send: Send, pool: Pool, lease: Lease, now: float) -> Send:
    """Return the step with the output limit in its call, where the mesh sets one; the attempt records it."""
    limit = pool.reservations.output_limit(lease.reservation, send.candidate, send.call, now)
    if limit is None:
        return send
    send.attempt.note((limit.note,))
    return evolve(send, call=limit.applied(send.call))


def _publish_reservation(plan: RequestPlan, lease: Lease) -> Generator[Step, Outcome, Refusal | None]:
    """Have the reservation counted where other processes see it; one that comes too late there is given back."""
    pool, reservation = plan.pool, lease.reservation
    assert reservation is not None
    amounts = pool.reservations.publish(reservation)
    try:
        outcome = yield PublishDeltas(amounts)
    except BaseException:
        pool.reservations.requeue(amounts)
        raise
    refusal = pool.reservations.apply_totals(reservation, outcome.by_name, plan.clock()) if isinstance(outcome, Totals) else None
    if refusal is not None:
        return_lease(lease, plan.clock())
    return refusal


def _settle_reported(
    pool: Pool, lease: Lease, attempt: Attempt, candidate: Candidate, usage: Mapping[str, Any], now: float
) -> None:
    """Count what an attempt without an answer took by its vendor's own word."""
    attempt.usage = dict(usage)
    _price(pool, attempt, candidate, now)
    pool.reservations.settle(lease.reservation, candidate, usage, now)
    lease.reservation = None


def _price(pool: Pool, attempt: Attempt, candidate: Candidate, now: float) -> None:
    cost = cost_nano_usd(candidate.info.pricing, attempt.usage, pool.reservations.clock.unix(now))
    attempt.cost = None if cost is None else cost / NANO


def settle(served: Served, *, usage: dict[str, Any] | None, output: int, now: float, seconds: float) -> None:
    """Record a served request: at once for a plain answer, at its end for a stream.

    Args:
        served: The request.
        usage: What the vendor reported, where it is well-formed.
        output: Estimated tokens of the answer, for when it is not.
        now: Monotonic seconds.
        seconds: How long the answer took.
    """
    attempt = served.attempts[-1]
    attempt.outcome = AttemptOutcome.ANSWERED
    answer: Any = served.outcome if isinstance(served.outcome, Answer) else served.outcome.stream
    headers, limits = answer.headers, getattr(answer, "rate_limits", ())
    consumed = _consumed(served, usage, output, now)
    reservation, learned = served.lease.reservation, _answer_of(consumed) if attempt.estimated else consumed
    limit = reservation.plan.limit if reservation is not None else None
    served.pool.reservations.settle(reservation, served.candidate, consumed, now, unreported=attempt.estimated)
    served.candidate.learn(learned, limits, now, served.request.call, None if limit is None else limit.tokens)
    served.pool.health.record_success(served.lease, now)
    outcome = {
        "seconds": seconds,
        "first_content_seconds": (attempt.ms or 0.0) / 1000,
        "usage": consumed,
        "headers": headers,
    }
    _notify(served.pool, "succeeded", served.candidate, served.request, outcome)
    _run_policies(served.pool, served.candidate, now, usage=consumed, seconds=seconds)


def _answer_of(consumed: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the estimated size of an answer alone: an estimated prompt cannot improve the estimate of prompts."""
    return {} if consumed is None else {"completion_tokens": consumed.get("completion_tokens")}


def _consumed(served: Served, usage: Mapping[str, Any] | None, output: int, now: float) -> dict[str, Any] | None:
    """Record on the attempt what it consumed and cost, and return the tokens."""
    attempt = served.attempts[-1]
    consumed = consumption(served.request.call, served.candidate, usage, output)
    attempt.usage, attempt.estimated = consumed.usage, consumed.estimated
    _price(served.pool, attempt, served.candidate, now)
    return consumed.usage


def interrupt(served: Served, error: ProviderError, *, now: float) -> None:
    """Charge a stream that broke after content to who served it."""
    attempt = served.attempts[-1]
    attempt.outcome, attempt.failure, attempt.error = AttemptOutcome.INTERRUPTED, error.failure.value, type(error).__name__
    attempt.place = getattr(error, "place", None)
    _settle_partial(served, now)
    served.pool.health.record_failure(served.lease, error, now, served.pool.policy.circuit)
    if RULES[error.failure].scope is not Scope.NONE:
        _notify(served.pool, "failed", served.candidate, served.request, error)
        _run_policies(served.pool, served.candidate, now, error=error)


def abandon(served: Served, now: float) -> None:
    """Record that the caller left a stream before its end; that has no effect on health."""
    _settle_partial(served, now)
    if not served.lease.settled:
        served.attempts[-1].outcome = AttemptOutcome.CANCELLED
        return_lease(served.lease, now)


def _settle_partial(served: Served, now: float) -> None:
    """Count a stream that did not come to its end: by its usage where that was reported, else by what was received."""
    assert isinstance(served.outcome, Opened)
    progress = served.outcome.progress
    usage, output = progress.usage, progress.output.tokens
    if usage is not None and not progress.complete and output > (usage.get("completion_tokens") or 0):
        usage = {name: count for name, count in usage.items() if name != "completion_tokens"}  # reported before the answer
    consumed = _consumed(served, usage, output, now)
    unreported = served.attempts[-1].estimated
    served.pool.reservations.settle(served.lease.reservation, served.candidate, consumed, now, unreported=unreported)


def _run_policies(pool: Pool, candidate: Candidate, now: float, **facts: Any) -> None:
    """Ask the policies of every pool that has the model whether it goes to standby."""
    for judge in candidate.judges:
        judge.after(candidate, pool.health, now, **facts)


def _notify(pool: Pool, notice: str, *facts: Any) -> None:
    """Tell the strategy, when it wants to know; one that raises is a broken plugin."""
    told = getattr(pool.strategy, notice, None)
    if told is None:
        return
    try:
        told(*facts)
    except Exception as error:
        raise strategy_raised(pool, error) from error
