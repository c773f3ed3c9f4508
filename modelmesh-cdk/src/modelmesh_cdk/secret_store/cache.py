"""Cache with a lifetime and a maximum size, for connectors that query slow sources."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any

from attrs import frozen


@frozen
class CacheStats:
    """Counts of a cache since its creation or its last clear. ``size`` is the number of cached values."""

    hits: int = 0
    misses: int = 0
    evictions: int = 0
    size: int = 0


class Cache:
    """Cache that evicts the least recently used value. Threads may share it.

    Example:
        ::

            prices = Cache(ttl=300.0)
            price = prices.get_or_compute("gpt-4o", lambda: fetch_price("gpt-4o"))
    """

    def __init__(self, ttl: float = 60.0, max_entries: int = 1024, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Create an empty cache.

        Args:
            ttl: Lifetime of a value in seconds.
            max_entries: Largest number of values, at least 1.
            clock: Returns monotonic seconds.

        Raises:
            ValueError: ``max_entries`` is below 1.
        """
        if max_entries < 1:
            message = f"a cache of {max_entries} values keeps nothing; max_entries is at least 1"
            raise ValueError(message)
        self._ttl, self._most, self._clock = ttl, max_entries, clock
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()
        self._hits = self._misses = self._evictions = 0

    def get(self, key: Hashable, default: Any = None) -> Any:
        """Return a value, or ``default`` if it is missing or expired."""
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
        """Store a value, with its own lifetime if ``ttl`` is given."""
        with self._lock:
            self._kept[key] = (self._clock() + (self._ttl if ttl is None else ttl), value)
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
                self._evictions += 1

    def get_or_compute(self, key: Hashable, compute: Callable[[], Any]) -> Any:
        """Return a value. Call ``compute`` for a missing one and cache the result.

        The call holds no lock, so that two threads may call ``compute`` for the same key. An exception of ``compute`` is
        raised and not cached.
        """
        found = self.get(key, _NOTHING)
        if found is _NOTHING:
            found = compute()
            self.set(key, found)
        return found

    def invalidate(self, key: Hashable) -> bool:
        """Remove a value. Return ``False`` if it does not exist."""
        with self._lock:
            return self._kept.pop(key, None) is not None

    def clear(self) -> None:
        """Remove all values and reset the counts."""
        with self._lock:
            self._kept.clear()
            self._hits = self._misses = self._evictions = 0

    @property
    def stats(self) -> CacheStats:
        """The current counts."""
        with self._lock:
            return CacheStats(self._hits, self._misses, self._evictions, len(self._kept))

    def __repr__(self) -> str:
        return f"<Cache {self.stats}>"  # no value: they may be secrets


_NOTHING = object()
