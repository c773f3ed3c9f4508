"""Settlement of attempts: usage and cost, the budgets, and the effect on health."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh._engine.foundation.attempts import Attempt, AttemptOutcome
from modelmesh._engine.foundation.failure_rules import RULES
from modelmesh._engine.foundation.failures import Billed, FailureClass, Scope
from modelmesh._engine.foundation.units import NANO
from modelmesh._engine.limits.consumption import consumption
from modelmesh._engine.limits.cost import cost_nano_usd
from modelmesh._engine.routing.attempt_lease import AttemptLease, return_lease
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.notifications import notify_strategy, run_policies
from modelmesh._engine.routing.plan import RequestPlan
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.routing.steps import Opened, Served
from modelmesh.contracts.operations import OperationScope
from modelmesh.contracts.provider import Answer
from modelmesh.contracts.strategy import SelectionRequest
from modelmesh.errors import ProviderError


def settle(served: Served, *, usage: dict[str, Any] | None, output: int, now: float, seconds: float) -> None:
    """Settle a served request: at once for a plain answer, at its end for a stream.

    Args:
        served: The request.
        usage: Token usage that the vendor reported, where it is well-formed.
        output: Estimated tokens of the answer, used where none are reported.
        now: Monotonic seconds.
        seconds: Duration of the attempt.
    """
    attempt = served.attempts[-1]
    attempt.outcome = AttemptOutcome.ANSWERED
    answer: Any = served.outcome if isinstance(served.outcome, Answer) else served.outcome.stream
    consumed, nano_usd = _record_consumption(served, usage, output, now)
    reservation = served.lease.reservation
    limit = None if reservation is None else reservation.plan.limit
    learned = _output_only(consumed) if attempt.estimated else consumed
    served.pool.reservations.settle(reservation, consumed, nano_usd, now, unreported=attempt.estimated)
    served.candidate.update_statistics(
        learned,
        getattr(answer, "rate_limits", ()),
        now,
        served.request.call,
        None if limit is None else limit.tokens,
    )
    served.pool.health.record_success(served.lease, now)
    outcome = {
        "seconds": seconds,
        "first_content_seconds": (attempt.ms or 0.0) / 1000,
        "usage": consumed,
        "headers": answer.headers,
    }
    notify_strategy(served.pool, "succeeded", served.candidate, served.request, outcome)
    if served.candidate.standby_policies:
        run_policies(served.pool, served.candidate, now, usage=consumed, seconds=seconds)


def settle_failure(plan: RequestPlan, lease: AttemptLease, attempt: Attempt, error: ProviderError) -> None:
    """Settle an attempt that failed before any content."""
    pool, candidate = plan.pool, lease.candidate
    now = plan.clock()
    if error.failure is FailureClass.NOT_FOUND and plan.call.operation.scope is OperationScope.ACCOUNT:
        error.failure = FailureClass.REFUSED  # the resource is missing, not a model
    error.provider_id = candidate.provider_id
    error.model_id = candidate.model_id
    attempt.fail(error, now - lease.began)
    plan.record_failure(candidate, error)
    if isinstance(error.usage, Mapping) and error.billed != Billed.NO:
        _settle_reported(pool, lease, attempt, error.usage, now)
    pool.reservations.fail(lease.reservation, sent=error.failure is not FailureClass.CONNECT, billed=error.billed, now=now)
    _apply_failure(pool, lease, error, plan.selection, now)


def interrupt(served: Served, error: ProviderError, *, now: float) -> None:
    """Settle a stream that broke after content, as a failure of its candidate."""
    attempt = served.attempts[-1]
    attempt.outcome = AttemptOutcome.INTERRUPTED
    attempt.failure = error.failure.value
    attempt.error = type(error).__name__
    attempt.place = getattr(error, "place", None)
    _settle_received(served, now)
    _apply_failure(served.pool, served.lease, error, served.request, now)


def abandon(served: Served, now: float) -> None:
    """Settle a stream that the caller left before its end. This has no effect on health."""
    _settle_received(served, now)
    if not served.lease.settled:
        served.attempts[-1].outcome = AttemptOutcome.CANCELLED
        return_lease(served.lease, now)


def _apply_failure(pool: Pool, lease: AttemptLease, error: ProviderError, request: SelectionRequest, now: float) -> None:
    """Record a failure in the health registry, and notify strategy and policies where it concerns health."""
    candidate = lease.candidate
    pool.health.record_failure(lease, error, now, pool.policy.circuit)
    if RULES[error.failure].scope is not Scope.NONE:
        notify_strategy(pool, "failed", candidate, request, error)
        run_policies(pool, candidate, now, error=error)


def _settle_reported(pool: Pool, lease: AttemptLease, attempt: Attempt, usage: Mapping[str, Any], now: float) -> None:
    """Count the usage that the vendor reported with a failure."""
    attempt.usage = dict(usage)
    nano_usd = _record_cost(pool, attempt, lease.candidate, now)
    pool.reservations.settle(lease.reservation, usage, nano_usd, now)
    lease.reservation = None


def _settle_received(served: Served, now: float) -> None:
    """Count an incomplete stream: the usage that the vendor reported, else what was received."""
    assert isinstance(served.outcome, Opened)
    progress = served.outcome.progress
    usage = progress.usage
    output = progress.output.tokens
    if usage is not None and not progress.complete and output > (usage.get("completion_tokens") or 0):
        usage = {name: count for name, count in usage.items() if name != "completion_tokens"}  # reported before the answer
    consumed, nano_usd = _record_consumption(served, usage, output, now)
    unreported = served.attempts[-1].estimated
    served.pool.reservations.settle(served.lease.reservation, consumed, nano_usd, now, unreported=unreported)


def _record_consumption(
    served: Served, usage: Mapping[str, Any] | None, output: int, now: float
) -> tuple[dict[str, Any] | None, int | None]:
    """Record usage and cost on the attempt, and return both. The cost is in nano-dollars."""
    attempt = served.attempts[-1]
    body = served.outcome.body if isinstance(served.outcome, Answer) else None
    consumed = consumption(served.request.call, served.candidate, usage, output, body)
    attempt.usage = consumed.usage
    attempt.estimated = consumed.estimated
    return consumed.usage, _record_cost(served.pool, attempt, served.candidate, now)


def _record_cost(pool: Pool, attempt: Attempt, candidate: Candidate, now: float) -> int | None:
    """Record the cost on the attempt, and return it in nano-dollars, ``None`` when it is unknown."""
    pricing = candidate.info.pricing
    cost = None if pricing is None else cost_nano_usd(pricing, attempt.usage, pool.unix_time(now))
    attempt.cost = None if cost is None else cost / NANO
    return cost


def _output_only(consumed: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the output tokens of estimated usage. An estimated prompt would not improve the estimate of prompts."""
    return {} if consumed is None else {"completion_tokens": consumed.get("completion_tokens")}
