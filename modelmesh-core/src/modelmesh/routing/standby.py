"""Why a model is in standby, in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from modelmesh.routing.circuits import Account, Circuit, ModelHealth, Reason

if TYPE_CHECKING:
    from modelmesh.routing.candidates import Candidate

FAILED = "error_threshold"
"""Stands for a circuit that failures opened, among the reasons."""

ORDER = (
    Reason.MAINTENANCE_WINDOW,
    Reason.BUDGET_EXCEEDED,
    Reason.QUOTA_EXHAUSTED,
    FAILED,
    Reason.TOKEN_LIMIT,
    Reason.REQUEST_LIMIT,
    Reason.POLICY,
    Reason.HEALTH_CHECK,
    Reason.DEPRECATED,
)
"""Which of several reasons is said first."""

UNTIL = {
    Reason.HEALTH_CHECK: "a probe succeeds",
    Reason.DEPRECATED: "the vendor lists it again",
}


def reasons(candidate: Candidate, now: float) -> list[str]:
    """Return why a model is in standby, the first by :data:`ORDER` first; nothing when it is active.

    Args:
        candidate: The model.
        now: Monotonic seconds.
    """
    found: list[tuple[int, str]] = []
    for circuit, whose in ((candidate.health, "model"), (candidate.account, "account")):
        found += [(ORDER.index(reason), _held(circuit, whose, reason, now)) for reason in circuit.holds]
        failed = _failed(circuit, whose, now)
        if failed:
            found.append((ORDER.index(FAILED), failed))
    found.sort(key=lambda row: row[0])
    return [text for _, text in found]


def full(account: Account) -> str | None:
    """Say that an account has no room for another request, ``None`` when it has."""
    return None if account.has_room else f"account has {account.in_flight} requests in flight, its limit"


def _failed(circuit: Circuit, whose: str, now: float) -> str | None:
    if circuit.passes:
        return None
    if circuit.probe:
        return f"{whose} is being probed"
    reason = circuit.reason.value if circuit.reason else "unknown"
    if math.isinf(circuit.until):
        return f"{whose} is off until it is recovered by hand: {reason}"
    return f"{whose} is off for {max(circuit.until - now, 0.0):.0f} s more: {reason}"


def _held(circuit: Circuit, whose: str, reason: Reason, now: float) -> str:
    until, said = circuit.holds[reason], reason.value
    spent = next((meter for meter in circuit.meters if meter.quota.reason is reason and meter.spent), None)
    if spent:
        said = f"{said} ({spent.quota})"
    elif reason is Reason.POLICY and isinstance(circuit, ModelHealth) and circuit.judge and circuit.candidate:
        said = f"{said} ({circuit.judge.shown(circuit.candidate)})"
    if reason in UNTIL:
        return f"{whose} is withheld until {UNTIL[reason]}: {said}"
    if math.isinf(until):
        return f"{whose} is withheld until it is recovered by hand: {said}"
    return f"{whose} is withheld for {max(until - now, 0.0):.0f} s more: {said}"
