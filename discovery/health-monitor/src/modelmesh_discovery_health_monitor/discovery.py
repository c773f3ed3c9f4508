"""Whether providers are up."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from modelmesh_cdk import BaseDiscovery


class HealthMonitor(BaseDiscovery):
    """Probes each provider with a request that costs nothing and that only a good key opens.

    That is what its connector has for it, most often its list of models. A refused key, an error of the server and no answer
    in time are failed probes; a vendor that refuses because of too many requests is up.
    """

    id: ClassVar[str] = "modelmesh.health-monitor.v1"
    options: ClassVar[Collection[str]] = ()
