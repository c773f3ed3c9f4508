"""One picture of a mesh: what is spent, who is off and until when, what was used. No prompt and no secret is in it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import asdict, define, field

from modelmesh._engine.foundation.failures import FailureClass
from modelmesh._engine.health.circuit_breaker import BreakerState, CircuitBreaker
from modelmesh._engine.health.registry import HealthRegistry
from modelmesh._engine.limits.reservations import Reservations
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.telemetry.usage import UsageTracker

if TYPE_CHECKING:
    from modelmesh._engine.routing.candidates import Candidate

FORMAT = 1
"""Grows when an older version could no longer read what is written."""

LONGEST_S = 86400.0
"""No failure keeps anything off longer than this after a start, whatever an earlier run said."""


LARGEST = 1 << 63
"""No count and no time comes to this."""


class DamagedStateError(ValueError):
    """What is stored is no state, or only a part of one."""


class NewerStateError(ValueError):
    """What is stored was written by a later version."""


@define
class SystemState:
    """The picture. Times are Unix seconds.

    Attributes:
        timestamp: When it was taken.
        models: Circuits of models that are not simply closed, by ``provider/model``.
        providers: The same of accounts, by provider key.
        pools: By name: members put in standby by hand, what policies of its own decided, and counts.
        meters: What is spent of each limit, by the name of the count.
        usage: Totals of requests, tokens and money.
    """

    timestamp: float
    models: dict[str, Any] = field(factory=dict)
    providers: dict[str, Any] = field(factory=dict)
    pools: dict[str, Any] = field(factory=dict)
    meters: dict[str, Any] = field(factory=dict)
    usage: dict[str, Any] = field(factory=dict)

    def to_bytes(self) -> bytes:
        """Write it down."""
        return json.dumps({"format": FORMAT, **asdict(self)}, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> SystemState:
        """Read one back.

        Raises:
            NewerStateError: A later version wrote it.
            DamagedStateError: It is no state.
        """
        try:
            raw = json.loads(data)
            written = raw.pop("format")
            if not isinstance(written, int):
                raise TypeError("format")
            if written <= FORMAT:
                _check(raw)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            message = f"it is no state of modelmesh ({type(error).__name__})"
            raise DamagedStateError(message) from None
        if written > FORMAT:
            message = f"a later version of modelmesh-core wrote it (format {written}, this version reads {FORMAT})"
            raise NewerStateError(message)
        try:
            known = {name: raw[name] for name in _FIELDS}
            state = cls(**known)
            state.timestamp = float(state.timestamp)
        except (TypeError, ValueError, KeyError) as error:
            message = f"a part of it is missing ({error})"
            raise DamagedStateError(message) from None
        if not all(isinstance(getattr(state, name), dict) for name in _FIELDS if name != "timestamp"):
            message = "a part of it is no map"
            raise DamagedStateError(message)
        return state


def _check(value: Any) -> None:
    """Refuse what JSON can carry and no count, no time and no name is: it would stop every timer, or the next save."""
    if isinstance(value, str):
        value.encode()
    elif isinstance(value, dict):
        for name, one in value.items():
            _check(name)
            _check(one)
    elif isinstance(value, list):
        for one in value:
            _check(one)
    elif isinstance(value, int | float) and not abs(value) < LARGEST:
        message = "a number in it is none"
        raise ValueError(message)


_FIELDS = tuple(one.name for one in SystemState.__attrs_attrs__)


def take(pools: Sequence[Pool], reservations: Reservations, usage: UsageTracker, now: float) -> SystemState:
    """Take the picture; under the mesh's lock."""
    when = reservations.epoch + now
    return SystemState(
        timestamp=when,
        models={
            name: _circuit(circuit, reservations.epoch)
            for name, circuit in _models(pools)
            if circuit.state is not BreakerState.CLOSED
        },
        providers={
            name: _circuit(circuit, reservations.epoch)
            for name, circuit in _accounts(pools)
            if circuit.state is not BreakerState.CLOSED
        },
        pools={
            pool.name: {
                "standby": [str(candidate) for candidate in pool.members if pool.is_closed(candidate)],
                "rotated": [str(candidate) for candidate in pool.members if pool.is_rotated_out(candidate)],
                "total_requests": pool.total_requests,
                "rotation_events": pool.rotation_events,
                **_judged(pool),
            }
            for pool in pools
        },
        meters={name: counter.saved() for name, counter in reservations.counters(pools).items() if not counter.untouched},
        usage=usage.saved(),
    )


def apply(
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
                    _reopen(health, circuit, saved[name], now, reservations.epoch)
        for pool in pools:
            kept = state.pools.get(pool.name, {})
            pool.total_requests += int(kept.get("total_requests", 0))
            pool.rotation_events += int(kept.get("rotation_events", 0))
            off, rotated = set(kept.get("standby", ())), set(kept.get("rotated", ()))
            for candidate in pool.members:
                if str(candidate) in off:
                    pool.close(candidate, rotated=str(candidate) in rotated)
                if pool.judge is not None and str(candidate) in kept.get("judged", {}):
                    pool.judge.restore(candidate, kept["judged"][str(candidate)], health, now)
        usage.restore(state.usage)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, OSError) as error:
        message = f"a value in it is none ({type(error).__name__}: {error})"
        raise DamagedStateError(message) from None


def rejoin(state: SystemState, candidate: Candidate, health: HealthRegistry, reservations: Reservations, now: float) -> None:
    """Go on with one model that a picture knows and that came later than the start; under the mesh's lock.

    Raises:
        DamagedStateError: A value in it is none.
    """
    name, breaker = str(candidate), candidate.health
    own = {counter.quota.name: counter for counter in breaker.counters if counter.circuits == [breaker] and not counter.used}
    try:
        reservations.restore(own, state.meters, now)
        if name in state.models:
            _reopen(health, breaker, state.models[name], now, reservations.epoch)
        for pool, _ in candidate.memberships:
            kept = state.pools.get(pool.name, {})
            if name in kept.get("standby", ()):
                pool.close(candidate, rotated=name in kept.get("rotated", ()))
            if pool.judge is not None and name in kept.get("judged", {}):
                pool.judge.restore(candidate, kept["judged"][name], health, now)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, OSError) as error:
        message = f"a value in it is none ({type(error).__name__}: {error})"
        raise DamagedStateError(message) from None


def carry(kept: SystemState, taken: SystemState, pools: Sequence[Pool], reservations: Reservations) -> None:
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
    if pool.judge is None:
        return {}
    known = ((str(candidate), pool.judge.saved(candidate)) for candidate in pool.members)
    return {"judged": {name: saved for name, saved in known if saved is not None}}


def _models(pools: Sequence[Pool]) -> Iterator[tuple[str, CircuitBreaker]]:
    return ((str(candidate), candidate.health) for pool in pools for candidate in pool.members)


def _accounts(pools: Sequence[Pool]) -> Iterator[tuple[str, CircuitBreaker]]:
    return ((candidate.provider_id, candidate.account) for pool in pools for candidate in pool.members)


def _open_ones(circuits: Iterator[tuple[str, CircuitBreaker]], epoch: float) -> dict[str, Any]:
    return {name: _circuit(circuit, epoch) for name, circuit in circuits if circuit.state is not BreakerState.CLOSED}


def _circuit(circuit: CircuitBreaker, epoch: float) -> dict[str, Any]:
    return {
        "until": None if math.isinf(circuit.until) else epoch + circuit.until,
        "reason": circuit.reason.value if circuit.reason else None,
        "told": circuit.told,
        "steps": {failure.value: count for failure, count in circuit.steps.items()},
    }


def _reopen(health: HealthRegistry, circuit: CircuitBreaker, saved: Mapping[str, Any], now: float, epoch: float) -> None:
    """Open a circuit as it was: for what is left of its time, never for longer than a day."""
    if circuit.state is not BreakerState.CLOSED or saved.get("reason") is None:
        return
    until = saved.get("until")
    left = math.inf if until is None else min(max(float(until) - epoch - now, 0.0), LONGEST_S)
    circuit.steps = {FailureClass(name): int(count) for name, count in saved.get("steps", {}).items()}
    health.reopen(circuit, FailureClass(saved["reason"]), now + left, told=bool(saved.get("told")))
