"""Eligibility of a candidate for a request: availability, capabilities and limits, with the reason when it is not tried."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from modelmesh._engine.limits.token_counts import prompt_size
from modelmesh._engine.routing.eligibility import ELIGIBLE, Eligibility, IneligibilityReason
from modelmesh._engine.routing.pool_index import WINDOW_MARGIN

if TYPE_CHECKING:
    from modelmesh._engine.limits.reservation import LimitExceeded
    from modelmesh._engine.routing.candidates import Candidate
    from modelmesh._engine.routing.pool import Pool
    from modelmesh._engine.routing.selection_sets import SelectionSets
    from modelmesh.contracts.call import Call


def eligibility(pool: Pool, candidate: Candidate, call: Call, now: float, capable: int) -> Eligibility:
    """Return whether a member of a pool may be tried for a request now, and why not.

    Args:
        pool: The pool.
        candidate: The member.
        call: The request.
        now: Monotonic seconds.
        capable: Members that can serve the request, by :meth:`.Pool.capable`.
    """
    found = pool.availability(candidate, now)
    if not found.ok:
        return found
    if not capable & pool.index.bit(candidate):
        return capability(pool, candidate, call)
    exceeded = pool.reservations.check(pool, candidate, call, now).exceeded
    return ELIGIBLE if exceeded is None else limit_exceeded(exceeded)


def not_tried(
    pool: Pool, call: Call, sets: SelectionSets, now: float, exceeded_limits: Mapping[int, LimitExceeded] | None = None
) -> Iterator[tuple[Candidate, Eligibility]]:
    """Yield the members that a request did not try, with the reason as of when the selection was made.

    Args:
        pool: The pool.
        call: The request.
        sets: The sets that the selection was made from.
        now: Monotonic seconds.
        exceeded_limits: Limits that the request did not fit, by position of the member.
    """
    for position, candidate in enumerate(pool.members):
        bit = 1 << position
        if sets.tried & bit:
            continue
        if exceeded_limits and position in exceeded_limits:
            yield candidate, limit_exceeded(exceeded_limits[position])
        elif not sets.capable & bit:
            found = capability(pool, candidate, call)
            yield candidate, _CANNOT_SERVE if found.ok else found
        elif not sets.available & bit:
            found = pool.availability(candidate, now)
            yield candidate, _WAS_UNAVAILABLE if found.ok else found
        else:
            yield candidate, _NOT_REACHED


def limit_exceeded(exceeded: LimitExceeded) -> Eligibility:
    """Return the result for a request that does not fit a configured limit."""
    return Eligibility(IneligibilityReason.LIMIT, math.inf, (exceeded.reason,))


_CANNOT_SERVE = Eligibility(IneligibilityReason.CAPABILITY, math.inf, ("cannot serve the request",))

_WAS_UNAVAILABLE = Eligibility(IneligibilityReason.COOLDOWN, 0.0, ("was in standby when the request started",))

_NOT_REACHED = Eligibility(IneligibilityReason.NOT_REACHED, 0.0, ("the request ended first",))


def capability(pool: Pool, candidate: Candidate, call: Call) -> Eligibility:
    """Return whether a member can serve a request, regardless of its availability."""
    index = pool.index
    bit = index.bit(candidate)
    if index.other_spaces(call, pool.operations) & bit:
        return _cannot(IneligibilityReason.VECTOR_SPACE, index.vector_space.reason(pool.name))
    if not index.allowed(call) & bit:
        names = ", ".join(sorted(call.options.only_providers))
        return _cannot(IneligibilityReason.PROVIDER_NOT_ALLOWED, f"the call allows only {names}")
    if not index.may_serve(call.operation) & bit:
        return _cannot(IneligibilityReason.CAPABILITY, f"does not state {call.operation.capability}")
    if call.account is not None and not index.of_provider(call.account) & bit:
        return _cannot(
            IneligibilityReason.ACCOUNT,
            f"the request has an ID of the account {call.account!r}, and only that account can serve it",
        )
    if call.native_only and not index.native(call) & bit:
        own = (call.native or call).operation.name
        return _cannot(IneligibilityReason.NATIVE_OPERATION, f"it does not serve {own} natively, and {call.native_only}")
    missing = index.missing_features(call, bit)
    if missing:
        return _cannot(IneligibilityReason.CAPABILITY, f"states it lacks {', '.join(missing)}")
    refused = index.refused_parameters(bit)
    if any(parameter.partition(".")[0] in call.payload for parameter in refused):
        return _cannot(IneligibilityReason.PARAMETER_REFUSED, f"refused {', '.join(refused)} within the last hour")
    window = candidate.info.context_window
    if window and prompt_size(call).estimated > window * WINDOW_MARGIN:
        return _cannot(IneligibilityReason.CONTEXT_WINDOW, f"its context window of {window} tokens is too small")
    return ELIGIBLE


def _cannot(reason: IneligibilityReason, text: str) -> Eligibility:
    return Eligibility(reason, math.inf, (text,))
