"""Readiness of a proxy: whether a load balancer should send requests to it.

A proxy without an available model stays in service, because its typed errors state more than those of a load balancer. All
replicas share the vendors, so an outage of these would otherwise take every replica out of service.
"""

from __future__ import annotations

from typing import Any

from attrs import frozen

from modelmesh_proxy.services import ProxyServices, ReadinessProblem
from modelmesh_proxy.store_counts import store_problem


@frozen
class Readiness:
    """Whether a proxy serves requests.

    Attributes:
        blocking: Reasons for which it should receive no requests.
        degrading: Reasons for which requests fail, although it should receive them.
    """

    blocking: tuple[ReadinessProblem, ...] = ()
    degrading: tuple[ReadinessProblem, ...] = ()

    @property
    def status(self) -> str:
        """``ready``, ``degraded`` or ``not ready``."""
        if self.blocking:
            return "not ready"
        return "degraded" if self.degrading else "ready"

    def as_dict(self) -> dict[str, Any]:
        """Return the status, and the reasons if there are any."""
        reasons = [{"code": problem.code, "message": problem.message} for problem in (*self.blocking, *self.degrading)]
        return {"status": self.status} | ({"reasons": reasons} if reasons else {})


def readiness_of(services: ProxyServices) -> Readiness:
    """Return the readiness of a proxy. It takes the mesh's lock and does no I/O."""
    if services.draining:
        return Readiness((ReadinessProblem("draining", "The server is shutting down."),))
    blocking = [problem for check in services.readiness_checks if (problem := check()) is not None]
    refused = store_problem(services.mesh)
    if refused is not None:
        blocking.append(refused)
    degrading = []
    if not services.mesh.active_providers():
        message = "No pool has an active model, so requests fail. GET /admin/pools has the reasons."
        degrading.append(ReadinessProblem("no_active_model", message))
    return Readiness(tuple(blocking), tuple(degrading))
