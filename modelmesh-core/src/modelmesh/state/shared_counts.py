"""Counts that several processes keep together, in a store that can add."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from threading import Lock

from modelmesh.contracts.storage import Counters
from modelmesh.routing.flow import Totals
from modelmesh.routing.meters import Meter

PAUSE_S = 1.0
"""How long a store that failed is left alone: requests go on meanwhile and do not wait for it."""

KEPT_S = 86400.0
"""How long a count is kept after its window."""


class SharedCounts:
    """Adds up what all processes spend. What cannot be sent is kept and sent later; nothing is lost but by a crash."""

    def __init__(
        self,
        store: Counters,
        prefix: str,
        clock: Callable[[], float],
        now: Callable[[], float],
        failed: Callable[[Exception], None],
        works: Callable[[], None],
    ) -> None:
        """Take the store.

        Args:
            store: Where the counts are.
            prefix: Before the name of each.
            clock: Monotonic seconds.
            now: Unix seconds.
            failed: Told of each failure.
            works: Told of each success.
        """
        self._store = store
        self._prefix = prefix
        self._clock, self._now = clock, now
        self._failed, self._works = failed, works
        self._lock = Lock()
        self._unsent: dict[str, int] = {}
        self._retry_at = -math.inf

    @property
    def pending(self) -> int:
        """How many counts wait to be sent; there are no more than there are limits."""
        return len(self._unsent)

    def post(self, amounts: Mapping[str, int]) -> Totals | None:
        """Add amounts and return the totals; nothing when the store cannot be reached."""
        with self._lock:
            for name, amount in amounts.items():
                self._unsent[name] = self._unsent.get(name, 0) + amount
            if self._clock() < self._retry_at:
                return None
            sending, self._unsent = self._unsent, {}
        totals: dict[str, int] = {}
        try:
            for name in list(sending):
                totals[name] = self._store.increment(self._prefix + name, sending[name], self._lasts(name))
                del sending[name]
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises: the request goes on
            with self._lock:
                self._retry_at = self._clock() + PAUSE_S
                for name, amount in sending.items():
                    self._unsent[name] = self._unsent.get(name, 0) + amount
            self._failed(error)
            return None
        self._works()
        return Totals(totals)

    def _lasts(self, name: str) -> float | None:
        """Seconds until a count may be forgotten, ``None`` for never: its window's end is part of its name."""
        ends = name.rpartition("@")[2]
        return max(float(ends) - self._now(), 0.0) + KEPT_S if ends else None

    def totals(self, meters: Mapping[str, Meter], when: float) -> dict[str, int]:
        """Read what stands now, for the meters that are kept together."""
        amounts = {}
        for meter in meters.values():
            meter.roll(when)
            if meter.bucket:
                amounts[meter.bucket] = 0
        found = self.post(amounts)
        return dict(found.by_name) if found else {}

    def after_fork(self) -> None:
        """The lock may have been held, and what was unsent is the parent's to send."""
        self._lock, self._unsent = Lock(), {}
