"""Access rules of routes."""

from __future__ import annotations

from enum import StrEnum


class Access(StrEnum):
    """Callers that may send a request."""

    OPEN = "open"
    """Every caller, without a token."""
    CALLER = "caller"
    """The bearer of any valid token. Every caller while no token exists."""
    METRICS = "metrics"
    """The bearer of an administrator's token, or of a token for metrics. Callers on this machine while no token exists."""
    ADMIN = "admin"
    """The bearer of an administrator's token. Callers on this machine while no token exists."""

    @property
    def is_internal(self) -> bool:
        """Whether the route is for operators of the proxy and not for applications."""
        return self is Access.ADMIN or self is Access.METRICS
