"""Circuit breakers that processes share: one that opens or closes in a process does so in the others."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from modelmesh._engine.foundation.clock import Clock
from modelmesh._engine.foundation.failures import FailureClass
from modelmesh._engine.health.circuit_breaker import BreakerState, CircuitBreaker
from modelmesh._engine.health.health_registry import HealthRegistry
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.state.shared_rows import Row

if TYPE_CHECKING:
    from threading import RLock

    from modelmesh._engine.routing.candidates import Candidate

KEPT_S: Final = 60.0
"""Seconds for which a row is stored after it has no more effect, for processes with different clocks."""

LONGEST_S: Final = 86400.0
"""Upper bound of the time for which a breaker stays open because of another process."""

_log = logging.getLogger("modelmesh.state")


class SharedHealth:
    """View of the breakers of models and provider accounts.

    A breaker that is half-open is not shared. Each process sends its own probe, and the first result reaches the others.
    """

    name = "health"
    shards = 1

    def __init__(
        self, pools: Callable[[], Sequence[Pool]], health: HealthRegistry, lock: Callable[[], RLock], clock: Clock
    ) -> None:
        """Start with nothing known.

        Args:
            pools: Returns the mesh's pools.
            health: Their breakers.
            lock: Returns the mesh's lock.
            clock: Converts between monotonic and Unix time.
        """
        self._pools, self._health, self._lock, self._clock = pools, health, lock, clock
        self._known: dict[CircuitBreaker, int] = {}  # generation of those that are open by the latest row
        self._applied: dict[str, float] = {}

    def take_changes(self, now: float) -> dict[str, Row]:
        """Return the breakers that opened, stay open for longer, or closed since the last call."""
        changes: dict[str, Row] = {}
        with self._lock():
            for kind, candidate, breaker in _breakers(self._pools()):
                if breaker.state is BreakerState.OPEN:
                    if breaker.generation != self._known.get(breaker):
                        self._known[breaker] = breaker.generation
                        changes[_name(kind, candidate)] = self._open_row(breaker, now)
                elif breaker.state is BreakerState.CLOSED and self._known and self._known.pop(breaker, None) is not None:
                    changes[_name(kind, candidate)] = {"open": False, "at": now, "until": now + KEPT_S}
        self._applied |= dict.fromkeys(changes, now)
        return changes

    def apply(self, rows: Mapping[str, Row], now: float) -> None:
        """Open and close breakers as other processes did since the last call."""
        newer = {name: row for name, row in rows.items() if row["at"] > self._applied.get(name, -math.inf)}
        if not newer:
            return
        with self._lock():
            breakers = {_name(kind, candidate): breaker for kind, candidate, breaker in _breakers(self._pools())}
            for name, row in newer.items():
                self._applied[name] = row["at"]
                if name in breakers and row["until"] > now:
                    try:
                        self._apply_row(breakers[name], row, now)
                    except (KeyError, ValueError, TypeError, AttributeError) as error:  # of a later version
                        _log.warning("the shared health of %s is ignored: %s: %s", name, type(error).__name__, error)

    def _apply_row(self, breaker: CircuitBreaker, row: Row, now: float) -> None:
        if not row["open"]:
            self._known.pop(breaker, None)
            if breaker.state is not BreakerState.CLOSED:
                self._health.restore_closed(breaker, self._clock.monotonic(now))
            return
        opens_until = row["ends"]
        left = math.inf if opens_until is None else min(float(opens_until) - now, LONGEST_S)
        until = self._clock.monotonic(now) + left
        if left <= 0 or (breaker.state is BreakerState.OPEN and until <= breaker.until):
            return
        self._health.restore_open(
            breaker,
            FailureClass(row["reason"]),
            until,
            retry_after_given=bool(row["given"]),
            backoff_steps={FailureClass(step): int(count) for step, count in row["steps"].items()},
        )
        self._known[breaker] = breaker.generation

    def _open_row(self, breaker: CircuitBreaker, now: float) -> dict[str, Any]:
        ends = None if math.isinf(breaker.until) else self._clock.unix(breaker.until)
        return {
            "open": True,
            "ends": ends,
            "reason": breaker.reason.value if breaker.reason else None,
            "given": breaker.retry_after_given,
            "steps": {failure.value: count for failure, count in breaker.backoff_steps.items()},
            "at": now,
            "until": (now + LONGEST_S if ends is None else ends) + KEPT_S,
        }


def _breakers(pools: Sequence[Pool]) -> Iterator[tuple[str, Candidate, CircuitBreaker]]:
    """Yield each breaker with what names it. The names are formatted on demand: nearly all breakers have nothing to share."""
    for pool in pools:
        for candidate in pool.members:
            yield "model", candidate, candidate.health
            yield "provider", candidate, candidate.account


def _name(kind: str, candidate: Candidate) -> str:
    return f"model:{candidate}" if kind == "model" else f"provider:{candidate.provider_id}"
