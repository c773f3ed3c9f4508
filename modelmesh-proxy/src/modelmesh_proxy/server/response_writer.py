"""One write for the head of a response and the first piece of its body.

uvicorn writes them separately, and each write costs a system call and wakes the peer.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, Transport


class ResponseWriter:
    """The transport of one response, for uvicorn. The head leaves with the first piece of the body, or without one at once."""

    __slots__ = ("_held", "_is_started", "_loop", "_transport")

    def __init__(self, transport: Transport, loop: AbstractEventLoop) -> None:
        """Initialize.

        Args:
            transport: The connection.
            loop: Its event loop.
        """
        self._transport, self._loop = transport, loop
        self._held = b""
        self._is_started = False

    def write(self, data: bytes) -> None:
        """Write bytes. The first ones wait until the task that writes them has written more, or gives way."""
        if not self._is_started:
            self._is_started, self._held = True, data
            self._loop.call_soon(self.flush)
            return
        if self._held:
            data, self._held = self._held + data, b""
        self._transport.write(data)

    def flush(self) -> None:
        """Write what waits."""
        held, self._held = self._held, b""
        if held and not self._transport.is_closing():
            self._transport.write(held)

    def is_closing(self) -> bool:
        """Return whether the connection ends."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Close the connection after what waits was sent."""
        self.flush()
        self._transport.close()
