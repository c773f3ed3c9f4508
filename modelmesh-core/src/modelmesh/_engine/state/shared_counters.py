"""Counts that several processes keep together, in a store that can add."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock

from modelmesh._engine.limits.counter import LimitCounter
from modelmesh._engine.limits.reservations import drained
from modelmesh._engine.limits.window import SECONDS
from modelmesh._engine.routing.flow import Totals
from modelmesh.contracts.storage import Counters, CountersAtOnce

KEPT_S = 86400.0
"""How long a count is kept after its window."""

LATE_S = 300.0
"""How long one is kept after it is looked at no more, when its window slides; processes' clocks may differ by so much."""


class SharedCounts:
    """Adds up what all processes spend. What cannot be sent is kept and sent later; nothing is lost but by a crash.

    A store that failed is left alone until it is asked ``again``, which no request does: none waits for it twice.
    """

    def __init__(
        self,
        store: Counters,
        prefix: str,
        now: Callable[[], float],
        failed: Callable[[Exception], None],
        works: Callable[[], None],
    ) -> None:
        """Take the store.

        Args:
            store: Where the counts are.
            prefix: Before the name of each.
            now: Unix seconds.
            failed: Told of each failure.
            works: Told of each success.
        """
        self._store = store
        self._at_once = store if isinstance(store, CountersAtOnce) else None  # looking is slow: once
        self._prefix = prefix
        self._now = now
        self._failed, self._works = failed, works
        self._lock = Lock()
        self._unsent: dict[str, int] = {}
        self._down = False

    @property
    def pending(self) -> int:
        """How many counts wait to be sent; there are no more than there are limits and windows."""
        return len(self._unsent)

    def post(self, amounts: dict[str, int], *, again: bool = False) -> Totals | None:
        """Take amounts out, add them, and return the totals; nothing when the store cannot be reached.

        Args:
            amounts: By name of the count.
            again: Whether a store that failed is asked nevertheless.
        """
        with self._lock:
            for name, amount in drained(amounts):
                self._unsent[name] = self._unsent.get(name, 0) + amount
            if self._down and not again:
                return None
            sending, self._unsent = {name: amount for name, amount in self._unsent.items() if not self._is_over(name)}, {}
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
            self._failed(error)  # whatever a plugin raises: the request goes on
            return None
        self._down = False
        self._works()
        return Totals(totals)

    def _send(self, sending: dict[str, int]) -> dict[str, int]:
        """Add everything, and take out what has been added."""
        prefix = self._prefix
        if self._at_once is not None:
            sums = self._at_once.increment_many({prefix + name: (sending[name], self._lasts(name)) for name in sending})
            totals = {name: sums[prefix + name] for name in sending}
            sending.clear()
            return totals
        totals = {}
        for name in list(sending):
            totals[name] = self._store.increment(prefix + name, sending[name], self._lasts(name))
            del sending[name]
        return totals

    def _lasts(self, name: str) -> float | None:
        """Seconds until a count may be forgotten, ``None`` for never: its window's end is part of its name."""
        of, _, ends = name.rpartition("@")
        if not ends:
            return None
        slides = SECONDS.get(of.rpartition(":")[2])
        return max(float(ends) - self._now(), 0.0) + (KEPT_S if slides is None else slides + LATE_S)

    def _is_over(self, name: str) -> bool:
        """Whether nobody looks at a count any more: a store that is down for a day must not be told of each minute."""
        of, _, ends = name.rpartition("@")
        slides = SECONDS.get(of.rpartition(":")[2])
        return slides is not None and float(ends) + slides + LATE_S <= self._now()

    def totals(self, counters: Mapping[str, LimitCounter], when: float) -> dict[str, int]:
        """Read what stands now, for the meters that are kept together."""
        amounts = {}
        for counter in counters.values():
            counter.roll(when)
            amounts.update(dict.fromkeys(counter.buckets, 0))
        found = self.post(amounts)
        return dict(found.by_name) if found else {}

    def after_fork(self) -> None:
        """The lock may have been held, and what was unsent is the parent's to send."""
        self._lock, self._unsent = Lock(), {}
