"""Standby by hand that processes share: a manual step in one process applies in all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from modelmesh._engine.routing.pool import Pool
from modelmesh._engine.state.shared_rows import Row

if TYPE_CHECKING:
    from threading import RLock

    from modelmesh._engine.routing.candidates import Candidate

KEPT_S: Final = 30 * 86400.0
"""Seconds for which a row is stored. The saved state contains the standby as well."""


class SharedStandby:
    """View of the members of all pools that are in standby by hand."""

    name = "standby"
    shards = 1

    def __init__(self, pools: Callable[[], Sequence[Pool]], lock: Callable[[], RLock]) -> None:
        """Start with the standby of the saved state, which is no change.

        Args:
            pools: Returns the mesh's pools.
            lock: Returns the mesh's lock.
        """
        self._pools, self._lock = pools, lock
        with lock():
            self._known = self._current()
        self._applied: dict[str, float] = {}

    def take_changes(self, now: float) -> dict[str, Row]:
        """Return the members with a standby that began or ended since the last call."""
        with self._lock():
            before, self._known = self._known, self._current()
        changed = {name for name in before.keys() | self._known.keys() if before.get(name) != self._known.get(name)}
        self._applied |= dict.fromkeys(changed, now)
        return {name: {"standby": self._known.get(name), "at": now, "until": now + KEPT_S} for name in changed}

    def apply(self, rows: Mapping[str, Row], now: float) -> None:
        """Begin and end the standby of members as other processes did."""
        newer = {name: row for name, row in rows.items() if row["at"] > self._applied.get(name, 0.0) and row["until"] > now}
        if not newer:
            return
        with self._lock():
            members = {_name(pool, member): (pool, member) for pool in self._pools() for member in pool.members}
            for name, row in newer.items():
                self._applied[name] = row["at"]
                if name in members:
                    pool, member = members[name]
                    pool.manual_standby.remove(member)
                    if row.get("standby") is not None:
                        pool.manual_standby.add(member, rotated=row["standby"] == "rotated")
            self._known = self._current()

    def _current(self) -> dict[str, str]:
        return {
            _name(pool, member): "rotated" if pool.manual_standby.has_rotated(member) else "manual"
            for pool in self._pools()
            if pool.manual_standby.mask
            for member in pool.members
            if member in pool.manual_standby
        }


def _name(pool: Pool, member: Candidate) -> str:
    return f"{pool.name}:{member}"
