"""Selection of the next candidate of a request, within the caps on calls and the pace of its pool."""

from __future__ import annotations

from modelmesh._engine.health.admission_queue import Ticket
from modelmesh._engine.routing.availability import allows_panic, is_only_probing
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.pacing import Pacer
from modelmesh._engine.routing.plan import RequestPlan
from modelmesh._engine.routing.plugin_errors import choice_not_offered, strategy_raised
from modelmesh._engine.routing.pool_policy import MAX_CALLS
from modelmesh.contracts.strategy import SelectionResult
from modelmesh.errors import RoutingError


def choose(plan: RequestPlan) -> tuple[Candidate, str] | None:
    """Select the next candidate.

    Returns:
        The candidate and the reason for it, or ``None`` when there is none now and the request may wait.
    """
    pool = plan.pool
    untried = plan.untried()
    if plan.ticket is not None:
        untried |= _granted(plan, plan.ticket)
    mask = _within_caps(plan, untried)
    if mask and plan.pacer is not None:
        mask = _within_pace(plan, mask, plan.pacer)
        if not mask:
            return None
    if mask:
        mask = mask & plan.restricted_to or mask & ~plan.deprioritized or mask
        preferred = plan.call.options.preferred_provider
        if preferred:
            mask = mask & pool.mask_of_provider(preferred) or mask
        return _select(plan, mask)
    if untried or (not plan.gave_up_waiting and plan.queueable_accounts()):
        return None
    return _last_resort(plan)


def _granted(plan: RequestPlan, ticket: Ticket) -> int:
    """Return the members of the account that granted this request a slot."""
    granted = next((one for one in plan.queued_at if ticket.granted is one.admission), None)
    if granted is None or not granted.ready:
        return 0
    return plan.sets.capable & plan.pool.ready_of_account(granted) & ~plan.sets.tried


def _within_caps(plan: RequestPlan, mask: int) -> int:
    """Remove the members that the caps on calls exclude. One call is left for each account that was not tried yet."""
    calls = len(plan.attempts)
    if not mask or not calls:
        return mask
    fresh = mask & ~plan.visited_accounts
    max_billed = plan.pool.policy.max_attempts
    if calls >= MAX_CALLS:
        allowed, cap = 0, f"a request makes at most {MAX_CALLS} calls"
    elif plan.billed_calls >= max_billed:
        allowed, cap = fresh, f"a request makes at most {max_billed} calls that may be billed"
    elif calls + plan.pool.index.count_accounts(fresh) >= MAX_CALLS:
        allowed, cap = fresh, f"a request makes at most {MAX_CALLS} calls"
    else:
        return mask
    plan.end_reason = None if allowed else cap
    return allowed


def _within_pace(plan: RequestPlan, mask: int, pacer: Pacer) -> int:
    """Remove the members with a pace that allows no request now, and set ``pace_delay`` to the shortest delay."""
    now = plan.clock()
    members = enumerate(plan.pool.members)
    allowed = sum(1 << position for position, one in members if mask >> position & 1 and not pacer.delay(one, now))
    plan.pace_delay = 0.0 if allowed else pacer.shortest_delay(plan.pool.subset(mask), now)
    return allowed


def _select(plan: RequestPlan, mask: int) -> tuple[Candidate, str]:
    """Call the strategy to select one of the members of a set.

    Raises:
        RoutingError: The strategy refuses.
        ConnectorError: The strategy raised another exception, or returned a candidate that was not offered.
    """
    pool = plan.pool
    try:
        chosen = pool.strategy.select(pool.subset(mask), plan.selection)
    except RoutingError:
        raise
    except Exception as error:
        raise strategy_raised(pool.name, pool.strategy, error) from error
    candidate, reason = (chosen.candidate, chosen.reason) if isinstance(chosen, SelectionResult) else (chosen, "")
    position = pool.index.position(candidate)
    if position is None or not mask >> position & 1:
        raise choice_not_offered(pool.name, pool.strategy, candidate)
    return pool.members[position], reason or f"chosen by {pool.strategy.id}"


def _last_resort(plan: RequestPlan) -> tuple[Candidate, str] | None:
    """Return a candidate that is tried only because the request would fail otherwise.

    In this order: one with a half-open breaker under probe, one that ``rotate()`` put in standby, and one with a
    breaker that is open for an estimated time, at an account that this request did not try.
    """
    pool = plan.pool
    rest = _within_caps(plan, plan.sets.capable & ~plan.sets.tried)
    probed = [one for one in pool.subset(rest & pool.in_use) if is_only_probing(one)]
    if probed:
        return probed[0], "no other candidate is available, and its breaker is being probed"
    rotated = rest & pool.rotated_out
    if rotated:
        return _select(plan, rotated)[0], "no other candidate is available, and it was rotated out"
    if not pool.policy.panic:
        return None
    eligible = [one for one in pool.subset(rest & pool.in_use & ~plan.visited_accounts) if allows_panic(one)]
    if not eligible:
        return None
    plan.panicked = True
    return min(eligible, key=lambda one: one.available_at), "every model is unavailable, and this one is due first"
