"""Answers of a worker to another one, and the answers of all workers merged."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from modelmesh._engine.mesh.manual import rotate_model
from modelmesh.errors import ModelMeshError
from modelmesh_proxy.admin import mesh_views, usage_views
from modelmesh_proxy.admin.live_feed import feed_of
from modelmesh_proxy.admin.worker_link import encode_line

if TYPE_CHECKING:
    from modelmesh_proxy.services import ProxyServices

_SUMMED = ("requests_running", "requests_served")


def answer(services: ProxyServices, what: str, arguments: Mapping[str, Any]) -> Any:
    """Return the answer of this worker to another one. It blocks."""
    mesh = services.mesh
    if what == "status":
        facts = mesh_views.status(services)
        return {"pid": facts["pid"], **{name: facts[name] for name in _SUMMED}, "usage": services.workers.baseline.usage(mesh)}
    if what == "usage":
        return {"usage": services.workers.baseline.usage(mesh)}
    if what == "pools":
        return {pool["name"]: pool["statistics"] for pool in mesh_views.pools(mesh)["pools"]}
    with suppress(ModelMeshError):  # it has no other active model, or none in standby
        if what == "rotate":
            rotate_model(mesh, arguments["pool"], arguments["model"])
        elif what == "recover":
            mesh.recover(arguments["pool"], arguments["model"])
    return {}


def merge_status(own: dict[str, Any], others: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the status of all workers."""
    for name in _SUMMED:
        own[name] += sum(one[name] for one in others)
    own["processes"] = sorted([own["pid"], *(one["pid"] for one in others)])
    usage_views.add(own, [one["usage"] for one in others])
    return own


def merge_pools(own: dict[str, Any], others: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the pools with the requests of all workers. Durations are those of this worker, or of one that has any."""
    for pool in own["pools"]:
        counts = pool["statistics"]
        for one in others:
            theirs = one.get(pool["name"])
            if theirs is None:
                continue
            if not counts["requests_total"]:
                counts |= {name: theirs[name] for name in ("latency_p50", "latency_p95")}
            for name in ("requests_total", "requests_failed"):
                counts[name] += theirs[name]
    return own


async def send_feed(services: ProxyServices, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send the live messages of this worker to another one until that one leaves."""
    feed = feed_of(services)
    view = feed.join_remote()

    async def send_all() -> None:
        while (message := await view.queue.get()) is not None:
            writer.write(encode_line(message))
            await writer.drain()

    try:
        await view.serve(send_all(), reader.read())
    finally:
        feed.leave(view)
