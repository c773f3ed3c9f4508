"""One attempt: take a slot and a reservation, send the request, and settle the outcome."""

from __future__ import annotations

from collections.abc import Generator

from attrs import evolve

from modelmesh._engine.foundation.attempts import Attempt, AttemptOutcome
from modelmesh._engine.foundation.failures import Billed
from modelmesh._engine.health.lease import LeaseGuard
from modelmesh._engine.limits.counter import Metric
from modelmesh._engine.limits.reservation import LimitCheck, LimitExceeded
from modelmesh._engine.limits.token_counts import response_tokens
from modelmesh._engine.routing import final_errors
from modelmesh._engine.routing.attempt_lease import AttemptLease, return_lease
from modelmesh._engine.routing.attempt_settlement import settle, settle_failure
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.native_calls import call_for, chat_call, lacks_endpoint, losses
from modelmesh._engine.routing.notifications import notify_strategy
from modelmesh._engine.routing.plan import RequestPlan
from modelmesh._engine.routing.reported_usage import in_chat_format
from modelmesh._engine.routing.response_check import check_answer
from modelmesh._engine.routing.steps import Opened, Outcome, PublishDeltas, Send, Served, Step, Totals
from modelmesh._engine.routing.waiting import leave_queue
from modelmesh.contracts.operations import CHAT
from modelmesh.contracts.provider import Answer
from modelmesh.errors import ProviderError

MIN_TIMEOUT_S = 0.001
"""Shortest total timeout of an attempt. A provider would read 0 as no limit."""


def attempt(
    plan: RequestPlan, candidate: Candidate, reason: str, check: LimitCheck, *, dry_run: bool
) -> Generator[Step, Outcome, Served | None]:
    """Send the request to a candidate.

    Args:
        plan: State of the request.
        candidate: The candidate.
        reason: Why it was selected.
        check: Check of its limits in this step, which permitted the attempt.
        dry_run: Yield the step and change nothing.

    Returns:
        The result, or ``None`` when the attempt failed or was not sent.
    """
    pool = plan.pool
    now = plan.clock()
    noted = reason if plan.queue_note is None else f"{reason}; {plan.queue_note}"
    record = Attempt(len(plan.attempts) + 1, candidate.provider_id, candidate.model_id, noted, plan.waited * 1000)
    limits = candidate.account.override_limits(pool.policy.limits).within(max(plan.deadline - now, MIN_TIMEOUT_S))
    send = Send(call_for(plan.call, candidate), candidate, limits, record, pool.policy.stream)
    if dry_run:
        yield send
        return None
    lease = AttemptLease(candidate.health, candidate.account, candidate=candidate, pool=pool, caller=plan.call.options.caller)
    guard = LeaseGuard(lease, pool.health.on_lost)
    try:
        pool.health.begin(lease, now)
        if plan.ticket is not None:
            leave_queue(plan)
        lease.reservation = pool.reservations.reserve(check, now)
        if lease.reservation is not None and (yield from _is_exhausted_elsewhere(plan, candidate, lease)):
            return None
        send = _prepared(plan, send, lease, now)
        outcome = yield send
        if plan.call.native is not None and lacks_endpoint(plan.call, send.call, outcome):
            send, outcome = yield from _send_as_chat(plan, send, lease)
        if isinstance(outcome, Answer):
            outcome = check_answer(send.call, outcome, candidate.provider_id)
        if isinstance(outcome, ProviderError):
            settle_failure(plan, lease, record, outcome)
            return None
        assert isinstance(outcome, (Answer, Opened))
        served = Served(pool, candidate, outcome, plan.attempts, reason, send.call, plan.sets, lease, plan.selection, guard)
        _record_answer(served, now, plan.clock())
    except BaseException:
        # The caller may leave, an interrupt may arrive between two lines, a strategy may raise: the slot and the reservation
        # are returned in every case.
        if not lease.settled:
            record.outcome = AttemptOutcome.CANCELLED
            record.ms = (plan.clock() - now) * 1000
            return_lease(lease, plan.clock())
        raise
    return served


def _prepared(plan: RequestPlan, send: Send, lease: AttemptLease, now: float) -> Send:
    """Return the step with the output limit of a budget or of the configuration, and record that the attempt begins."""
    pool, candidate = plan.pool, send.candidate
    limit = pool.reservations.output_limit(lease.reservation, candidate, plan.call, now)
    if limit is not None:
        send.attempt.note((limit.note,))
        send = evolve(send, call=limit.applied(send.call))
    plan.waited, plan.queue_note = 0.0, None
    plan.attempts.append(send.attempt)
    pool.record_request()
    if pool.pacer is not None:
        pool.pacer.sent(candidate, now)
    notify_strategy(pool, "picked", candidate, plan.selection)
    lease.sent = True
    return send


def _send_as_chat(plan: RequestPlan, send: Send, lease: AttemptLease) -> Generator[Step, Outcome, tuple[Send, Outcome]]:
    """Send the chat completion to a server that lacks the endpoint of the caller's own call.

    The account remembers the missing endpoint when the server answers, because a rejection may have had another cause.

    Returns:
        The second step and its outcome.
    """
    candidate, call, now = send.candidate, chat_call(plan.call), plan.clock()
    limit = plan.pool.reservations.output_limit(lease.reservation, candidate, call, now)
    limits = send.limits.within(max(plan.deadline - now, MIN_TIMEOUT_S))
    send = evolve(send, call=call if limit is None else limit.applied(call), limits=limits)
    outcome = yield send
    if isinstance(outcome, (Answer, Opened)) and plan.call.native is not None:
        candidate.account.missing_operations |= {plan.call.native.operation.name}
    return send, outcome


def _record_answer(served: Served, began: float, now: float) -> None:
    """Record an answer, and settle it unless it is a stream, which is settled at its end."""
    record, outcome = served.attempts[-1], served.outcome
    record.ms = (now - began) * 1000
    record.billed = Billed.YES
    if served.request.call.native is not None:
        record.note(losses(served.request.call, served.sent, served.candidate))
    if isinstance(outcome, Opened):
        record.outcome = AttemptOutcome.STREAMING
        record.note(outcome.stream.adapted)
        return
    record.outcome = AttemptOutcome.ANSWERED
    if outcome.adapted:
        record.note(outcome.adapted)
    usage = outcome.body.get("usage") if isinstance(outcome.body, dict) else None  # valid, or None: see check_answer
    if usage is not None and served.sent.operation is not CHAT:
        usage = in_chat_format(served.sent.operation, usage)
    is_reported = usage is not None and usage.get("completion_tokens") is not None
    output = 0 if is_reported else response_tokens(outcome.body)
    settle(served, usage=usage, output=output, now=now, seconds=now - began)


def _is_exhausted_elsewhere(plan: RequestPlan, candidate: Candidate, lease: AttemptLease) -> Generator[Step, Outcome, bool]:
    """Publish the reservation where limits are shared. Return whether other processes exhausted a limit first.

    Raises:
        BudgetExceededError: The limit ends the request.
    """
    if plan.pool.reservations.shared.pending is None:
        return False
    exceeded = yield from _publish_reservation(plan, lease)
    if exceeded is not None:
        _reject_late(plan, candidate, exceeded)
    return exceeded is not None


def _publish_reservation(plan: RequestPlan, lease: AttemptLease) -> Generator[Step, Outcome, LimitExceeded | None]:
    """Publish the reservation to the shared counters, and return the limit that other processes exhausted first.

    Raises:
        StoreUnavailableError: The store does not reply, and the configuration requires it for budgets.
    """
    pool, reservation = plan.pool, lease.reservation
    assert reservation is not None
    amounts = pool.reservations.shared.publish(reservation)
    try:
        outcome = yield PublishDeltas(amounts)
    except BaseException:
        pool.reservations.shared.requeue(amounts)
        raise
    if not isinstance(outcome, Totals):
        if pool.reservations.shared.required and reservation.spends_budget:
            return_lease(lease, plan.clock())
            raise final_errors.store_unavailable(pool)
        return None
    exceeded = pool.reservations.apply_totals(reservation, outcome.by_name, plan.clock(), outcome.later)
    if exceeded is not None:
        return_lease(lease, plan.clock())
    return exceeded


def _reject_late(plan: RequestPlan, candidate: Candidate, exceeded: LimitExceeded) -> None:
    """Handle a limit that other processes exhausted first: wait for a budget, or exclude the candidate.

    Raises:
        BudgetExceededError: The limit ends the request.
    """
    plan.awaits_budget = exceeded.counter.limit.metric is Metric.COST and plan.may_wait_for_budget()
    if not plan.awaits_budget:
        reject(plan, candidate, exceeded)


def reject(plan: RequestPlan, candidate: Candidate, exceeded: LimitExceeded, *, dry_run: bool = False) -> None:
    """Exclude a candidate when the request does not fit its limits.

    Raises:
        BudgetExceededError: The limit ends the request.
    """
    if not dry_run:
        plan.pool.reservations.record_exceeded(exceeded, plan.clock())
    plan.record_exceeded(candidate, exceeded)
    if exceeded.ends_request(rotate_on_budget=plan.pool.policy.rotate_on_budget):
        raise final_errors.budget_exceeded(plan.pool, candidate, exceeded, plan.attempts, plan.clock())
