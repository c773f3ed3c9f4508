"""Rate limits that a vendor reports with an answer. A connector fills the rows; routing and strategies read them."""

from __future__ import annotations

from attrs import frozen


@frozen
class RateLimit:
    """What is left of one of a vendor's rate limits.

    Attributes:
        kind: ``requests`` or ``tokens``.
        limit: Size of the window.
        remaining: What is left of the window.
        resets_in: Seconds from the answer until the window resets; ``None`` when the vendor does not state it.
    """

    kind: str
    limit: int
    remaining: int
    resets_in: float | None = None

    @property
    def ratio(self) -> float:
        """Share of the limit that is left."""
        return min(self.remaining / self.limit, 1.0) if self.limit else 0.0
