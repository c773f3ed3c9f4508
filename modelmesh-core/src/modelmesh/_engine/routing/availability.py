"""Availability of a candidate: whether its circuit breakers allow requests, else why not and until when.

This is the only place that derives reasons from breaker state. Routing, explanations, final errors and the CLI read the
:class:`Eligibility` that it returns. The set of available candidates itself is a bit mask of the pool, which the health
registry keeps up to date.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from modelmesh._engine.foundation.failure_rules import RULES
from modelmesh._engine.foundation.suspension_reasons import SuspensionReason
from modelmesh._engine.foundation.wording import class_label, wait
from modelmesh._engine.health.circuit_breaker import BreakerState, CircuitBreaker
from modelmesh._engine.health.provider_health import ProviderHealth
from modelmesh._engine.routing.eligibility import ELIGIBLE, Eligibility, IneligibilityReason

if TYPE_CHECKING:
    from modelmesh._engine.limits.reservations import Reservations
    from modelmesh._engine.routing.candidates import Candidate


_Reason = IneligibilityReason

_PRECEDENCE = {
    reason: rank
    for rank, reasons in enumerate(
        (
            (_Reason.MAINTENANCE_WINDOW,),
            (_Reason.BUDGET_EXCEEDED,),
            (_Reason.QUOTA_EXHAUSTED,),
            (_Reason.COOLDOWN, _Reason.RETRY_AFTER, _Reason.PROBING),
            (_Reason.TOKEN_LIMIT,),
            (_Reason.REQUEST_LIMIT,),
            (_Reason.POLICY,),
            (_Reason.HEALTH_CHECK,),
            (_Reason.DEPRECATED,),
            (_Reason.MANUAL,),
        )
    )
    for reason in reasons
}
"""Which of several reasons comes first."""

_RESUMES_WHEN = {
    _Reason.HEALTH_CHECK: "a probe succeeds",
    _Reason.DEPRECATED: "the vendor lists it again",
}
"""Events that end a suspension without a time."""

_LABELS = {
    _Reason.QUOTA_EXHAUSTED: "quota exhausted",
    _Reason.BUDGET_EXCEEDED: "budget exhausted",
    _Reason.TOKEN_LIMIT: "token limit reached",
    _Reason.REQUEST_LIMIT: "request limit reached",
    _Reason.MAINTENANCE_WINDOW: "maintenance window",
    _Reason.POLICY: "policy",
    _Reason.HEALTH_CHECK: "health check failed",
    _Reason.DEPRECATED: "no longer listed by the vendor",
}


def breaker_reason(breaker: CircuitBreaker) -> IneligibilityReason | None:
    """Return why a breaker allows no requests after failures, ``None`` when it allows them."""
    if breaker.allows_requests:
        return None
    if breaker.probe:
        return IneligibilityReason.PROBING
    return IneligibilityReason.RETRY_AFTER if breaker.retry_after_given else IneligibilityReason.COOLDOWN


def is_only_probing(candidate: Candidate) -> bool:
    """Return whether probes in flight are all that makes a candidate unavailable."""
    breakers = (candidate.health, candidate.account)
    if not candidate.account.has_room or any(breaker.suspensions for breaker in breakers):
        return False
    reasons = [breaker_reason(breaker) for breaker in breakers]
    half_open = any(breaker.state is BreakerState.HALF_OPEN for breaker in breakers)
    return half_open and all(reason in (None, IneligibilityReason.PROBING) for reason in reasons)


def allows_panic(candidate: Candidate) -> bool:
    """Return whether only cooldowns that the mesh estimated make a candidate unavailable.

    A delay that the vendor stated, a rejected key or an exhausted quota are never overridden.
    """
    return candidate.account.has_room and all(
        breaker.ready or _is_estimated(breaker) for breaker in (candidate.health, candidate.account)
    )


def _is_estimated(breaker: CircuitBreaker) -> bool:
    if breaker.suspensions or breaker.reason is None:
        return False
    return breaker_reason(breaker) is IneligibilityReason.COOLDOWN and RULES[breaker.reason].panic


def availability(
    candidate: Candidate, now: float, reservations: Reservations | None = None, *, manual: bool = False
) -> Eligibility:
    """Return whether a candidate is available, and all reasons when it is not.

    Args:
        candidate: The model.
        now: Monotonic seconds.
        reservations: Limits of the mesh. With them, texts also show the exhausted limit and the time of day of long waits.
        manual: Whether its pool put it in standby by hand.
    """
    if manual:
        return Eligibility(IneligibilityReason.MANUAL_STANDBY, math.inf, ("put in standby by hand",))
    account = candidate.account
    if candidate.health.ready and account.ready:
        if account.has_room:
            return ELIGIBLE
        return Eligibility(IneligibilityReason.AT_CAPACITY, math.inf, (_at_capacity(account),))
    found = [
        *_reasons(candidate.health, "model", candidate, now, reservations),
        *_reasons(account, "account", candidate, now, reservations),
    ]
    found.sort(key=lambda row: _PRECEDENCE[row[0]])
    return Eligibility(found[0][0], candidate.available_at, tuple(text for _, text in found))


def _at_capacity(account: ProviderHealth) -> str:
    return f"account has {account.in_flight} requests in flight, its limit"


def _reasons(
    breaker: CircuitBreaker, owner: str, candidate: Candidate, now: float, reservations: Reservations | None
) -> Iterator[tuple[IneligibilityReason, str]]:
    """Yield the reasons of one breaker with their texts.

    Args:
        breaker: The breaker of the model or of its provider account.
        owner: ``model`` or ``account``.
        candidate: The model.
        now: Monotonic seconds.
        reservations: Limits of the mesh, ``None`` to leave out limits and times of day.
    """
    for suspension, until in breaker.suspensions.items():
        reason = IneligibilityReason(suspension.value)
        label = _suspension_label(breaker, suspension, candidate, reservations)
        if reason in _RESUMES_WHEN:
            yield reason, f"{owner} in standby until {_RESUMES_WHEN[reason]}: {label}"
        elif math.isinf(until):
            yield reason, f"{owner} in standby until it is recovered by hand: {label}"
        else:
            yield reason, f"{owner} in standby for {_left(until, now, reservations)}: {label}"
    failed = breaker_reason(breaker)
    if failed is IneligibilityReason.PROBING:
        yield failed, f"{owner} is being probed"
    elif failed is not None:
        label = class_label(breaker.reason) if breaker.reason else "unknown"
        if math.isinf(breaker.until):
            yield failed, f"{owner} in standby until it is recovered by hand: {label}"
        else:
            yield failed, f"{owner} in cooldown for {_left(breaker.until, now, reservations)}: {label}"


def _suspension_label(
    breaker: CircuitBreaker, suspension: SuspensionReason, candidate: Candidate, reservations: Reservations | None
) -> str:
    label = _LABELS.get(IneligibilityReason(suspension.value), suspension.value)
    counters = () if reservations is None else reservations.counters_of(breaker)
    exhausted = next((one for one in counters if one.limit.reason is suspension and one.exhausted), None)
    if exhausted is not None:
        return f"{label} ({exhausted.limit})"
    if suspension is SuspensionReason.POLICY and breaker is candidate.health and candidate.health.standby_policy is not None:
        return f"{label} ({candidate.health.standby_policy.describe(candidate.health)})"
    return label


def _left(until: float, now: float, reservations: Reservations | None) -> str:
    return wait(max(until - now, 0.0), None if reservations is None else reservations.clock.unix(now))
