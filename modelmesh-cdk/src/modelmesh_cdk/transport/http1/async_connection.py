"""Connection of an event loop. It carries one exchange at a time and belongs to the exchange until the response has ended.

A completed exchange lets go of its connection at once. Closing or cancelling it later can therefore not touch the exchange of
another caller on the same connection.

One timer serves a connection for its whole life. It is started again only when it fires, or when a limit ends before it.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol, cast

from modelmesh_cdk.transport.connecting import KEEPALIVE_S
from modelmesh_cdk.transport.http1.response_parser import ResponseParser

if TYPE_CHECKING:
    from modelmesh_cdk.transport.http1.async_exchange import AsyncExchange
    from modelmesh_cdk.transport.http1.tls_layer import TlsLayer

HIGH_WATER = 262_144
"""Bytes of a body that wait for their reader before the connection stops receiving."""
_EARLY_S = 0.001  # a timer may fire slightly early


class Owner(Protocol):
    """The pool of a connection."""

    def add(self, connection: AsyncConnection) -> None:
        """Register an open connection."""
        ...

    def give_back(self, connection: AsyncConnection) -> None:
        """Take a connection that may serve another exchange."""
        ...

    def free_slot(self) -> None:
        """Take the place of a connection that was closed during an exchange."""
        ...

    def discard(self, connection: AsyncConnection) -> None:
        """Remove a closed connection."""
        ...


class AsyncConnection(asyncio.Protocol):
    """An open connection to one server.

    Attributes:
        loop: The event loop.
        is_reused: Whether the connection has served an exchange before.
        is_sent: Whether the request of the exchange was passed to the event loop completely.
        is_write_paused: Whether the event loop holds so many bytes that writing must wait.
    """

    __slots__ = (
        "_due",
        "_exchange",
        "_is_closed",
        "_is_read_paused",
        "_owner",
        "_parser",
        "_socket",
        "_timer",
        "_timer_at",
        "_tls",
        "_tls_failure",
        "_tls_waiter",
        "_transport",
        "is_reused",
        "is_sent",
        "is_write_paused",
        "loop",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, tls: TlsLayer | None, owner: Owner) -> None:
        """Store the parts.

        Args:
            loop: The running event loop.
            sock: The connected socket. The event loop closes it, unless the loop itself is closed before.
            tls: The TLS of the connection.
            owner: The pool.
        """
        self.loop = loop
        self._socket, self._tls, self._owner = sock, tls, owner
        self._parser = ResponseParser()
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)
        self._exchange: AsyncExchange | None = None
        self._tls_waiter: asyncio.Future[None] | None = None
        self._tls_failure: Exception | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = self._due = math.inf
        self._is_closed = self._is_read_paused = self.is_write_paused = False
        self.is_reused = self.is_sent = False

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

    def is_usable(self) -> bool:
        """Return whether the idle connection may carry another exchange: it is open, and nothing came after the last response."""
        if self._is_closed or self._transport.is_closing():
            return False
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False
        return False  # surplus bytes, or the end of the connection

    def begin(self, exchange: AsyncExchange, method: str) -> None:
        """Start an exchange.

        Args:
            exchange: The exchange.
            method: Method of its request.
        """
        if self._exchange is not None:
            raise RuntimeError("the connection already carries an exchange")
        self._parser.start(method)
        self._exchange, self.is_sent = exchange, False
        exchange.connection, exchange.pieces = self, self._parser.body
        if self._is_closed:
            self._end_of_stream(None)

    def write(self, data: bytes | memoryview) -> None:
        """Send bytes, or queue them in the event loop."""
        if self._tls is not None:
            try:
                data = self._tls.encrypt(data)
            except OSError as error:
                self._fail(error)
                return
        self._transport.write(data)

    def arm(self, due: float, now: float) -> None:
        """Set the end of a wait.

        Args:
            due: The end, monotonic seconds.
            now: The present.
        """
        self._due = due
        if due < self._timer_at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self.loop.call_later(max(due - now, 0.0), self._on_timer)
            self._timer_at = due

    def resume_reading(self) -> None:
        """Receive again, after the reader has taken what was there."""
        if self._is_read_paused:
            self._is_read_paused = False
            self._transport.resume_reading()

    def detach(self) -> None:
        """End the exchange before its response has ended: close the connection and free its slot in the pool."""
        self._exchange = None
        self.abort()
        self._owner.free_slot()

    def close(self) -> None:
        """Close the connection, and end what is under way."""
        self._end_of_stream(ConnectionError("the transport was closed"))

    def abort(self) -> None:
        """Close the connection without sending what is queued."""
        if not self._is_closed:
            self._is_closed = True
            if not self.loop.is_closed():
                self._transport.abort()

    def abandon(self) -> None:
        """Close the socket. The event loop is closed, so it can no longer do so."""
        if self._exchange is not None:
            self._exchange.abandon()
        self._is_closed, self._exchange, self._tls_waiter = True, None, None
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
        self._owner.add(self)

    def data_received(self, data: bytes) -> None:
        """Parse bytes of the server."""
        if self._is_closed:
            return
        tls = self._tls
        if tls is not None:
            data = self._decrypt(tls, data)
        if data:
            self._parse(data)
        if tls is not None and tls.is_closed:
            self._end_of_stream(tls.failure)

    def eof_received(self) -> bool:
        """End the response. The event loop then closes the connection."""
        self._end_of_stream(None)
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """End the response, and leave the pool."""
        if error is not None and self._exchange is not None:
            self._receive_rest()
        self._end_of_stream(error)
        self._is_closed = True
        self._owner.discard(self)
        self._parser.release()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def pause_writing(self) -> None:
        """Stop the sender of a large body."""
        self.is_write_paused = True

    def resume_writing(self) -> None:
        """Continue the sender of a large body."""
        self.is_write_paused = False
        if self._exchange is not None:
            self._exchange.wake()

    def _decrypt(self, tls: TlsLayer, data: bytes) -> bytes:
        if not tls.is_established:
            try:
                tls.shake_hands(data)
            except OSError as error:
                self._transport.write(tls.take_output())
                self._end_of_stream(error)
                return b""
            data = b""
        content = tls.decrypt(data) if tls.is_established else b""
        if output := tls.take_output():
            self._transport.write(output)
        if tls.is_established:
            self._end_handshake(None)
        return content

    def _end_handshake(self, failure: Exception | None) -> None:
        waiter = self._tls_waiter
        if waiter is not None and not waiter.done():
            self._tls_failure = failure
            waiter.set_result(None)

    def _parse(self, data: bytes) -> None:
        exchange, parser = self._exchange, self._parser
        if exchange is None:
            self.abort()  # no request is under way, so these bytes belong to no response
            return
        exchange.has_bytes = True
        parser.feed(data)
        if parser.has_headers and not exchange.status:
            exchange.status, exchange.headers = parser.status, parser.headers
        if parser.failure is not None:
            self._fail(parser.failure)
            return
        if parser.is_complete:
            self._complete()
            return
        exchange.unread += len(data)
        if exchange.unread > HIGH_WATER and not self._is_read_paused:
            self._is_read_paused = True
            self._transport.pause_reading()
        exchange.wake()

    def _end_of_stream(self, error: Exception | None) -> None:
        """End everything that waits for bytes."""
        self._end_handshake(error or ConnectionError("the server closed the connection during the TLS handshake"))
        exchange = self._exchange
        if exchange is None:
            self.abort()
            return
        self._parser.feed_eof()
        failure = error or self._parser.failure  # a body without a length ends with a proper end of the connection
        if failure is None:
            self._complete()
        else:
            self._fail(failure)

    def _receive_rest(self) -> None:
        """Parse a response that came before writing failed. A server may refuse a large body and close the connection."""
        with contextlib.suppress(OSError, ValueError):
            while self._exchange is not None and (data := self._socket.recv(65_536)):
                content = data if self._tls is None else self._tls.decrypt(data)
                if content:
                    self._parse(content)

    def _complete(self) -> None:
        """Let go of the exchange, and return to the pool if nothing is left over."""
        exchange, self._exchange = self._exchange, None
        self._parser.body = deque()  # the pieces are now the exchange's
        if exchange is not None:
            exchange.complete()
        if not self._is_reusable():
            self.abort()
            self._owner.free_slot()
            return
        self.resume_reading()
        self.is_reused = True
        now = monotonic()
        self.arm(now + KEEPALIVE_S, now)
        self._owner.give_back(self)

    def _is_reusable(self) -> bool:
        return (
            self._parser.is_reusable
            and self.is_sent
            and not self._is_closed
            and not self._transport.is_closing()
            and not self._transport.get_write_buffer_size()
            and (self._tls is None or not (self._tls.is_closed or self._tls.has_unread))
        )

    def _fail(self, error: Exception) -> None:
        exchange = self._exchange
        self.detach()
        if exchange is not None:
            exchange.fail(error)

    def _on_timer(self) -> None:
        self._timer, self._timer_at = None, math.inf
        exchange, now = self._exchange, monotonic()
        if exchange is not None and not exchange.is_waiting:
            return  # the next wait starts the timer
        if now < self._due - _EARLY_S:
            self.arm(self._due, now)
        elif exchange is None:
            self.abort()
        else:
            self._fail(TimeoutError())
