"""Statistics collector: counts, latencies and costs by model, provider and pool."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from threading import RLock
from typing import Any

from modelmesh._engine.foundation.units import NANO
from modelmesh._engine.health.circuit_breaker import CircuitBreaker
from modelmesh._engine.telemetry.scope_counts import RecentAnswers, RequestMetrics, ScopeCounts, StandbyTotals, bin_of
from modelmesh.contracts.observability import AggregateStats


class StatisticsScope(StrEnum):
    """What statistics are collected for."""

    MODEL = "model"
    PROVIDER = "provider"
    POOL = "pool"


class StatisticsCollector:
    """Statistics of a mesh since its creation or :meth:`reset`, by model, provider and pool.

    Requests of a model or a provider are attempts. Requests of a pool are the callers' requests. Latencies are those of
    answered requests.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float],
        clock: Callable[[], float],
        breakers: Callable[[str, str], Sequence[CircuitBreaker] | None],
        scopes: Sequence[str] = tuple(StatisticsScope),
        retention: float = math.inf,
        send: Callable[[Mapping[str, AggregateStats]], None] | None = None,
    ) -> None:
        """Start without counts.

        Args:
            now: Returns Unix seconds.
            clock: Returns monotonic seconds.
            breakers: Returns the circuit breakers of a name in a scope, ``None`` when the mesh has no such name.
            scopes: Scopes to count.
            retention: Seconds after which the counts of a name without requests are dropped.
            send: Receives the statistics at each flush.
        """
        self._now, self._clock, self._breakers = now, clock, breakers
        self._scopes, self._retention, self._send = frozenset(scopes), retention, send
        self._has_successor = False
        self._lock = RLock()  # reentrant: garbage collection of a stream may record it while this thread holds the lock
        self._counts: dict[tuple[str, str], ScopeCounts] = {}
        self._flushed: dict[tuple[str, str], ScopeCounts] = {}
        self._by_names: dict[tuple[str | None, str | None, str | None], tuple[ScopeCounts, ...]] = {}
        self._recent: dict[tuple[str, str, str], RecentAnswers] = {}

    def record(self, model_id: str | None, provider_id: str | None, pool_id: str | None, metrics: RequestMetrics) -> None:
        """Record one attempt or request. ``None`` leaves a scope out."""
        bin_number, when = bin_of(metrics.latency_ms), self._now()
        nano_usd = None if metrics.cost is None else round(metrics.cost * NANO)
        names = (model_id, provider_id, pool_id)
        with self._lock:
            for counts in self._by_names.get(names) or self._find_counts(names):
                counts.add(metrics, bin_number, nano_usd, when)

    def record_answer(self, model_id: str, provider_id: str, pool_id: str, metrics: RequestMetrics, latency_ms: float) -> None:
        """Record a request that its only attempt answered. The totals receive it when they are read.

        Args:
            model_id: Model of the attempt.
            provider_id: Its provider.
            pool_id: Pool of the request.
            metrics: Metrics of the attempt, with its latency.
            latency_ms: Latency of the request.
        """
        nano_usd = None if metrics.cost is None else round(metrics.cost * NANO)
        number, of_request, names = bin_of(metrics.latency_ms), bin_of(latency_ms), (model_id, provider_id, pool_id)
        with self._lock:
            recent = self._recent.get(names) or self._recent.setdefault(names, RecentAnswers())
            recent.attempts.add(metrics, number, nano_usd, self._now())
            recent.sum_ms += latency_ms
            if of_request is not None:
                recent.bins[of_request] = recent.bins.get(of_request, 0) + 1

    def _settle(self) -> None:
        """Add the recent answers to the totals, before they are read."""
        recent = self._recent.copy()
        self._recent.clear()  # an earlier mesh may share it
        for (model, provider, pool), answers in recent.items():
            of_attempt, of_request = (model, provider, None), (None, None, pool)
            for counts in self._by_names.get(of_attempt) or self._find_counts(of_attempt):
                counts.merge(answers.attempts)
            for counts in self._by_names.get(of_request) or self._find_counts(of_request):
                counts.merge(answers.requests())

    def _find_counts(self, names: tuple[str | None, str | None, str | None]) -> tuple[ScopeCounts, ...]:
        """Return the counts of a model, a provider and a pool, and store them for the next request of the same names."""
        keys = [
            (scope, name)
            for scope, name in zip(StatisticsScope, names, strict=True)
            if name is not None and scope in self._scopes
        ]
        found = tuple(self._counts.setdefault(key, ScopeCounts()) for key in keys)
        self._by_names[names] = found
        return found

    def query(self, scope: str, name: str) -> AggregateStats:
        """Return the statistics of one name.

        Args:
            scope: ``model``, ``provider`` or ``pool``.
            name: Model ID, provider key, or pool name.

        Raises:
            KeyError: The mesh has no such name, or does not count that scope.
        """
        breakers = self._breakers(scope, name) if scope in self._scopes else None
        with self._lock:
            self._settle()
            counts = self._counts.get((scope, name))
            if counts is None and breakers is None:
                missing = f"{scope}:{name}"
                raise KeyError(missing)
            return (counts or ScopeCounts()).copy(self._standby(breakers)).to_stats()

    def model(self, name: str) -> AggregateStats:
        """Return the statistics of a model, over all its providers."""
        return self.query("model", name)

    def provider(self, name: str) -> AggregateStats:
        """Return the statistics of a provider, by its key in the configuration."""
        return self.query("provider", name)

    def pool(self, name: str) -> AggregateStats:
        """Return the statistics of a pool."""
        return self.query("pool", name)

    def continue_from(self, earlier: StatisticsCollector) -> None:
        """Continue the counts of the collector of an earlier mesh. What is recorded there from now on counts here as well.

        Counts of other scopes cannot be continued: they start again.
        """
        if earlier._scopes != self._scopes:
            return
        with earlier._lock:
            self._lock, self._counts, self._by_names = earlier._lock, earlier._counts, earlier._by_names
            self._flushed, self._recent = earlier._flushed, earlier._recent
            earlier._has_successor = True

    def flush(self) -> dict[str, AggregateStats]:
        """Send the statistics since the last flush to the sinks, and return them. Names without requests are left out."""
        if self._has_successor:
            return {}
        with self._lock:
            self._settle()
            self._drop_old()
            stats = {}
            for (scope, name), counts in list(self._counts.items()):
                current = counts.copy(self._standby(self._breakers(scope, name)))
                delta = current.minus(self._flushed.get((scope, name), ScopeCounts()))
                if delta.success or delta.failed:
                    stats[f"{scope}:{name}"] = delta.to_stats()
                    self._flushed[scope, name] = current
        if stats and self._send is not None:
            self._send(stats)
        return stats

    def _drop_old(self) -> None:
        oldest = self._now() - self._retention
        for key in [key for key, counts in list(self._counts.items()) if (counts.updated or 0.0) < oldest]:
            del self._counts[key]
            self._flushed.pop(key, None)
            self._by_names.clear()

    def _standby(self, breakers: Sequence[CircuitBreaker] | None) -> StandbyTotals:
        return StandbyTotals.of(breakers or (), self._clock())

    def reset(self) -> None:
        """Drop all counts. Standby times continue."""
        with self._lock:
            self._counts.clear()
            self._flushed.clear()
            self._by_names.clear()
            self._recent = {}

    def after_fork(self) -> None:
        """Take a new lock in a child process: another thread of the parent may have held it."""
        self._lock = RLock()

    def __repr__(self) -> str:
        with self._lock:
            self._settle()
            return f"<StatisticsCollector {len(self._counts)} scopes>"


def breaker_lookup(pools: Callable[[], Iterable[Any]]) -> Callable[[str, str], Sequence[CircuitBreaker] | None]:
    """Return a function that maps a scope and a name to circuit breakers. A pool has none of its own."""

    def find(scope: str, name: str) -> Sequence[CircuitBreaker] | None:
        if scope == "pool":
            return () if any(pool.name == name for pool in pools()) else None
        found: dict[int, CircuitBreaker] = {}
        for pool in pools():
            for candidate in pool.members:
                if scope == "model" and candidate.model_id == name:
                    found[id(candidate.health)] = candidate.health
                elif scope == "provider" and candidate.provider_id == name:
                    found[id(candidate.account)] = candidate.account
        return tuple(found.values()) or None

    return find
