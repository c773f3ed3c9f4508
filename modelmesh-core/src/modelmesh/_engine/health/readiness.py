"""Interface through which health reports which models can receive requests."""

from __future__ import annotations

from typing import Protocol


class ReadinessListener(Protocol):
    """Receives each change of readiness. A pool implements it, with a position or a mask for each of its members."""

    def set_ready(self, place: int, /, *, on: bool) -> None:
        """Include or exclude the member at a position."""

    def set_account_ready(self, account: object, mask: int, /, *, on: bool) -> None:
        """Include or exclude all members of a provider account."""

    def set_refused(self, feature: str, place: int, /, *, on: bool) -> None:
        """Set whether the member at a position rejects requests with a parameter."""
