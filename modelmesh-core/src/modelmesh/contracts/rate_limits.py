"""Rate limits that a vendor reports with an answer. Connectors fill the rows. Routing and strategies read them."""

from __future__ import annotations

from attrs import frozen


@frozen
class RateLimit:
    """Remaining capacity of one rate limit of a vendor.

    Attributes:
        kind: ``requests`` or ``tokens``.
        limit: Size of the window.
        remaining: Remaining capacity of the window.
        resets_in: Seconds from the answer to the reset of the window, ``None`` where the vendor does not state it.
    """

    kind: str
    limit: int
    remaining: int
    resets_in: float | None = None

    @property
    def ratio(self) -> float:
        """Remaining share of the limit."""
        return min(self.remaining / self.limit, 1.0) if self.limit else 0.0
