"""Counters that several processes share, in a store that can add."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Final

from modelmesh._engine.limits.counter import LimitCounter
from modelmesh._engine.limits.shared_deltas import pop_all
from modelmesh._engine.limits.window import SECONDS
from modelmesh._engine.routing.steps import Totals
from modelmesh._engine.state.store_health import StoreHealth
from modelmesh.contracts.storage import BatchCounters, Counters

KEPT_S: Final = 86400.0
"""How long a counter is stored after its window has ended."""

LATE_S: Final = 300.0
"""How long a counter of a sliding window is stored after its last use. The clocks of processes may differ by this much."""


PROBE: Final = "probe@"
"""Name of a counter that is only read."""


class SharedCounters:
    """Adds up what all processes spend. Amounts that cannot be sent are sent later. Only a crash loses them.

    After a failure the store is not called again until a call with ``retry=True``. Requests never make such a call, so
    none of them waits for a failed store twice.
    """

    def __init__(self, store: Counters, prefix: str, now: Callable[[], float], health: StoreHealth) -> None:
        """Start with nothing to send.

        Args:
            store: The store of the counters.
            prefix: Prefix of every counter's key.
            now: Returns Unix seconds.
            health: Records failures and successes of the store.
        """
        self._store = store
        self._batch = store if isinstance(store, BatchCounters) else None  # isinstance on a protocol is slow: once
        self._prefix = prefix
        self._now = now
        self._health = health
        self._lock = Lock()
        self._unsent: dict[str, int] = {}
        self._down = False

    @property
    def is_down(self) -> bool:
        """Whether the store failed and has not replied since. Amounts are counted here meanwhile."""
        return self._down

    @property
    def pending(self) -> int:
        """Number of counters that wait to be sent, at most one for each limit and window."""
        return len(self._unsent)

    def publish(self, amounts: dict[str, int], *, retry: bool = False) -> Totals | None:
        """Add the amounts to the shared counters and return the totals, ``None`` when the store fails.

        Args:
            amounts: Amounts by counter name. They are removed from the dictionary, and sent later if the store fails.
            retry: Whether a store that failed before is called nevertheless.
        """
        with self._lock:
            for name, amount in pop_all(amounts):
                self._unsent[name] = self._unsent.get(name, 0) + amount
            if self._down and not retry:
                return None
            sending, self._unsent = {name: amount for name, amount in self._unsent.items() if not self._is_over(name)}, {}
            if self._down and not sending:
                sending[PROBE] = 0  # every amount has expired meanwhile: a read shows whether the store replies
        if not sending:
            return Totals({})
        try:
            totals = self._send(sending)
        except BaseException as error:
            with self._lock:
                self._down = True
                for name, amount in sending.items():
                    self._unsent[name] = self._unsent.get(name, 0) + amount
            if not isinstance(error, Exception):
                raise
            self._health.record_failure(error)  # a plugin may raise anything, and the request continues
            return None
        self._down = False
        self._health.record_success()
        return Totals(totals)

    def _send(self, sending: dict[str, int]) -> dict[str, int]:
        """Add all amounts to the store. Amounts that were added are removed from ``sending``."""
        prefix = self._prefix
        if self._batch is not None:
            sums = self._batch.increment_many({prefix + name: (sending[name], self._expires_in(name)) for name in sending})
            totals = {name: sums[prefix + name] for name in sending}
            sending.clear()
            return totals
        totals = {}
        for name in list(sending):
            totals[name] = self._store.increment(prefix + name, sending[name], self._expires_in(name))
            del sending[name]
        return totals

    def _expires_in(self, name: str) -> float | None:
        """Return the seconds until a counter may be deleted, ``None`` for never. Its name contains the window's end."""
        counter, _, ends = name.rpartition("@")
        if not ends:
            return None
        slides = SECONDS.get(counter.rpartition(":")[2])
        return max(float(ends) - self._now(), 0.0) + (KEPT_S if slides is None else slides + LATE_S)

    def _is_over(self, name: str) -> bool:
        """Return whether no process reads a counter any more. After a long outage such minutes are not sent."""
        counter, _, ends = name.rpartition("@")
        slides = SECONDS.get(counter.rpartition(":")[2])
        return slides is not None and float(ends) + slides + LATE_S <= self._now()

    def totals(self, counters: Mapping[str, LimitCounter], when: float) -> dict[str, int]:
        """Return the current totals of the given counters.

        Args:
            counters: The local counters.
            when: Unix seconds.
        """
        amounts = {}
        for counter in counters.values():
            counter.advance_window(when)
            amounts.update(dict.fromkeys(counter.buckets, 0))
        found = self.publish(amounts)
        return dict(found.by_name) if found else {}

    def take_unsent(self) -> dict[str, int]:
        """Remove and return the amounts that wait to be sent."""
        with self._lock:
            unsent, self._unsent = self._unsent, {}
        return unsent

    def add_unsent(self, amounts: Mapping[str, int]) -> None:
        """Add amounts that wait to be sent."""
        with self._lock:
            for name, amount in amounts.items():
                self._unsent[name] = self._unsent.get(name, 0) + amount

    def after_fork(self) -> None:
        """Reset the lock, which another thread may have held, and leave unsent amounts to the parent process."""
        self._lock, self._unsent = Lock(), {}
