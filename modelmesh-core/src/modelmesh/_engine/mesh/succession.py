"""Hand-over from one mesh to the mesh of a changed configuration: counts, budgets, usage, circuit breakers and sessions.

Requests that began on the earlier mesh finish there. What they consume after the hand-over is forwarded, so that no budget is
reset or exceeded by a reload. Where a store shares the counts of several processes, both meshes count in the store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import RLock
from typing import TYPE_CHECKING, Any

from attrs import frozen

from modelmesh._engine.state import snapshot
from modelmesh._engine.state.shared_choices import shares_choices

if TYPE_CHECKING:
    from modelmesh._engine.health.circuit_breaker import CircuitBreaker
    from modelmesh._engine.health.health_registry import HealthRegistry
    from modelmesh._engine.limits.counter import LimitCounter
    from modelmesh._engine.limits.reservations import Reservations
    from modelmesh._engine.mesh.engine import MeshEngine
    from modelmesh._engine.routing.pool import Pool
    from modelmesh._engine.state import StateManager
    from modelmesh._engine.telemetry.usage import UsageTracker


@frozen
class _Parts:
    """Parts of a mesh.

    Attributes:
        lock: Its lock.
        clock: Returns monotonic seconds.
        health: Its circuit breakers.
        reservations: Its limits.
        usage: Its usage totals.
        pools: Returns its pools.
        state: Persists its state, ``None`` without a storage section.
    """

    lock: RLock
    clock: Callable[[], float]
    health: HealthRegistry
    reservations: Reservations
    usage: UsageTracker
    pools: Callable[[], Sequence[Pool]]
    state: StateManager | None


def _parts_of(mesh: MeshEngine) -> _Parts:
    core, running = mesh._core, mesh._running  # noqa: SLF001 - the parts of a mesh are not public
    return _Parts(core.lock, core.clock, core.health, core.reservations, mesh.usage, running.router.list_pools, running.state)


class Succession:
    """Hand-over between two meshes that serve requests. All methods are safe in any thread."""

    def __init__(self, old: MeshEngine, new: MeshEngine) -> None:
        """Connect the meshes. Nothing is handed over yet.

        Args:
            old: The mesh that served so far.
            new: Its successor, initialized with ``loads_state=False`` if the old one has a store.
        """
        self._old, self._new = old, new
        self._counts: dict[str, tuple[int, float]] = {}
        self._usage: dict[str, Any] = {}

    def hand_over(self) -> None:
        """Copy counts, usage, open circuit breakers and sessions. From now on the new mesh saves the state."""
        old, new = _parts_of(self._old), _parts_of(self._new)
        with old.lock:
            state = snapshot.capture(old.pools(), old.reservations, old.usage, old.clock())
            self._counts = {name: _count(counter) for name, counter in _counters(old).items()}
            self._usage = state.usage
            downtimes = {name: _downtime(breaker, old.clock()) for name, breaker in snapshot.breakers(old.pools())}
            choices = {} if _shares_counts(new) else _choices(old)
            if old.state is not None:
                old.state.retire()
        if _shares_counts(new):  # totals that the store has returned are not older than these counts
            known = {name for name, counter in _counters(new).items() if not counter.is_empty}
            state.meters = {name: row for name, row in state.meters.items() if name not in known}
        with new.lock:
            now = new.clock()
            new.health.advance(now)
            snapshot.restore(state, new.pools(), new.health, new.reservations, new.usage, now)
            for name, breaker in snapshot.breakers(new.pools()):
                if name in downtimes:
                    breaker.downtime, breaker.standby_events, breaker.quota_resets = downtimes[name]
            _apply_choices(choices, new)
        self._new.get_statistics().continue_from(self._old.get_statistics())
        _move_counts(old, new)

    def forward(self, current: MeshEngine) -> None:
        """Add what requests on the earlier mesh have consumed since the hand-over, or since the last call.

        Args:
            current: The mesh that serves now. It differs from the successor after another reload.
        """
        old, new = _parts_of(self._old), _parts_of(current)
        with old.lock:
            counters = _counters(old)
            before, self._counts = self._counts, {name: _count(counter) for name, counter in counters.items()}
            usage_before, self._usage = self._usage, old.usage.saved()
        _move_counts(old, new)
        with new.lock:
            new.usage.restore(_difference(self._usage, usage_before))
            if _shares_counts(new):
                return
            now, successors = new.clock(), _counters(new)
            when = new.reservations.clock.unix(now)
            for name, (amount, ends) in self._counts.items():
                counter = successors.get(name)
                earlier, earlier_ends = before.get(name, (0, ends))
                if counter is None:
                    continue
                counter.advance_window(when)
                more = amount - (earlier if earlier_ends == ends else 0)
                if more and counter.ends == ends:
                    counter.correct_used(more, when)
                    new.reservations.recheck([counter], now)


def _downtime(breaker: CircuitBreaker, now: float) -> tuple[float, int, int]:
    """Return the seconds of downtime, the standby periods and the resets of a circuit breaker."""
    current = 0.0 if breaker.down_since is None else max(now - breaker.down_since, 0.0)
    return breaker.downtime + current, breaker.standby_events, breaker.quota_resets


def _choices(old: _Parts) -> dict[str, Mapping[str, tuple[str, float]]]:
    """Return the sessions of each pool: the name of the model and the remaining seconds."""
    strategies: list[tuple[str, Any]] = [(pool.name, pool.strategy) for pool in old.pools() if shares_choices(pool)]
    return {name: strategy.take_shared(old.clock()) for name, strategy in strategies}


def _apply_choices(choices: Mapping[str, Mapping[str, tuple[str, float]]], new: _Parts) -> None:
    for pool in new.pools():
        if pool.name not in choices or not shares_choices(pool):
            continue
        members = {str(candidate): candidate for candidate in pool.members}
        known = {key: (members[name], left) for key, (name, left) in choices[pool.name].items() if name in members and left > 0}
        strategy: Any = pool.strategy
        strategy.apply_shared(known, new.clock())


def _shares_counts(parts: _Parts) -> bool:
    return parts.state is not None and parts.state.counters is not None


def _move_counts(old: _Parts, new: _Parts) -> None:
    if old.state is not None and new.state is not None:
        old.state.move_counts(new.state)


def _counters(parts: _Parts) -> dict[str, LimitCounter]:
    return parts.reservations.counters(parts.pools())


def _count(counter: LimitCounter) -> tuple[int, float]:
    """Return what a counter has counted, and the end of its window. A reservation of a budget counts until it is settled."""
    return counter.used + (0 if counter.is_sliding else counter.reserved), counter.ends


def _difference(now: Any, before: Any) -> Any:
    """Return the usage between two snapshots of a usage tracker."""
    if isinstance(now, dict):
        known = before if isinstance(before, dict) else {}
        if "began" in now and now["began"] != known.get("began"):
            known = {}
        return {key: value if key == "began" else _difference(value, known.get(key)) for key, value in now.items()}
    return now - before if isinstance(before, int) else now
