"""Results of discovery: failed health checks, and models that a vendor no longer lists."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from modelmesh._engine.foundation.suspension_reasons import SuspensionReason
from modelmesh._engine.health.changes import ChangeKind

if TYPE_CHECKING:
    from modelmesh._engine.health.health_registry import HealthRegistry
    from modelmesh._engine.health.model_health import ModelHealth
    from modelmesh._engine.health.provider_health import ProviderHealth


def apply_health_check(health: HealthRegistry, account: ProviderHealth, *, up: bool) -> None:
    """Suspend an account whose health checks fail, or resume it. Its breaker does not change."""
    health.changes.record(ChangeKind.HEALTHY if up else ChangeKind.UNHEALTHY, account, SuspensionReason.HEALTH_CHECK)
    if up:
        health.resume(account, SuspensionReason.HEALTH_CHECK)
    else:
        health.suspend(account, SuspensionReason.HEALTH_CHECK, math.inf)


def set_listed(health: HealthRegistry, model: ModelHealth, *, listed: bool) -> bool:
    """Suspend a model that its vendor no longer lists, or resume it.

    Returns:
        Whether that changed anything.
    """
    suspended = SuspensionReason.DEPRECATED in model.suspensions
    if listed and suspended:
        health.resume(model, SuspensionReason.DEPRECATED)
    elif not listed and not suspended:
        health.suspend(model, SuspensionReason.DEPRECATED, math.inf)
    return listed == suspended
