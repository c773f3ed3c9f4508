"""Values kept for a while: for a connector that asks something slow which seldom changes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any

from attrs import frozen


@frozen
class CacheStats:
    """What a cache did since it was made or cleared; ``size`` counts the values it holds."""

    hits: int = 0
    misses: int = 0
    evictions: int = 0
    size: int = 0


class Cache:
    """Keeps at most so many values for at most so long; the one unused longest goes first. Threads may share it.

    Example:
        ::

            prices = Cache(ttl=300.0)
            price = prices.get_or_ask("gpt-4o", lambda: ask_the_vendor("gpt-4o"))
    """

    def __init__(self, ttl: float = 60.0, max_entries: int = 1024, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Make an empty one.

        Args:
            ttl: Seconds that a value is kept.
            max_entries: How many values, at least one.
            clock: Gives monotonic seconds.

        Raises:
            ValueError: There is no room for any.
        """
        if max_entries < 1:
            message = f"a cache of {max_entries} values keeps nothing; max_entries is at least 1"
            raise ValueError(message)
        self._ttl, self._most, self._clock = ttl, max_entries, clock
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()
        self._hits = self._misses = self._evictions = 0

    def get(self, key: Hashable, default: Any = None) -> Any:
        """Return a value, ``default`` when it is not there or too old."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None and self._clock() < found[0]:
                self._hits += 1
                self._kept.move_to_end(key)
                return found[1]
            if found is not None:
                del self._kept[key]
            self._misses += 1
            return default

    def set(self, key: Hashable, value: Any, ttl: float | None = None) -> None:
        """Keep a value; for another time than the others when ``ttl`` says so."""
        with self._lock:
            self._kept[key] = (self._clock() + (self._ttl if ttl is None else ttl), value)
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
                self._evictions += 1

    def get_or_ask(self, key: Hashable, ask: Callable[[], Any]) -> Any:
        """Return a value, asked for when it is not there; what ``ask`` raises is raised and nothing is kept.

        Nobody else is kept waiting meanwhile, so two threads may ask for the same key at once.
        """
        found = self.get(key, _NOTHING)
        if found is _NOTHING:
            found = ask()
            self.set(key, found)
        return found

    def invalidate(self, key: Hashable) -> bool:
        """Forget a value; ``False`` when it was not there."""
        with self._lock:
            return self._kept.pop(key, None) is not None

    def clear(self) -> None:
        """Forget all values and all counts."""
        with self._lock:
            self._kept.clear()
            self._hits = self._misses = self._evictions = 0

    @property
    def stats(self) -> CacheStats:
        """What it did so far."""
        with self._lock:
            return CacheStats(self._hits, self._misses, self._evictions, len(self._kept))

    def __repr__(self) -> str:
        return f"<Cache {self.stats}>"  # no value: they may be secrets


_NOTHING = object()
