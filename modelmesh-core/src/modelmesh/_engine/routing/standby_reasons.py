"""Why a model is in standby, in words for operators."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from modelmesh._engine.foundation.clock import Clock
from modelmesh._engine.foundation.wording import label_of_class, wait
from modelmesh._engine.health.circuit_breaker import CircuitBreaker, ModelHealth, ProviderHealth, SuspensionReason

if TYPE_CHECKING:
    from modelmesh._engine.routing.candidates import Candidate

FAILED = "error_threshold"
"""Stands for a circuit breaker that failures opened, among the reasons."""

ORDER = (
    SuspensionReason.MAINTENANCE_WINDOW,
    SuspensionReason.BUDGET_EXCEEDED,
    SuspensionReason.QUOTA_EXHAUSTED,
    FAILED,
    SuspensionReason.TOKEN_LIMIT,
    SuspensionReason.REQUEST_LIMIT,
    SuspensionReason.POLICY,
    SuspensionReason.HEALTH_CHECK,
    SuspensionReason.DEPRECATED,
)
"""Which of several reasons comes first."""

UNTIL = {
    SuspensionReason.HEALTH_CHECK: "a probe succeeds",
    SuspensionReason.DEPRECATED: "the vendor lists it again",
}


HELD = {
    SuspensionReason.QUOTA_EXHAUSTED: "quota exhausted",
    SuspensionReason.BUDGET_EXCEEDED: "budget exhausted",
    SuspensionReason.TOKEN_LIMIT: "token limit reached",
    SuspensionReason.REQUEST_LIMIT: "request limit reached",
    SuspensionReason.MAINTENANCE_WINDOW: "maintenance window",
    SuspensionReason.POLICY: "policy",
    SuspensionReason.HEALTH_CHECK: "health check failed",
    SuspensionReason.DEPRECATED: "no longer listed by the vendor",
}


def reasons(candidate: Candidate, now: float, clock: Clock | None = None) -> list[str]:
    """Return why a model is in standby, the first by :data:`ORDER` first; nothing when it is active.

    Args:
        candidate: The model.
        now: Monotonic seconds.
        clock: Converts to Unix time. With it, long waits also show the time of day.
    """
    found: list[tuple[int, str]] = []
    for circuit, whose in ((candidate.health, "model"), (candidate.account, "account")):
        found += [(ORDER.index(reason), _held(circuit, whose, reason, now, clock)) for reason in circuit.suspensions]
        failed = _failed(circuit, whose, now, clock)
        if failed:
            found.append((ORDER.index(FAILED), failed))
    found.sort(key=lambda row: row[0])
    return [text for _, text in found]


def full(account: ProviderHealth) -> str | None:
    """Return that an account has no room for another request, ``None`` when it has."""
    return None if account.has_room else f"account has {account.in_flight} requests in flight, its limit"


def _failed(circuit: CircuitBreaker, whose: str, now: float, clock: Clock | None) -> str | None:
    if circuit.allows_requests:
        return None
    if circuit.probe:
        return f"{whose} is being probed"
    reason = label_of_class(circuit.reason) if circuit.reason else "unknown"
    if math.isinf(circuit.until):
        return f"{whose} in standby until it is recovered by hand: {reason}"
    return f"{whose} in cooldown for {_left(circuit.until, now, clock)}: {reason}"


def _held(circuit: CircuitBreaker, whose: str, reason: SuspensionReason, now: float, clock: Clock | None) -> str:
    until, said = circuit.suspensions[reason], HELD.get(reason, reason.value)
    spent = next((counter for counter in circuit.counters if counter.limit.reason is reason and counter.exhausted), None)
    if spent:
        said = f"{said} ({spent.limit})"
    elif reason is SuspensionReason.POLICY and isinstance(circuit, ModelHealth) and circuit.judge and circuit.candidate:
        said = f"{said} ({circuit.judge.shown(circuit.candidate)})"
    if reason in UNTIL:
        return f"{whose} in standby until {UNTIL[reason]}: {said}"
    if math.isinf(until):
        return f"{whose} in standby until it is recovered by hand: {said}"
    return f"{whose} in standby for {_left(until, now, clock)}: {said}"


def _left(until: float, now: float, clock: Clock | None) -> str:
    return wait(max(until - now, 0.0), None if clock is None else clock.unix(now))
