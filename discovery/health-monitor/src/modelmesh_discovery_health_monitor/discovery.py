"""Active health checks of providers."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from modelmesh_cdk import BaseDiscovery


class HealthMonitor(BaseDiscovery):
    """Prober that sends each provider a free request which needs a valid key.

    The connector defines the request, in most cases a request for the list of models. A rejected key, a server error and a
    timeout are failed probes. A provider that throttles the request is up.
    """

    id: ClassVar[str] = "modelmesh.health-monitor.v1"
    options: ClassVar[Collection[str]] = ()
