"""``/health`` and ``/ready``: whether the process runs, and whether it should receive requests.

``/health`` takes no lock, does no I/O and is not subject to the limit of concurrent requests, so that it answers while the proxy
is saturated. ``/ready`` reads the availability of the models under the mesh's lock.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from time import monotonic
from typing import Any

from modelmesh._engine.gateway import json_codec
from modelmesh_proxy.readiness import readiness_of
from modelmesh_proxy.services import ProxyServices
from modelmesh_proxy.store_counts import counts_report

SendEvent = Callable[[Mapping[str, Any]], Awaitable[None]]

NOT_READY_S = b"1"
"""Seconds after which a client may try again."""


def health_report(services: ProxyServices) -> dict[str, Any]:
    """Return the body of ``/health``."""
    return {
        "status": "ok",
        "running": not services.draining,
        "host": services.host,
        "port": services.port,
        "uptime_seconds": round(monotonic() - services.started_at, 3),
        "active_connections": services.in_flight,
        "total_requests": services.total_requests,
    }


async def serve_health(services: ProxyServices, scope: Mapping[str, Any], send: SendEvent) -> None:
    """Answer ``GET /health``."""
    _ = scope
    await send_json(send, 200, health_report(services))


async def serve_ready(services: ProxyServices, scope: Mapping[str, Any], send: SendEvent) -> None:
    """Answer ``GET /ready``."""
    _ = scope
    ready = readiness_of(services)
    report = ready.as_dict() | counts_report(services.mesh)
    if ready.blocking:
        await send_json(send, 503, report, ((b"retry-after", NOT_READY_S),))
    else:
        await send_json(send, 200, report)


async def send_json(send: SendEvent, status: int, data: Any, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    """Send a response in compact JSON."""
    body = json_codec.encode(data)
    head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})
