"""A mesh as plain data for the administration interface."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import asdict

import modelmesh
from modelmesh._engine.gateway.calls import build_call
from modelmesh._engine.gateway.messages import GatewayRequest, HttpError
from modelmesh._engine.gateway.routes import find_route
from modelmesh._engine.limits.forecasts import in_usd
from modelmesh._engine.telemetry.status import short_strategy
from modelmesh.contracts.call import NO_OPTIONS
from modelmesh_proxy.admin.usage_views import PERIODS, entry_facts, usage_of
from modelmesh_proxy.readiness import readiness_of
from modelmesh_proxy.store_counts import counts_report

if TYPE_CHECKING:
    from modelmesh import ModelMesh
    from modelmesh._engine.routing.explain import Explanation
    from modelmesh._engine.telemetry.status import PoolInfo
    from modelmesh_proxy.services import ProxyServices

_CHAT = "/v1/chat/completions"


def status(services: ProxyServices) -> dict[str, Any]:
    """Return the state of this process and the totals of its mesh. Open live views do not count as running requests."""
    mesh = services.mesh
    section, store = services.settings.section, mesh.state
    summary = mesh.pool_status()
    return {
        "version": modelmesh.__version__,
        "pid": os.getpid(),
        "workers": section.workers,
        "uptime_seconds": time.monotonic() - services.started_at,
        "requests_running": max(0, services.in_flight - (0 if services.live_feed is None else services.live_feed.readers)),
        "requests_served": sum(mesh.get_statistics().pool(name).requests_total for name in summary),
        "draining": services.draining,
        "readiness": readiness_of(services).as_dict(),
        "storage": None if store is None else store.storage.id,
        **counts_report(mesh),
        "pools": len(summary),
        "pool_states": [_pool_state(name, info) for name, info in summary.items()],
        "pools_down": sorted(name for name, info in summary.items() if not info.active),
        "models": len(mesh.list_models()),
        "models_standby": sum(info.standby for info in summary.values()),
        "providers": sorted({candidate.provider_id for candidate in mesh.list_models()}),
        "providers_active": sorted(mesh.active_providers()),
        **{name: entry_facts(getattr(mesh.usage, name)) for name in PERIODS},
        "processes": [os.getpid()],
        "sink_failures": dict(mesh.sink_failures),
        "sink_drops": dict(mesh.sink_drops),
    }


def pools(mesh: ModelMesh) -> dict[str, Any]:
    """Return every pool with its models as a plain request would find them."""
    found = []
    for pool in mesh.list_pools():
        explanation = mesh.explain(pool.name)
        stats = mesh.get_statistics().pool(pool.name)
        counts = {name: getattr(stats, name) for name in ("requests_total", "requests_failed", "latency_p50", "latency_p95")}
        found.append({**explained(explanation), "aliases": list(getattr(pool, "aliases", ())), "statistics": counts})
    return {"pools": found}


def explain(mesh: ModelMesh, payload: dict[str, Any]) -> dict[str, Any]:
    """Return where a request would go now, and why.

    Args:
        mesh: The mesh.
        payload: Body of a chat completion. Without ``messages``, a plain request to ``model`` is explained.

    Raises:
        HttpError: The body is not that of a request.
        ModelMeshError: Nothing serves the request.
    """
    model = payload.get("model")
    if not isinstance(model, str) or not model:
        raise HttpError(400, "'model' must be the name of a pool, a capability or a model. Set it.", param="model")
    if payload.get("messages") is None:
        return explained(mesh.explain(model))
    call = build_call(find_route("POST", _CHAT), GatewayRequest("POST", _CHAT), payload, NO_OPTIONS)
    return explained(mesh.explain(model, call))


def explained(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation as plain data."""
    facts = asdict(explanation)
    facts["name"] = facts.pop("pool_name")
    facts["strategy"] = short_strategy(explanation.strategy)
    for row in facts["candidates"]:
        row["left"] = [in_usd(limit) for limit in row["left"]]
    return facts


def limits(services: ProxyServices) -> dict[str, Any]:
    """Return every limit with its rest and reset, those that vendors reported, and the usage so far."""
    mesh = services.mesh
    names = {} if services.authenticator is None else services.authenticator.names
    configured = [in_usd(row) for row in mesh.limits()]
    known = {(row["of"], row["metric"], row["window"]) for row in configured}
    reported: dict[tuple[Any, ...], dict[str, Any]] = {}
    for info in mesh.pool_status().values():
        for row in map(in_usd, info.left):
            key = (row["of"], row["metric"], row["window"])
            if key not in known:
                reported[key] = row
    return {
        "now": time.time(),
        "limits": [_named(row, names) for row in (*configured, *reported.values())],
        **usage_of(mesh),
    }


def _named(row: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Replace the key of a token or team by its name."""
    kind, _, key = row["of"].partition(":")
    return {**row, "of": f"{kind}:{names.get(row['of'], key)}"} if key else row


def _pool_state(name: str, info: PoolInfo) -> dict[str, Any]:
    target = f"{info.current_provider}/{info.current_model}" if info.current_model else None
    return {"name": name, "active": info.active, "total": info.total, "next": target, "strategy": short_strategy(info.strategy)}
