"""``/health`` and ``/ready``: whether the process runs, and whether it can serve requests.

``/health`` takes no lock, does no I/O and is not subject to the limit of concurrent requests, so that it answers while the proxy
is saturated. ``/ready`` reads the availability of the models under the mesh's lock.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from time import monotonic
from typing import Any

from modelmesh._engine.gateway import json_codec
from modelmesh_proxy.services import ProxyServices, ReadinessProblem
from modelmesh_proxy.store_counts import counts_report, store_problem

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


def readiness_problems(services: ProxyServices) -> list[ReadinessProblem]:
    """Return every reason why the proxy should receive no requests now."""
    problems = [problem for check in services.readiness_checks if (problem := check()) is not None]
    refused = store_problem(services.mesh)
    if refused is not None:
        problems.append(refused)
    if services.draining:
        problems.insert(0, ReadinessProblem("draining", "The server is shutting down."))
    elif not services.mesh.active_providers():
        problems.append(ReadinessProblem("no_active_model", "No pool has an active model. GET /admin/pools has the reasons."))
    return problems


async def serve_health(services: ProxyServices, scope: Mapping[str, Any], send: SendEvent) -> None:
    """Answer ``GET /health``."""
    _ = scope
    await send_json(send, 200, health_report(services))


async def serve_ready(services: ProxyServices, scope: Mapping[str, Any], send: SendEvent) -> None:
    """Answer ``GET /ready``."""
    _ = scope
    problems, counts = readiness_problems(services), counts_report(services.mesh)
    if not problems:
        await send_json(send, 200, {"status": "ready", **counts})
        return
    reasons = [{"code": problem.code, "message": problem.message} for problem in problems]
    await send_json(send, 503, {"status": "not ready", "reasons": reasons, **counts}, ((b"retry-after", NOT_READY_S),))


async def send_json(send: SendEvent, status: int, data: Any, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    """Send a response in compact JSON."""
    body = json_codec.encode(data)
    head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})
