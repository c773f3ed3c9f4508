"""Connection of an event loop. It carries one exchange at a time and belongs to the exchange until the response has ended.

A completed exchange lets go of its connection at once. Closing or cancelling it later can therefore not touch the exchange of
another caller on the same connection.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from modelmesh_cdk.transport.connecting import KEEPALIVE_S
from modelmesh_cdk.transport.http1.async_stream import AsyncStream
from modelmesh_cdk.transport.http1.lazy_timer import LazyTimer
from modelmesh_cdk.transport.http1.response_parser import ResponseParser

if TYPE_CHECKING:
    from modelmesh_cdk.transport.http1.async_exchange import AsyncExchange
    from modelmesh_cdk.transport.http1.tls_layer import TlsLayer

HIGH_WATER = 131_072
"""Bytes of a body that wait for their reader before the connection stops receiving."""


class Owner(Protocol):
    """The pool of a connection."""

    def add(self, connection: AsyncConnection) -> None:
        """Register an open connection."""
        ...

    def give_back(self, connection: AsyncConnection) -> None:
        """Take a connection that may serve another exchange."""
        ...

    def free_slot(self) -> None:
        """Take the slot of a connection that was closed during an exchange."""
        ...

    def discard(self, connection: AsyncConnection) -> None:
        """Remove a closed connection."""
        ...


class AsyncConnection(AsyncStream):
    """An open connection to one server.

    Attributes:
        timer: Limit of the present wait, and of the time without an exchange.
        is_reused: Whether the connection has served an exchange before.
        is_sent: Whether the request of the exchange was passed to the event loop completely.
    """

    __slots__ = ("_exchange", "_is_read_paused", "_owner", "_parser", "is_reused", "is_sent", "timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, tls: TlsLayer | None, owner: Owner) -> None:
        """Store the parts.

        Args:
            loop: The running event loop.
            sock: The connected socket.
            tls: The TLS of the connection.
            owner: The pool.
        """
        super().__init__(loop, sock, tls)
        self._owner = owner
        self._parser = ResponseParser()
        self._exchange: AsyncExchange | None = None
        self.timer = LazyTimer(loop, self._time_out)
        self._is_read_paused = self.is_reused = self.is_sent = False

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
            self._end(None)

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
        self._end_all(ConnectionError("the transport was closed"))

    def abandon(self) -> None:
        """Close the socket. The event loop is closed, so it can no longer do so."""
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.abandon()
        super().abandon()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Enter the pool."""
        super().connection_made(transport)
        self._owner.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        """End the response, and leave the pool."""
        if error is not None and self._exchange is not None:
            self.receive_rest()
        super().connection_lost(error)
        self._owner.discard(self)
        self._parser.release()
        self.timer.cancel()

    def resume_writing(self) -> None:
        """Continue the sender of a large body."""
        super().resume_writing()
        if self._exchange is not None:
            self._exchange.wake()

    def _receive(self, data: bytes) -> None:
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

    def _end(self, error: Exception | None) -> None:
        if self._exchange is None:
            self.abort()
            return
        self._parser.feed_eof()
        failure = error or self._parser.failure  # a body without a length ends with a proper end of the connection
        if failure is None:
            self._complete()
        else:
            self._fail(failure)

    def _complete(self) -> None:
        """Let go of the exchange, and return to the pool if nothing is left over."""
        exchange, self._exchange = self._exchange, None
        self._parser.body = deque()  # the pieces are now the exchange's
        if exchange is not None:
            exchange.complete()
        if not (self._parser.is_reusable and self.is_sent and self.is_settled()):
            self.abort()
            self._owner.free_slot()
            return
        self.resume_reading()
        self.is_reused = True
        now = monotonic()
        self.timer.set(now + KEEPALIVE_S, now)
        self._owner.give_back(self)

    def _fail(self, error: Exception) -> None:
        exchange = self._exchange
        self.detach()
        if exchange is not None:
            exchange.fail(error)

    def _time_out(self) -> None:
        exchange = self._exchange
        if exchange is None:
            self.abort()  # idle for too long
        elif exchange.is_waiting:
            self._fail(TimeoutError())
