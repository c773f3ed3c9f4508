"""``/health`` and ``/ready``: whether the process runs, and whether it should receive requests.

``/health`` takes no lock, does no I/O and is not subject to the limit of concurrent requests, so that it answers while the proxy
is saturated. ``/ready`` reads the availability of the models under the mesh's lock.
"""

from __future__ import annotations

from time import monotonic
from typing import Any

from modelmesh_proxy.readiness import readiness_of
from modelmesh_proxy.services import ProxyServices
from modelmesh_proxy.store_counts import counts_report


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


def readiness_report(services: ProxyServices) -> tuple[int, dict[str, Any]]:
    """Return the status and the body of ``/ready``."""
    ready = readiness_of(services)
    return 503 if ready.blocking else 200, ready.as_dict() | counts_report(services.mesh)
