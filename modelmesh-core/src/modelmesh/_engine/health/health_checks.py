"""What is found out beside the requests, and what it does to the health book."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from modelmesh._engine.health.circuit_breaker import SuspensionReason

if TYPE_CHECKING:
    from modelmesh._engine.health.circuit_breaker import ProviderHealth
    from modelmesh._engine.health.registry import HealthRegistry
    from modelmesh._engine.routing.candidates import Candidate


def apply_health_check(health: HealthRegistry, account: ProviderHealth, *, up: bool) -> None:
    """Withhold an account whose probes fail, or bring back one that was withheld for that. Its circuit stays as it is."""
    health.changes.append(("healthy" if up else "unhealthy", account, SuspensionReason.HEALTH_CHECK, None))
    if up:
        health.resume(account, SuspensionReason.HEALTH_CHECK)
    else:
        health.suspend(account, SuspensionReason.HEALTH_CHECK, math.inf)


def unlisted(health: HealthRegistry, candidate: Candidate, *, listed: bool) -> bool:
    """Withhold a model that its vendor does not list any more, or bring back one that it lists again.

    Returns:
        Whether that changed anything.
    """
    withheld = SuspensionReason.DEPRECATED in candidate.health.suspensions
    if listed and withheld:
        health.resume(candidate.health, SuspensionReason.DEPRECATED)
    elif not listed and not withheld:
        health.suspend(candidate.health, SuspensionReason.DEPRECATED, math.inf)
    return listed == withheld
