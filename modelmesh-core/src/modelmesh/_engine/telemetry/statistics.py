"""What models, providers and pools did: counts, times and money, cheap to keep and bounded in size.

Percentiles come from a histogram whose bins grow by 2 to the power of 1/8, so one that is asked for is right within 4.5 %
whatever the times are, and a scope takes no more than some 200 numbers however long it is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import RLock
from typing import Any

from attrs import define, evolve, field, frozen

from modelmesh._engine.foundation.units import NANO
from modelmesh._engine.health.circuit_breaker import CircuitBreaker
from modelmesh.contracts.observability import AggregateStats

SCOPES = ("model", "provider", "pool")

BINS = 8
"""Bins of the histogram in which times double."""


@frozen
class RequestMetrics:
    """One attempt or request that has ended.

    Attributes:
        latency_ms: How long it took, ``None`` when that says nothing.
        tokens_in: Prompt tokens.
        tokens_out: Completion tokens.
        cost: USD, ``None`` when unknown.
        success: Whether it was answered.
        rotated: How often the request went on to another model.
        estimated: Whether the tokens are an estimate, because the vendor did not report them.
    """

    latency_ms: float | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float | None = None
    success: bool = True
    rotated: int = 0
    estimated: bool = False


@define(eq=False)
class Standing:
    """How long and how often something was in standby. Times in milliseconds."""

    downtime: float = 0.0
    standby_events: int = 0
    quota_resets: int = 0

    @classmethod
    def of(cls, circuits: Iterable[CircuitBreaker], now: float) -> Standing:
        """Sum over circuits; ``now`` in monotonic seconds."""
        made = cls()
        for circuit in circuits:
            since = 0.0 if circuit.down_since is None else max(now - circuit.down_since, 0.0)
            made.downtime += (circuit.downtime + since) * 1000
            made.standby_events += circuit.standby_events
            made.quota_resets += circuit.quota_resets
        return made


@define(eq=False)
class _Counts:
    """Totals of one name in one scope; two of them can be subtracted."""

    success: int = 0
    failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    nano_usd: int | None = None
    timed: int = 0
    sum_ms: float = 0.0
    rotated: int = 0
    estimated: int = 0
    bins: dict[int, int] = field(factory=dict)
    updated: float | None = None
    standing: Standing = field(factory=Standing)

    def add(self, metrics: RequestMetrics, place: int | None, when: float) -> None:
        if metrics.success:
            self.success += 1
        else:
            self.failed += 1
        self.tokens_in += metrics.tokens_in
        self.tokens_out += metrics.tokens_out
        self.rotated += metrics.rotated
        self.estimated += metrics.estimated
        if metrics.cost is not None:
            self.nano_usd = (self.nano_usd or 0) + round(metrics.cost * NANO)
        if place is not None and metrics.success:
            self.timed += 1
            self.sum_ms += metrics.latency_ms or 0.0
            self.bins[place] = self.bins.get(place, 0) + 1
        self.updated = when

    def since(self, before: _Counts) -> _Counts:
        bins = {place: count - before.bins.get(place, 0) for place, count in self.bins.items()}
        names = ("success", "failed", "tokens_in", "tokens_out", "timed", "sum_ms", "rotated", "estimated")
        made = _Counts(**{name: getattr(self, name) - getattr(before, name) for name in names})
        if self.nano_usd is not None and self.nano_usd != before.nano_usd:
            made.nano_usd = self.nano_usd - (before.nano_usd or 0)
        made.bins = {place: count for place, count in bins.items() if count}
        made.updated = self.updated
        made.standing = Standing(
            self.standing.downtime - before.standing.downtime,
            self.standing.standby_events - before.standing.standby_events,
            self.standing.quota_resets - before.standing.quota_resets,
        )
        return made

    def copy(self, standing: Standing) -> _Counts:
        return evolve(self, bins=dict(self.bins), standing=standing)

    def shown(self) -> AggregateStats:
        p50, p95, p99 = (self._percentile(share) for share in (0.5, 0.95, 0.99))
        return AggregateStats(
            requests_total=self.success + self.failed,
            requests_success=self.success,
            requests_failed=self.failed,
            tokens_in=self.tokens_in,
            tokens_out=self.tokens_out,
            cost_total=None if self.nano_usd is None else self.nano_usd / NANO,
            latency_avg=self.sum_ms / self.timed if self.timed else 0.0,
            latency_p50=p50,
            latency_p95=p95,
            latency_p99=p99,
            downtime_total=self.standing.downtime,
            rotation_events=self.rotated,
            standby_events=self.standing.standby_events,
            quota_resets=self.standing.quota_resets,
            last_updated=self.updated,
            requests_estimated=self.estimated,
        )

    def _percentile(self, share: float) -> float:
        wanted, seen = share * self.timed, 0
        for place in sorted(self.bins):
            seen += self.bins[place]
            if seen >= wanted:
                return float(2.0 ** ((place + 0.5) / BINS))
        return 0.0


def _bin(latency_ms: float | None) -> int | None:
    """Return the bin of a time; all below a thousandth of a millisecond share one."""
    return None if latency_ms is None else math.floor(math.log2(max(latency_ms, 0.001)) * BINS)


class StatisticsCollector:
    """Counts what a mesh did since it was made or :meth:`reset`, by model, provider and pool.

    A model's and a provider's requests are attempts made at them; a pool's are the callers' requests. Times are of those
    that were answered.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float],
        clock: Callable[[], float],
        circuits: Callable[[str, str], Sequence[CircuitBreaker] | None],
        scopes: Sequence[str] = SCOPES,
        retention: float = math.inf,
        send: Callable[[Mapping[str, AggregateStats]], None] | None = None,
    ) -> None:
        """Start at nothing.

        Args:
            now: Unix seconds.
            clock: Monotonic seconds.
            circuits: Gives the health of what is called so in a scope, ``None`` when the mesh has nothing of that name.
            scopes: What is counted.
            retention: Seconds after which the counts of what nobody asked since are dropped.
            send: Hands counts to the sinks.
        """
        self._now, self._clock, self._circuits = now, clock, circuits
        self._scopes, self._retention, self._send = frozenset(scopes), retention, send
        self._lock = RLock()  # a stream may be collected, and so counted, in the middle of anything
        self._counts: dict[tuple[str, str], _Counts] = {}
        self._flushed: dict[tuple[str, str], _Counts] = {}

    def record(self, model_id: str | None, provider_id: str | None, pool_id: str | None, metrics: RequestMetrics) -> None:
        """Count one attempt or request; ``None`` for a scope that it is not of."""
        place, when = _bin(metrics.latency_ms), self._now()
        with self._lock:
            for key in (("model", model_id), ("provider", provider_id), ("pool", pool_id)):
                if key[1] is not None and key[0] in self._scopes:
                    counts = self._counts.get(key)  # type: ignore[arg-type]
                    if counts is None:
                        counts = self._counts[key] = _Counts()  # type: ignore[index]
                    counts.add(metrics, place, when)

    def query(self, scope: str, name: str) -> AggregateStats:
        """Return the counts of one name.

        Args:
            scope: ``model``, ``provider`` or ``pool``.
            name: Model ID, key of a provider, or name of a pool.

        Raises:
            KeyError: The mesh has nothing of that name, or does not count that scope.
        """
        circuits = self._circuits(scope, name) if scope in self._scopes else None
        with self._lock:
            counts = self._counts.get((scope, name))
            if counts is None and circuits is None:
                missing = f"{scope}:{name}"
                raise KeyError(missing)
            return (counts or _Counts()).copy(self._standing(circuits)).shown()

    def model(self, name: str) -> AggregateStats:
        """Return the counts of a model, over all providers that have it."""
        return self.query("model", name)

    def provider(self, name: str) -> AggregateStats:
        """Return the counts of a provider, by its key in the configuration."""
        return self.query("provider", name)

    def pool(self, name: str) -> AggregateStats:
        """Return the counts of a pool."""
        return self.query("pool", name)

    def flush(self) -> dict[str, AggregateStats]:
        """Hand the sinks what was counted since the last time, and return it; what nothing happened to is left out."""
        with self._lock:
            self._drop_old()
            told = {}
            for (scope, name), counts in list(self._counts.items()):
                seen = counts.copy(self._standing(self._circuits(scope, name)))
                delta = seen.since(self._flushed.get((scope, name), _Counts()))
                if delta.success or delta.failed:
                    told[f"{scope}:{name}"] = delta.shown()
                    self._flushed[scope, name] = seen
        if told and self._send is not None:
            self._send(told)
        return told

    def _drop_old(self) -> None:
        oldest = self._now() - self._retention
        for key in [key for key, counts in list(self._counts.items()) if (counts.updated or 0.0) < oldest]:
            del self._counts[key]
            self._flushed.pop(key, None)

    def _standing(self, circuits: Sequence[CircuitBreaker] | None) -> Standing:
        return Standing.of(circuits or (), self._clock())

    def reset(self) -> None:
        """Begin again at nothing; times in standby go on."""
        with self._lock:
            self._counts.clear()
            self._flushed.clear()

    def after_fork(self) -> None:
        """Take a new lock in a child process."""
        self._lock = RLock()

    def __repr__(self) -> str:
        return f"<StatisticsCollector {len(self._counts)} scopes>"


def circuits_of(pools: Callable[[], Iterable[Any]]) -> Callable[[str, str], Sequence[CircuitBreaker] | None]:
    """Return what finds the health of a name; a pool has none of its own, and a model's is that of its circuits alone."""

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
