"""Deadlines of all open connections, checked once a second by one timer of the event loop."""

from __future__ import annotations

from asyncio import AbstractEventLoop, TimerHandle
from math import inf
from typing import Protocol

INTERVAL_S = 1.0


class SweptConnection(Protocol):
    """A connection with a deadline.

    Attributes:
        deadline: Time of the event loop by which the peer must have sent what the connection waits for. ``inf`` without one.
        write_deadline: The same for a peer that must read.
    """

    deadline: float
    write_deadline: float

    @property
    def is_read_paused(self) -> bool:
        """Whether the server itself does not read. The deadline does not run meanwhile."""
        ...

    def expire(self) -> None:
        """Answer and close. The deadline has passed."""
        ...

    def expire_write(self) -> None:
        """Abort. The peer has not read for too long."""
        ...


class ConnectionSweep:
    """The open connections of one server. The timer runs only while there are any."""

    def __init__(self) -> None:
        self._connections: set[SweptConnection] = set()
        self._timer: TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._connections)

    def add(self, connection: SweptConnection, loop: AbstractEventLoop) -> None:
        """Add an open connection."""
        self._connections.add(connection)
        if self._timer is None:
            self._timer = loop.call_later(INTERVAL_S, self._sweep, loop)

    def discard(self, connection: SweptConnection) -> None:
        """Remove a closed connection. The last one stops the timer."""
        self._connections.discard(connection)
        if not self._connections and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _sweep(self, loop: AbstractEventLoop) -> None:
        self._timer = loop.call_later(INTERVAL_S, self._sweep, loop)
        now = loop.time()
        late: list[SweptConnection] = []
        for connection in self._connections:
            if connection.deadline < now:
                if connection.is_read_paused:
                    connection.deadline += INTERVAL_S
                else:
                    late.append(connection)
            if connection.write_deadline < now:
                connection.write_deadline = inf
                connection.expire_write()
        for connection in late:
            connection.deadline = inf
            connection.expire()
