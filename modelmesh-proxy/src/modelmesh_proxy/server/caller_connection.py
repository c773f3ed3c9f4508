"""The connection of a caller, as this server offers it to the application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import HEADER_RE, HEADER_VALUE_RE, STATUS_LINE

from modelmesh_proxy.asgi import Header

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

    def respond(self, status: int, headers: Sequence[Header], body: bytes) -> bool:
        """Send a complete response with one write, which takes a fifth of the time of uvicorn's two events."""
        protocol, cycle = self._protocol, self._protocol.running
        if cycle is None or cycle.response_started or cycle.disconnected or protocol.flow.write_paused:
            return False
        end = b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n"
        head = b"".join([STATUS_LINE[status], *map(_line, protocol.server_state.default_headers), *map(_line, headers), end])
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        protocol.transport.write(head + body)
        cycle.message_event.set()
        if not cycle.keep_alive:
            protocol.transport.close()
        cycle.on_response()
        return True

    def write(self, data: bytes) -> bool:
        """Send a piece of a body in the framing of uvicorn, without an event of ASGI."""
        protocol, cycle = self._protocol, self._protocol.running
        if cycle is None or cycle.response_complete or cycle.disconnected or protocol.flow.write_paused:
            return False
        if not cycle.chunked_encoding or not cycle.response_started:
            return False
        cycle.transport.write(b"%x\r\n%b\r\n" % (len(data), data))
        return True

    def abort(self) -> None:
        """Close the connection without an end of the response."""
        if self._protocol.running is not None:
            self._protocol.running.disconnected = True
        self._protocol.transport.abort()


@lru_cache(maxsize=256)
def _line(header: Header) -> bytes:
    """Return the line of a header. Most lines are the same in each response.

    Raises:
        RuntimeError: The header would change the response.
    """
    name, value = header
    if HEADER_RE.search(name) or HEADER_VALUE_RE.search(value):
        message = "a response has an invalid header"
        raise RuntimeError(message)
    return b"%b: %b\r\n" % header
