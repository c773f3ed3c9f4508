"""Gauges of a mesh: budgets, quotas, rate limits, circuit breakers, pools and storage. Read for each scrape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from modelmesh._engine.foundation.units import NANO
from modelmesh._engine.health.circuit_breaker import BreakerState
from modelmesh._engine.limits.counter import Metric as Unit
from modelmesh._engine.limits.window import Period
from modelmesh_proxy.metrics import definitions
from modelmesh_proxy.metrics.series import Labels, SeriesStore

if TYPE_CHECKING:
    from modelmesh import ModelMesh
    from modelmesh._engine.state import StateSyncStatus

_EACH_REQUEST = Period.REQUEST.value
_LEVELS = {BreakerState.CLOSED: 0.0, BreakerState.HALF_OPEN: 1.0, BreakerState.OPEN: 2.0}


def read_mesh(mesh: ModelMesh, store: SeriesStore, callers: Mapping[str, str] = MappingProxyType({})) -> None:
    """Replace the gauges of a mesh. Models without a request and without an ejection have no circuit breaker row.

    Args:
        mesh: The mesh.
        store: Receives the values.
        callers: Names of tokens and teams by the key of their counters.
    """
    rows = sorted((row for row in mesh.limits() if row["window"] != _EACH_REQUEST), key=_used_share, reverse=True)
    budgets = [row for row in rows if row["metric"] == Unit.COST.value]
    quotas = [row for row in rows if row["metric"] != Unit.COST.value]
    store.replace(definitions.BUDGET_SPENT, ((_scope(row, callers), row["used"] / NANO) for row in budgets))
    store.replace(definitions.BUDGET_LIMIT, ((_scope(row, callers), row["limit"] / NANO) for row in budgets))
    store.replace(definitions.QUOTA_REMAINING, ((_quota(row, callers), row["left"]) for row in quotas))
    store.replace(definitions.RATE_LIMIT_REMAINING, _rate_limits(mesh))
    store.replace(definitions.BREAKER, _breakers(mesh))
    _read_accounts(mesh, store)
    store.replace(definitions.POOL_MODELS, _pools(mesh))
    status = None if mesh.state is None else mesh.state.get_sync_status()
    store.replace(definitions.STORE_UP, [] if status is None else [((), float(_works(status)))])
    store.replace(definitions.COUNTS_SHARED, [((), float(status is not None and status.counts.counts == "shared"))])


def _works(status: StateSyncStatus) -> bool:
    return status.error is None and not status.counts.is_store_down


def _scope(row: dict[str, Any], callers: Mapping[str, str]) -> Labels:
    kind, _, name = row["of"].partition(":")
    return kind, callers.get(row["of"], name), row["window"]


def _quota(row: dict[str, Any], callers: Mapping[str, str]) -> Labels:
    kind, name, window = _scope(row, callers)
    return kind, name, row["metric"], window


def _used_share(row: dict[str, Any]) -> float:
    return row["used"] / row["limit"] if row["limit"] else 0.0


def _rate_limits(mesh: ModelMesh) -> Iterator[tuple[Labels, float]]:
    now = mesh.clock()
    for model in mesh.list_models():
        for limit in model.rate_limits(now):
            if limit.remaining is not None:
                yield (model.provider_id, model.model_id, str(limit.kind)), float(limit.remaining)


def _breakers(mesh: ModelMesh) -> Iterator[tuple[Labels, float]]:
    models = mesh.list_models()
    for account in dict.fromkeys(model.account for model in models):
        yield (account.provider_id, ""), _LEVELS[account.state]
    for model in models:
        health = model.health
        if health.samples or health.state is not BreakerState.CLOSED:
            yield (model.provider_id, model.model_id), _LEVELS[health.state]


def _read_accounts(mesh: ModelMesh, store: SeriesStore) -> None:
    requests: dict[Labels, float] = {}
    limits: dict[Labels, float] = {}
    for account in dict.fromkeys(model.account for model in mesh.list_models()):
        name = account.provider_id
        requests[name, "in_flight"] = requests.get((name, "in_flight"), 0.0) + account.in_flight
        requests[name, "waiting"] = requests.get((name, "waiting"), 0.0) + account.admission.waiting
        limits[(name,)] = limits.get((name,), 0.0) + account.concurrency_limit
    store.replace(definitions.ACCOUNT_REQUESTS, requests.items())
    store.replace(definitions.ACCOUNT_LIMIT, limits.items())


def _pools(mesh: ModelMesh) -> Iterator[tuple[Labels, float]]:
    for pool in mesh.list_pools():
        active = pool.available.bit_count()
        yield (pool.name, "active"), float(active)
        yield (pool.name, "standby"), float(len(pool.members) - active)
