"""Interface through which an exhausted limit suspends what it applies to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from modelmesh._engine.foundation.suspension_reasons import SuspensionReason


class SuspensionTarget(Protocol):
    """Health of a model or of a provider account."""

    @property
    def suspensions(self) -> Mapping[SuspensionReason, float]:
        """Expiry of each suspension by its reason, monotonic seconds."""


class Suspender(Protocol):
    """Makes targets unavailable and available again."""

    def suspend(self, target: Any, reason: SuspensionReason, until: float, /) -> None:
        """Suspend a target until a time, monotonic seconds."""

    def resume(self, target: Any, reason: SuspensionReason, /) -> None:
        """End the suspension of a target for a reason."""
