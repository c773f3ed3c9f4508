"""The status of a proxy."""

from __future__ import annotations

from attrs import frozen


@frozen
class ServerStatus:
    """Status of a proxy.

    Attributes:
        running: Whether it accepts connections.
        host: Address that it listens on.
        port: Port that it listens on.
        uptime_seconds: Seconds since the start, ``None`` while it does not accept connections.
        active_connections: Requests that run now.
        total_requests: Requests since the start.
    """

    running: bool
    host: str
    port: int
    uptime_seconds: float | None = None
    active_connections: int = 0
    total_requests: int = 0
