"""Connections whose event loop was closed without them: nothing can be awaited there, so only the sockets are closed."""

from __future__ import annotations

import contextlib
from typing import Any
from weakref import WeakSet


class Orphans:
    """The open connections of one transport, weakly."""

    def __init__(self) -> None:
        self._streams: WeakSet[Any] = WeakSet()

    def add(self, stream: Any) -> None:
        """Take note of a connection: httpcore2's, over anyio."""
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
    transport = stream._transport  # noqa: SLF001 - asyncio closes a socket in its loop only, and that is closed
    if transport._sock is not None:  # noqa: SLF001
        transport._call_connection_lost(None)  # noqa: SLF001 - what the loop would have called
