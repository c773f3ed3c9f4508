"""Final errors of a request."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modelmesh import errors
from modelmesh._engine.foundation.attempts import Attempt, PassedOver
from modelmesh._engine.foundation.failure_rules import RULES
from modelmesh._engine.foundation.failures import FailureClass
from modelmesh._engine.foundation.suspension_reasons import SuspensionReason
from modelmesh._engine.foundation.units import NANO
from modelmesh._engine.foundation.wording import plural, wait
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.limits.counter import Limit, Metric, OnExhausted
from modelmesh._engine.limits.window import Period
from modelmesh._engine.routing.account_summary import account_lines
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.error_summary import explaining_attempt, headline, key_advice
from modelmesh._engine.routing.request_eligibility import not_tried
from modelmesh.contracts.operations import OPERATIONS

if TYPE_CHECKING:
    from modelmesh._engine.limits.reservation import LimitExceeded
    from modelmesh._engine.routing.pool import Pool
    from modelmesh._engine.routing.selection_sets import SelectionSets
    from modelmesh.contracts.call import Call

STORE_RETRY_S = 5.0
"""Seconds until a caller may retry a request that was refused because of the store, which is tried again in this time."""

LIMIT_TYPES = {Period.DAY: "daily", Period.MONTH: "monthly", Period.REQUEST: "per_request"}


def bad_response(why: str, usage: Mapping[str, Any] | None = None) -> errors.BadUpstreamResponseError:
    """Return the error for an invalid response.

    Args:
        why: Completes "the provider answered, but …".
        usage: Token usage that the vendor reported with it.
    """
    billed = RULES[FailureClass.PROTOCOL].billed
    return errors.BadUpstreamResponseError(
        f"the provider answered, but {why}", failure=FailureClass.PROTOCOL, billed=billed, usage=usage
    )


def final_provider_error(error: errors.ProviderError, attempts: Sequence[Attempt]) -> errors.ProviderError:
    """Return the provider's own error, for a failure that ends the request. Its message names the next step."""
    error.attempts = tuple(attempts)
    own = next((attempt for attempt in attempts if attempt.failure and _is_of(attempt, error)), None)
    if error.reason is not None and own is not None:
        others = f" It was tried at {plural(len(attempts), 'model')}." if len(attempts) > 1 else ""
        error.message = headline(own) + others
    return error


def _is_of(attempt: Attempt, error: errors.ProviderError) -> bool:
    return (attempt.provider_id, attempt.model_id, attempt.status) == (error.provider_id, error.model_id, error.status)


def wrong_operation(pool: Pool, call: Call, pools: Sequence[Pool] = ()) -> errors.BadRequestError:
    """Return the error for a request to a pool of another operation.

    Args:
        pool: The pool, or the members of pools with the model that the request names.
        call: The request.
        pools: All pools of the mesh. One that serves the operation is the advice.
    """
    served = sorted(name for name in pool.operations if not (name in OPERATIONS and OPERATIONS[name].translates))
    kind = "pool" if not pools or any(one.name == pool.name for one in pools) else "model"
    other = next((one.name for one in pools if call.operation.name in one.operations), None)
    wanted = call.operation.capability
    advice = f"Use model={other!r}." if other else f"Add a pool for {wanted!r}, e.g. create({wanted!r})."
    message = f"the {kind} {pool.name!r} serves {', '.join(served)}, not {call.operation.name}. Nothing was sent. {advice}"
    return errors.BadRequestError(message, failure=FailureClass.CALLER, status=400)


def budget_exceeded(
    pool: Pool, candidate: Candidate, exceeded: LimitExceeded, attempts: Sequence[Attempt], now: float
) -> errors.BudgetExceededError | errors.CallerRateLimitError:
    """Return the error for a limit that ends the request."""
    limit = exceeded.counter.limit
    if limit.caller:
        return caller_limit_exceeded(pool, exceeded, attempts, now)
    known = exceeded.needed is not None
    hint = (
        "Raise the limit, wait for its reset, or set on_budget_exceeded: rotate to try other models."
        if known
        else "Give the model a price (models.<id>.pricing), or set unknown_price: allow in the budget."
    )
    error = errors.BudgetExceededError(
        f"{candidate} was not tried: {exceeded.reason} ({limit.key}). {hint}",
        details={"attempts": [attempt.as_dict() for attempt in attempts], "pool": pool.name, "limit": str(limit)},
    )
    _set_limit(error, limit)
    if limit.metric is Metric.COST:
        error.actual_value = _with_needed(exceeded)
    return error


def caller_limit_exceeded(
    pool: Pool, exceeded: LimitExceeded, attempts: Sequence[Attempt], now: float
) -> errors.BudgetExceededError | errors.CallerRateLimitError:
    """Return the error for a limit of the caller's token or team."""
    counter, limit, when = exceeded.counter, exceeded.counter.limit, pool.reservations.clock.unix(now)
    seconds = max(counter.resets_at(when) - when, 0.0)
    facts: dict[str, Any] = {
        "caller": limit.caller,
        "details": {"attempts": [attempt.as_dict() for attempt in attempts], "pool": pool.name, "limit": str(limit)},
    }
    if seconds < math.inf:
        facts["retry_after"] = seconds
    if limit.metric is not Metric.COST:
        left = limit.format_amount(counter.remaining)
        short = "" if exceeded.needed == 1 else f": about {exceeded.needed} are needed, and {left} are left"
        message = f"{limit.caller} has reached its limit of {limit}{short}. Try again in {wait(seconds, when)}."
        return errors.CallerRateLimitError(message, limit=str(limit), **facts)
    what = f"the budget of {limit.caller} permits {limit}: {exceeded.reason}."
    if exceeded.needed is None:
        advice = "Give the model a price (models.<id>.pricing), or use a pool whose models have one."
    elif "retry_after" not in facts:
        advice = "It never resets. Raise it."
    else:
        advice = f"Raise it, or wait for its reset in {wait(seconds, when)}."
    error = errors.BudgetExceededError(f"{what} {advice}", **facts)
    _set_limit(error, limit)
    error.actual_value = _with_needed(exceeded)
    return error


def _with_needed(exceeded: LimitExceeded) -> float | None:
    """Return the used dollars of a budget with those of the refused attempt, ``None`` when these are unknown."""
    spent = exceeded.counter.used + exceeded.counter.reserved
    return None if exceeded.needed is None else (spent + exceeded.needed) / NANO


def store_unavailable(pool: Pool) -> errors.StoreUnavailableError:
    """Return the error for a request that a budget limits, while counts cannot be shared and ``on_store_down`` is ``refuse``."""
    message = (
        f"pool {pool.name!r} refused the request: the storage that shares the counts of budgets does not reply, and "
        "storage.on_store_down is 'refuse'. Retry when it replies, or set on_store_down: serve to count in each process."
    )
    return errors.StoreUnavailableError(message, retry_after=STORE_RETRY_S, details={"pool": pool.name})


def passed_over(
    pool: Pool, call: Call, sets: SelectionSets, now: float, exceeded_limits: Mapping[int, LimitExceeded] | None = None
) -> list[PassedOver]:
    """Return every member that was not tried, with the reason."""
    return [
        PassedOver(candidate.provider_id, candidate.model_id, found.text)
        for candidate, found in not_tried(pool, call, sets, now, exceeded_limits)
    ]


def no_target_answered(
    pool: Pool,
    call: Call,
    sets: SelectionSets,
    attempts: Sequence[Attempt],
    last_error: errors.ProviderError | None,
    now: float,
    exceeded_limits: Mapping[int, LimitExceeded] | None = None,
    *,
    ended: str | None = None,
) -> errors.RoutingError | errors.BudgetExceededError | errors.CallerRateLimitError:
    """Return the final error of a request that no model answered.

    Args:
        pool: The pool.
        call: The request.
        sets: The sets that candidates were selected from.
        attempts: Every attempt.
        last_error: Error of the last attempt, ``None`` when nothing was sent.
        now: Monotonic seconds.
        exceeded_limits: Limits that the request did not fit, by position of the member.
        ended: Why the request ended before every candidate was tried: a cap on calls, or its deadline.
    """
    over = passed_over(pool, call, sets, now, exceeded_limits)
    spent = _spent_on(pool, exceeded_limits or {})
    retry_after = _seconds_until_available(pool, sets, now)
    details: dict[str, Any] = {
        "pool": pool.name,
        "attempts": [attempt.as_dict() for attempt in attempts],
        "passed_over": [{"provider_id": p.provider_id, "model_id": p.model_id, "reason": p.reason} for p in over],
    }
    if ended is not None:
        details["ended"] = ended
    facts: dict[str, Any] = {"pool_name": pool.name, "details": details}
    if retry_after is not None:
        facts["retry_after"] = details["retry_after"] = retry_after
    explained = explaining_attempt(attempts)
    if explained is None or last_error is None:
        refused = (exceeded_limits or {}).items()
        if refused and all(one.needed is None and one.counter.limit.on_exhausted is OnExhausted.ERROR for _, one in refused):
            place, unpriced = next(iter(refused))
            return budget_exceeded(pool, pool.members[place], unpriced, attempts, now)
        return _no_target_available(pool, sets, over, spent, facts, now)
    for name in ("provider_id", "model_id", "status", "code", "request_id"):
        facts[name] = getattr(explained, name)
    facts["failure"] = FailureClass(str(explained.failure))
    if isinstance(last_error, errors.BrokenConnectorError):
        facts |= {name: getattr(last_error, name) for name in ("connector_id", "distribution", "place")}
    again = "" if retry_after is None else wait(retry_after, pool.reservations.clock.unix(now))
    first = headline(explained, _account(pool, explained).credential, again)
    lines = account_lines(attempts, over)
    message = "\n".join([f"{first} {_scope(pool, attempts, ended)}", *lines])
    retryable = any(RULES[FailureClass(a.failure)].error.retryable for a in attempts if a.failure)
    error: errors.AllProvidersExhaustedError = _class_of(attempts, spent)(
        message, attempts=tuple(attempts), last_error=last_error, retryable=retryable, **facts
    )
    if spent is not None:
        _set_limit(error, spent)
    return error


def _class_of(attempts: Sequence[Attempt], spent: Limit | None) -> Any:
    """Return the class of a final error. It also inherits the class that all attempts have in common."""
    cls: Any = errors.AllProvidersExhaustedError
    kinds = {RULES[FailureClass(a.failure)].error for a in attempts if a.failure}
    if len(kinds) == 1 and (kind := kinds.pop()) is not errors.ProviderError:
        cls = errors.combined_error_class(errors.AllProvidersExhaustedError, kind)
    return cls if spent is None else errors.combined_error_class(cls, errors.BudgetExceededError)


def _account(pool: Pool, attempt: Attempt) -> ProviderHealth:
    return next(c.account for c in pool.members if c.provider_id == attempt.provider_id)


def _scope(pool: Pool, attempts: Sequence[Attempt], ended: str | None) -> str:
    """Return the extent of the request, for example ``(pool 'chat': 3 attempts at 2 of 2 accounts)``."""
    why = f"; ended: {ended}" if ended else ""
    if len(attempts) == 1:
        return f"(pool {pool.name!r}: 1 attempt at {attempts[0].provider_id}/{attempts[0].model_id}{why})"
    of = len({candidate.provider_id for candidate in pool.members})
    tried = len({attempt.provider_id for attempt in attempts})
    at = "1 account" if of == 1 else f"{tried} of {of} accounts"
    return f"(pool {pool.name!r}: {plural(len(attempts), 'attempt')} at {at}{why})"


def _no_target_available(
    pool: Pool,
    sets: SelectionSets,
    over: Sequence[PassedOver],
    spent: Limit | None,
    facts: dict[str, Any],
    now: float,
) -> errors.RoutingError:
    retry_after = facts.get("retry_after")
    reasons = list(dict.fromkeys(row.reason for row in over))
    why = f": {reasons[0]}" if len(reasons) == 1 else ""
    ended = facts["details"].get("ended")
    advice = [f"The request ended early: {ended}." if ended else "", _advice(pool, sets, spent)]
    again = None if retry_after is None else wait(retry_after, pool.reservations.clock.unix(now))
    if again is not None and again not in why:
        advice.append(f"The first model is available again in {again}.")
    start = f"pool {pool.name!r} has no model that can serve this request now{why}."
    lines = account_lines((), over) if len(reasons) > 1 else []
    message = "\n".join([" ".join([start, *(text for text in advice if text)]), *lines])
    if spent is None:
        return errors.NoActiveModelError(message, retryable=bool(sets.capable), **facts)
    both: Any = errors.combined_error_class(errors.AllProvidersExhaustedError, errors.BudgetExceededError)
    error: errors.RoutingError = both(message, attempts=(), retryable=True, **facts)
    _set_limit(error, spent)
    return error


def _advice(pool: Pool, sets: SelectionSets, spent: Limit | None) -> str:
    """Return an advice for a pool without candidates, for a cause that the reader can remove."""
    if spent is not None:
        return f"A budget is exhausted ({spent}); raise it, or wait for its reset."
    if not pool.members:
        return "Add a model to the pool."
    if not sets.capable:
        return "Add a model that has what the request needs, or ask for less."
    accounts = dict.fromkeys(candidate.account for candidate in pool.members)
    refused = next((one for one in accounts if not one.ready and one.reason is FailureClass.CREDENTIAL), None)
    if refused is not None:
        return key_advice(refused.credential, refused.provider_id)
    manual = [candidate for candidate in pool.subset(sets.capable) if candidate in pool.manual_standby]
    if manual and len(manual) == sets.capable.bit_count():
        return f"Bring one back: client.recover({pool.name!r})."
    return ""


def _spent_on(pool: Pool, exceeded_limits: Mapping[int, LimitExceeded]) -> Limit | None:
    """Return the exhausted budget that excluded a member, ``None`` without one."""
    for exceeded in exceeded_limits.values():
        if exceeded.counter.limit.metric is Metric.COST:
            return exceeded.counter.limit
    for candidate in pool.members:
        for circuit in (candidate.health, candidate.account):
            if SuspensionReason.BUDGET_EXCEEDED in circuit.suspensions:
                for counter in pool.reservations.counters_of(circuit):
                    if counter.limit.reason is SuspensionReason.BUDGET_EXCEEDED and counter.exhausted:
                        return counter.limit
    return None


def _set_limit(error: Any, limit: Limit) -> None:
    error.limit_type = LIMIT_TYPES.get(limit.window.period, limit.window.period.value)
    if limit.metric is Metric.COST:
        error.limit_value = limit.amount / NANO


def _seconds_until_available(pool: Pool, sets: SelectionSets, now: float) -> float | None:
    """Return the seconds until the first capable member is available again, ``None`` when no time is known."""
    due = (candidate.available_at - now for candidate in pool.subset(sets.capable & pool.in_use))
    return min((seconds for seconds in due if 0 < seconds < math.inf), default=None)
