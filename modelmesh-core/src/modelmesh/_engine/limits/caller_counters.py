"""Counters of the tokens and teams that send requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from modelmesh._engine.limits.counter import LimitCounter

if TYPE_CHECKING:
    from modelmesh._engine.limits.caller_limits import CallerLimits

KEYS = ("token:", "team:")
"""Beginnings of the keys of callers' limits."""


class CallerCounters:
    """Counters of the tokens and teams of a mesh.

    Attributes:
        counters: Counters by name. Replaced as a whole, so that another thread may iterate over it.
        unclaimed: Counts of an earlier run, by name, of tokens and teams that are not known yet.
    """

    def __init__(self) -> None:
        self.counters: Mapping[str, LimitCounter] = {}
        self.unclaimed: dict[str, Any] = {}
        self._by_key: dict[str, tuple[LimitCounter, ...]] = {}

    def of(self, key: str) -> tuple[LimitCounter, ...]:
        """Return the counters of a token or team."""
        return self._by_key.get(key, ())

    def replace(self, callers: Iterable[CallerLimits]) -> tuple[dict[str, LimitCounter], list[LimitCounter]]:
        """Set the tokens and teams. A limit that existed before keeps its count.

        Returns:
            The new counters by name, and those of limits that no longer exist.
        """
        before, added = self.counters, {}
        counters: dict[str, LimitCounter] = {}
        by_key: dict[str, tuple[LimitCounter, ...]] = {}
        for caller in callers:
            own = []
            for limit in caller.limits():
                counter = before.get(limit.name)
                if counter is None:
                    counter = added[limit.name] = LimitCounter(limit)
                else:
                    counter.replace_limit(limit)
                counters[limit.name] = counter
                own.append(counter)
            if own:
                by_key[caller.key] = tuple(own)
        self.counters, self._by_key = counters, by_key
        return added, [counter for name, counter in before.items() if name not in counters]
