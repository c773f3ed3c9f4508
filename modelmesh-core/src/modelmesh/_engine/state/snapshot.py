"""Capture and restore of a mesh's state. All functions need the mesh's lock."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from modelmesh._engine.foundation.clock import Clock
from modelmesh._engine.foundation.failures import FailureClass
from modelmesh._engine.health.circuit_breaker import BreakerState, CircuitBreaker
from modelmesh._engine.health.health_registry import HealthRegistry
from modelmesh._engine.limits.reservations import Reservations
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.state.system_state import DamagedStateError, SystemState
from modelmesh._engine.telemetry.usage import UsageTracker

LONGEST_S: Final = 86400.0
"""Upper bound of the time for which a restored circuit breaker stays open."""


def capture(pools: Sequence[Pool], reservations: Reservations, usage: UsageTracker, now: float) -> SystemState:
    """Return a snapshot of a mesh."""
    when = reservations.clock.unix(now)
    return SystemState(
        timestamp=when,
        models={
            name: _breaker_state(breaker, reservations.clock)
            for name, breaker in _models(pools)
            if breaker.state is not BreakerState.CLOSED
        },
        providers={
            name: _breaker_state(breaker, reservations.clock)
            for name, breaker in _provider_health(pools)
            if breaker.state is not BreakerState.CLOSED
        },
        pools={
            pool.name: {
                "standby": [str(candidate) for candidate in pool.members if candidate in pool.manual_standby],
                "rotated": [str(candidate) for candidate in pool.members if pool.manual_standby.has_rotated(candidate)],
                "total_requests": pool.total_requests,
                "rotation_events": pool.rotation_events,
                **_policy_records(pool),
            }
            for pool in pools
        },
        meters={
            **_unclaimed(reservations, when),
            **{name: counter.saved() for name, counter in reservations.counters(pools).items() if not counter.is_empty},
        },
        usage=usage.saved(),
    )


def restore(
    state: SystemState, pools: Sequence[Pool], health: HealthRegistry, reservations: Reservations, usage: UsageTracker, now: float
) -> None:
    """Apply a snapshot to a mesh. Entries without a counterpart in the configuration are ignored.

    Raises:
        DamagedStateError: A value in it is invalid.
    """
    try:
        reservations.restore(reservations.counters(pools, callers=False), state.meters, now)
        reservations.restore_callers(state.meters, now)
        for saved, breakers in ((state.models, _models(pools)), (state.providers, _provider_health(pools))):
            for name, breaker in breakers:
                if name in saved:
                    _reopen(health, breaker, saved[name], now, reservations.clock)
        for pool in pools:
            saved_pool = state.pools.get(pool.name, {})
            pool.restore_counts(int(saved_pool.get("total_requests", 0)), int(saved_pool.get("rotation_events", 0)))
            standby, rotated = set(saved_pool.get("standby", ())), set(saved_pool.get("rotated", ()))
            for candidate in pool.members:
                if str(candidate) in standby:
                    pool.manual_standby.add(candidate, rotated=str(candidate) in rotated)
                if pool.standby_policy is not None and str(candidate) in saved_pool.get("judged", {}):
                    pool.standby_policy.restore(candidate, saved_pool["judged"][str(candidate)], health, now)
        usage.restore(state.usage)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, OSError) as error:
        message = f"a value in it is invalid ({type(error).__name__}: {error})"
        raise DamagedStateError(message) from None


def restore_one(
    state: SystemState,
    candidate: Candidate,
    pools: Sequence[Pool],
    health: HealthRegistry,
    reservations: Reservations,
    now: float,
) -> None:
    """Apply a snapshot to one model that joined after the start.

    Raises:
        DamagedStateError: A value in it is invalid.
    """
    name, breaker = str(candidate), candidate.health
    own = {
        counter.limit.name: counter
        for counter in reservations.counters_of(breaker)
        if counter.targets == [breaker] and not counter.used
    }
    try:
        reservations.restore(own, state.meters, now)
        if name in state.models:
            _reopen(health, breaker, state.models[name], now, reservations.clock)
        for pool in pools:
            if pool.position(candidate) is None:
                continue
            saved_pool = state.pools.get(pool.name, {})
            if name in saved_pool.get("standby", ()):
                pool.manual_standby.add(candidate, rotated=name in saved_pool.get("rotated", ()))
            if pool.standby_policy is not None and name in saved_pool.get("judged", {}):
                pool.standby_policy.restore(candidate, saved_pool["judged"][name], health, now)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, OSError) as error:
        message = f"a value in it is invalid ({type(error).__name__}: {error})"
        raise DamagedStateError(message) from None


def merge_unseen(before: SystemState, state: SystemState, pools: Sequence[Pool], reservations: Reservations) -> None:
    """Copy the entries of models that have not joined yet from the restored snapshot to a new one."""
    here, counted = {name for name, _ in _models(pools)}, reservations.counters(pools)
    state.models = {**{name: row for name, row in before.models.items() if name not in here}, **state.models}
    state.meters = {**{name: row for name, row in before.meters.items() if name not in counted}, **state.meters}
    for name, row in state.pools.items():
        earlier = before.pools.get(name, {})
        for list_name in ("standby", "rotated"):
            row[list_name] += [model for model in earlier.get(list_name, ()) if model not in here]
        records = {model: saved for model, saved in earlier.get("judged", {}).items() if model not in here}
        if records:
            row["judged"] = {**records, **row.get("judged", {})}


def _unclaimed(reservations: Reservations, when: float) -> dict[str, Any]:
    """Return the stored counts of tokens and teams that are not known yet, unless their window is over."""
    rows = reservations.callers.unclaimed.items()
    return {name: row for name, row in rows if row.get("ends") is None or float(row["ends"]) > when}


def _policy_records(pool: Pool) -> dict[str, Any]:
    """Return the counts and decisions of a pool's own policies, empty without such policies."""
    if pool.standby_policy is None:
        return {}
    known = ((str(candidate), pool.standby_policy.to_state(candidate)) for candidate in pool.members)
    return {"judged": {name: saved for name, saved in known if saved is not None}}


def breakers(pools: Sequence[Pool]) -> Iterator[tuple[str, CircuitBreaker]]:
    """Return the circuit breakers of models and accounts, by ``provider/model`` and by provider."""
    yield from _models(pools)
    yield from _provider_health(pools)


def _models(pools: Sequence[Pool]) -> Iterator[tuple[str, CircuitBreaker]]:
    return ((str(candidate), candidate.health) for pool in pools for candidate in pool.members)


def _provider_health(pools: Sequence[Pool]) -> Iterator[tuple[str, CircuitBreaker]]:
    return ((candidate.provider_id, candidate.account) for pool in pools for candidate in pool.members)


def _breaker_state(breaker: CircuitBreaker, clock: Clock) -> dict[str, Any]:
    return {
        "until": None if math.isinf(breaker.until) else clock.unix(breaker.until),
        "reason": breaker.reason.value if breaker.reason else None,
        "retry_after_given": breaker.retry_after_given,
        "steps": {failure.value: count for failure, count in breaker.backoff_steps.items()},
    }


def _reopen(health: HealthRegistry, breaker: CircuitBreaker, saved: Mapping[str, Any], now: float, clock: Clock) -> None:
    """Open a circuit breaker for the rest of its time, at most for a day."""
    if breaker.state is not BreakerState.CLOSED or saved.get("reason") is None:
        return
    until = saved.get("until")
    left = math.inf if until is None else min(max(clock.monotonic(float(until)) - now, 0.0), LONGEST_S)
    steps = {FailureClass(name): int(count) for name, count in saved.get("steps", {}).items()}
    health.restore_open(
        breaker,
        FailureClass(saved["reason"]),
        now + left,
        retry_after_given=bool(saved.get("retry_after_given")),
        backoff_steps=steps,
    )
