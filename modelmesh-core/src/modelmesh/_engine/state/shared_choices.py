"""Choices of strategies that processes share, such as the model of a conversation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from modelmesh._engine.foundation.clock import Clock
from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.state.shared_rows import Row

if TYPE_CHECKING:
    from threading import RLock


def shares_choices(pool: Pool) -> bool:
    """Return whether the strategy of a pool has choices to share."""
    return hasattr(pool.strategy, "take_shared") and hasattr(pool.strategy, "apply_shared")


class SharedChoices:
    """View of the choices of one pool's strategy."""

    shards = 16

    def __init__(self, pool: Pool, lock: Callable[[], RLock], clock: Clock) -> None:
        """Start with nothing known.

        Args:
            pool: The pool. Its strategy has the methods ``take_shared`` and ``apply_shared``.
            lock: Returns the mesh's lock.
            clock: Converts between monotonic and Unix time.
        """
        self.name = f"choices/{pool.name}"
        self._pool, self._lock, self._clock = pool, lock, clock
        self._strategy: Any = pool.strategy

    def take_changes(self, now: float) -> dict[str, Row]:
        """Return what the strategy chose since the last call."""
        with self._lock():
            chosen: Mapping[str, tuple[str, float]] = self._strategy.take_shared(self._clock.monotonic(now))
        return {name: {"value": value, "at": now, "until": now + lasts} for name, (value, lasts) in chosen.items()}

    def apply(self, rows: Mapping[str, Row], now: float) -> None:
        """Hand the choices of other processes to the strategy."""
        if not rows:
            return
        with self._lock():
            members = {str(candidate): candidate for candidate in self._pool.members}
            known = {
                name: (members[row["value"]], row["until"] - now)
                for name, row in rows.items()
                if row["until"] > now and row.get("value") in members
            }
            self._strategy.apply_shared(known, self._clock.monotonic(now))
