"""Capture and restore of a mesh's state. All functions need the mesh's lock."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from modelmesh._engine.foundation.clock import Clock
from modelmesh._engine.foundation.failures import FailureClass
from modelmesh._engine.health.circuit_breaker import BreakerState, CircuitBreaker
from modelmesh._engine.health.registry import HealthRegistry
from modelmesh._engine.limits.reservations import Reservations
from modelmesh._engine.routing.candidates import Candidate
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.state.system_state import DamagedStateError, SystemState
from modelmesh._engine.telemetry.usage import UsageTracker

LONGEST_S: Final = 86400.0
"""Longest time for which a restored failure keeps a circuit breaker open, whatever an earlier run stored."""


def capture(pools: Sequence[Pool], reservations: Reservations, usage: UsageTracker, now: float) -> SystemState:
    """Take the picture; under the mesh's lock."""
    when = reservations.clock.unix(now)
    return SystemState(
        timestamp=when,
        models={
            name: _circuit(circuit, reservations.clock)
            for name, circuit in _models(pools)
            if circuit.state is not BreakerState.CLOSED
        },
        providers={
            name: _circuit(circuit, reservations.clock)
            for name, circuit in _accounts(pools)
            if circuit.state is not BreakerState.CLOSED
        },
        pools={
            pool.name: {
                "standby": [str(candidate) for candidate in pool.members if candidate in pool.manual_standby],
                "rotated": [str(candidate) for candidate in pool.members if pool.manual_standby.has_rotated(candidate)],
                "total_requests": pool.total_requests,
                "rotation_events": pool.rotation_events,
                **_judged(pool),
            }
            for pool in pools
        },
        meters={name: counter.saved() for name, counter in reservations.counters(pools).items() if not counter.is_empty},
        usage=usage.saved(),
    )


def restore(
    state: SystemState, pools: Sequence[Pool], health: HealthRegistry, reservations: Reservations, usage: UsageTracker, now: float
) -> None:
    """Go on from a picture; under the mesh's lock. What is no longer configured is passed over.

    Raises:
        DamagedStateError: A value in it is none.
    """
    try:
        reservations.restore(reservations.counters(pools), state.meters, now)
        for saved, circuits in ((state.models, _models(pools)), (state.providers, _accounts(pools))):
            for name, circuit in circuits:
                if name in saved:
                    _reopen(health, circuit, saved[name], now, reservations.clock)
        for pool in pools:
            kept = state.pools.get(pool.name, {})
            pool.restore_counts(int(kept.get("total_requests", 0)), int(kept.get("rotation_events", 0)))
            off, rotated = set(kept.get("standby", ())), set(kept.get("rotated", ()))
            for candidate in pool.members:
                if str(candidate) in off:
                    pool.manual_standby.add(candidate, rotated=str(candidate) in rotated)
                if pool.standby_policy is not None and str(candidate) in kept.get("judged", {}):
                    pool.standby_policy.restore(candidate, kept["judged"][str(candidate)], health, now)
        usage.restore(state.usage)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, OSError) as error:
        message = f"a value in it is none ({type(error).__name__}: {error})"
        raise DamagedStateError(message) from None


def restore_one(
    state: SystemState,
    candidate: Candidate,
    pools: Sequence[Pool],
    health: HealthRegistry,
    reservations: Reservations,
    now: float,
) -> None:
    """Go on with one model that a picture knows and that came later than the start; under the mesh's lock.

    Raises:
        DamagedStateError: A value in it is none.
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
            kept = state.pools.get(pool.name, {})
            if name in kept.get("standby", ()):
                pool.manual_standby.add(candidate, rotated=name in kept.get("rotated", ()))
            if pool.standby_policy is not None and name in kept.get("judged", {}):
                pool.standby_policy.restore(candidate, kept["judged"][name], health, now)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, OSError) as error:
        message = f"a value in it is none ({type(error).__name__}: {error})"
        raise DamagedStateError(message) from None


def merge_unseen(kept: SystemState, taken: SystemState, pools: Sequence[Pool], reservations: Reservations) -> None:
    """Put what a picture says of models that have not come yet into the next one."""
    here, counted = {name for name, _ in _models(pools)}, reservations.counters(pools)
    taken.models = {**{name: row for name, row in kept.models.items() if name not in here}, **taken.models}
    taken.meters = {**{name: row for name, row in kept.meters.items() if name not in counted}, **taken.meters}
    for name, row in taken.pools.items():
        before = kept.pools.get(name, {})
        for list_name in ("standby", "rotated"):
            row[list_name] += [one for one in before.get(list_name, ()) if one not in here]
        judged = {one: saved for one, saved in before.get("judged", {}).items() if one not in here}
        if judged:
            row["judged"] = {**judged, **row.get("judged", {})}


def _judged(pool: Pool) -> dict[str, Any]:
    """What the policies of a pool's own have counted and decided, where it has any."""
    if pool.standby_policy is None:
        return {}
    known = ((str(candidate), pool.standby_policy.to_state(candidate)) for candidate in pool.members)
    return {"judged": {name: saved for name, saved in known if saved is not None}}


def _models(pools: Sequence[Pool]) -> Iterator[tuple[str, CircuitBreaker]]:
    return ((str(candidate), candidate.health) for pool in pools for candidate in pool.members)


def _accounts(pools: Sequence[Pool]) -> Iterator[tuple[str, CircuitBreaker]]:
    return ((candidate.provider_id, candidate.account) for pool in pools for candidate in pool.members)


def _circuit(circuit: CircuitBreaker, clock: Clock) -> dict[str, Any]:
    return {
        "until": None if math.isinf(circuit.until) else clock.unix(circuit.until),
        "reason": circuit.reason.value if circuit.reason else None,
        "told": circuit.retry_after_given,
        "steps": {failure.value: count for failure, count in circuit.backoff_steps.items()},
    }


def _reopen(health: HealthRegistry, circuit: CircuitBreaker, saved: Mapping[str, Any], now: float, clock: Clock) -> None:
    """Open a circuit as it was: for what is left of its time, never for longer than a day."""
    if circuit.state is not BreakerState.CLOSED or saved.get("reason") is None:
        return
    until = saved.get("until")
    left = math.inf if until is None else min(max(clock.monotonic(float(until)) - now, 0.0), LONGEST_S)
    steps = {FailureClass(name): int(count) for name, count in saved.get("steps", {}).items()}
    health.restore_open(
        circuit,
        FailureClass(saved["reason"]),
        now + left,
        retry_after_given=bool(saved.get("told")),
        backoff_steps=steps,
    )
