"""The connection of a caller, as this server offers it to the application."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelmesh_proxy.server.http_protocol import HttpProtocol


class CallerConnection:
    """The connection of a caller, for the application. Its requests run one after the other.

    An object per request would be a part of a reference cycle, which costs a run of the garbage collector.
    """

    __slots__ = ("_protocol",)

    def __init__(self, protocol: HttpProtocol) -> None:
        self._protocol = protocol

    def watch(self, on_leave: Callable[[], object] | None) -> None:
        """Call a function when the caller leaves. ``None`` ends the watch."""
        self._protocol.on_leave = on_leave

    def abort(self) -> None:
        """Close the connection without an end of the response."""
        if self._protocol.running is not None:
            self._protocol.running.disconnected = True
        self._protocol.transport.abort()
