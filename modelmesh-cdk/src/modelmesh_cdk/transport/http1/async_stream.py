"""Bytes in and out of a connection of an event loop: TLS, backpressure of writing, and the end of the connection."""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from modelmesh_cdk.transport.http1.tls_layer import TlsLayer


class AsyncStream(asyncio.Protocol):
    """A connected socket, whose content a subclass receives.

    Attributes:
        loop: The event loop.
        is_write_paused: Whether the event loop holds so many bytes that writing must wait.
    """

    __slots__ = ("_is_closed", "_poll", "_socket", "_tls", "_tls_failure", "_tls_waiter", "_transport", "is_write_paused", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, tls: TlsLayer | None) -> None:
        """Store the parts.

        Args:
            loop: The running event loop.
            sock: The connected socket. The event loop closes it, unless the loop itself is closed before.
            tls: The TLS of the connection.
        """
        self.loop = loop
        self._socket, self._tls = sock, tls
        self._poll: select.poll | None = None
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._tls_waiter: asyncio.Future[None] | None = None
        self._tls_failure: Exception | None = None
        self._is_closed = self.is_write_paused = False

    # Hooks of the subclass.

    def _receive(self, data: bytes) -> None:
        """Handle content of the server."""
        raise NotImplementedError

    def _end(self, error: Exception | None) -> None:
        """Handle the end of the content. It may be reported more than once."""
        raise NotImplementedError

    async def start_tls(self) -> None:
        """Perform the handshake.

        Raises:
            OSError: The handshake failed.
        """
        tls = self._tls
        if tls is None:
            return
        tls.shake_hands()
        self._transport.write(tls.take_output())
        self._tls_waiter = self.loop.create_future()
        try:
            await self._tls_waiter
            if self._tls_failure is not None:
                raise self._tls_failure
        except BaseException:
            self.abort()
            raise
        finally:
            self._tls_waiter = None

    def write(self, data: bytes | memoryview) -> None:
        """Send bytes, or queue them in the event loop. A connection that is ending takes none, and reports its end later."""
        if self._transport.is_closing():
            return  # asyncio would log a warning for each further piece of a large body
        if self._tls is not None:
            try:
                data = self._tls.encrypt(data)
            except OSError as error:
                self._end(error)
                return
        self._transport.write(data)

    def has_unread(self) -> bool:
        """Return whether bytes wait in the socket, or the connection has ended."""
        if self._is_closed or self._transport.is_closing():
            return True
        if not hasattr(select, "poll"):  # Windows
            return bool(select.select([self._socket], [], [], 0)[0])
        if self._poll is None:
            self._poll = select.poll()
            self._poll.register(self._socket, select.POLLIN)
        return bool(self._poll.poll(0))

    def is_settled(self) -> bool:
        """Return whether the connection is open, and no byte is left in the buffers of either direction."""
        return (
            not self._is_closed
            and not self._transport.is_closing()
            and not self._transport.get_write_buffer_size()
            and (self._tls is None or not (self._tls.is_closed or self._tls.has_unread))
        )

    def receive_rest(self) -> None:
        """Receive what came before writing failed. A server may refuse a large body and close the connection."""
        with contextlib.suppress(OSError, ValueError):
            while data := self._socket.recv(65_536):
                if content := data if self._tls is None else self._tls.decrypt(data):
                    self._receive(content)

    def abort(self) -> None:
        """Close the connection without sending what is queued."""
        if not self._is_closed:
            self._is_closed = True
            if not self.loop.is_closed():
                self._transport.abort()

    def abandon(self) -> None:
        """Close the socket. The event loop is closed, so it can no longer do so."""
        self._is_closed, self._tls_waiter = True, None
        with contextlib.suppress(RuntimeError):
            self._transport.abort()
        # There is no public way to end a transport of asyncio without its loop. Without this call, it warns of a leak.
        end: Any = getattr(self._transport, "_call_connection_lost", None)
        if end is not None:
            with contextlib.suppress(Exception):
                end(None)
        self._socket.close()

    # Callbacks of the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Decrypt bytes of the server and pass them on."""
        if self._is_closed:
            return
        tls = self._tls
        if tls is None:
            self._receive(data)
            return
        if content := self._decrypt(tls, data):
            self._receive(content)
        if tls.is_closed:
            self._end(tls.failure)

    def eof_received(self) -> bool:
        """Report the end. The event loop then closes the connection."""
        self._end_all(None)
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """Report the end."""
        self._end_all(error)
        self._is_closed = True

    def pause_writing(self) -> None:
        """Stop the sender of a large body."""
        self.is_write_paused = True

    def resume_writing(self) -> None:
        """Continue the sender of a large body."""
        self.is_write_paused = False

    def _end_all(self, error: Exception | None) -> None:
        self._end_handshake(error or ConnectionError("the server closed the connection during the TLS handshake"))
        self._end(error)

    def _end_handshake(self, failure: Exception | None) -> None:
        waiter = self._tls_waiter
        if waiter is not None and not waiter.done():
            self._tls_failure = failure
            waiter.set_result(None)

    def _decrypt(self, tls: TlsLayer, data: bytes) -> bytes:
        if not tls.is_established:
            try:
                tls.shake_hands(data)
            except OSError as error:
                self._transport.write(tls.take_output())
                self._end_all(error)
                return b""
            data = b""
        content = tls.decrypt(data) if tls.is_established else b""
        if output := tls.take_output():
            self._transport.write(output)
        if tls.is_established:
            self._end_handshake(None)
        return content
