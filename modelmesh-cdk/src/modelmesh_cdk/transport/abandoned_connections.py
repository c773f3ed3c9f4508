"""Connections of closed event loops. Nothing can be awaited there, so only their sockets are closed."""

from __future__ import annotations

import contextlib
from typing import Any
from weakref import WeakSet


class AbandonedConnections:
    """Weak references to the open connections of one transport."""

    def __init__(self) -> None:
        self._streams: WeakSet[Any] = WeakSet()

    def add(self, stream: Any) -> None:
        """Add a connection of httpcore2 over anyio."""
        self._streams.add(stream)

    def close(self) -> None:
        """Close every socket that is still open."""
        for stream in list(self._streams):
            with contextlib.suppress(Exception):
                _close(stream)
        self._streams.clear()


def _close(stream: Any) -> None:
    stream = getattr(stream, "_stream", stream)
    while hasattr(stream, "transport_stream"):
        stream = stream.transport_stream
    transport = stream._transport  # noqa: SLF001 - asyncio closes a socket only in its loop, which is closed
    if transport._sock is not None:  # noqa: SLF001
        transport._call_connection_lost(None)  # noqa: SLF001 - the loop would have called it
