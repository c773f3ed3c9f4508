"""One request and its response in an event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING

from modelmesh_cdk.transport.async_request_body import AsyncPieces
from modelmesh_cdk.transport.http1.errors import before_headers

if TYPE_CHECKING:
    from modelmesh_cdk.transport.http1.async_connection import AsyncConnection
    from modelmesh_cdk.transport.interfaces import Deadline, RequestBody

_SLICE = 131_072  # bytes of a large body that are passed to the event loop at one time
_LARGE_PIECE = 32_768
_REFUSED = 300  # lowest status with which a server may ignore the rest of a request


class AsyncExchange:
    """One request and its response. At most one task waits for it at a time.

    Attributes:
        connection: The connection, ``None`` before and after the exchange.
        deadline: Time limits.
        status: Status of the response, 0 before its headers.
        headers: Headers of the response.
        pieces: Received pieces of the body that the reader has not taken.
        unread: Received bytes since the reader took the last piece.
        has_bytes: Whether any byte of a response came.
        is_complete: Whether the response has ended.
        failure: What ended the exchange before the end of its response.
    """

    __slots__ = (
        "_waiter",
        "connection",
        "deadline",
        "failure",
        "has_bytes",
        "headers",
        "is_complete",
        "pieces",
        "status",
        "unread",
    )

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.connection: AsyncConnection | None = None
        self.status = self.unread = 0
        self.headers: Mapping[str, str] = {}
        self.pieces: deque[bytes]
        self.has_bytes = self.is_complete = False
        self.failure: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def run(self, connection: AsyncConnection, method: str, head: bytes, body: bytes | RequestBody) -> None:
        """Send the request and wait for the headers of its response. Every other way out closes the connection.

        Args:
            connection: An open connection without an exchange.
            method: Method of the request.
            head: Request line and headers.
            body: Body of the request.

        Raises:
            TransportError: There was no answer, or the body cannot be read.
        """
        connection.begin(self, method)
        try:
            if not isinstance(body, bytes):
                connection.write(head)
                connection.is_sent = not body.size
                await self._send_pieces(connection, body)
            elif len(head) + len(body) <= _SLICE:
                connection.write(head + body)
                connection.is_sent = True
            else:
                connection.write(head)
                await self._send_body(connection, body)
            while not self.status:
                if self.failure is not None:
                    raise before_headers(self.failure, self.deadline) from None
                await self.wait()
        except BaseException:
            self.abort()
            raise

    async def _send_body(self, connection: AsyncConnection, body: bytes) -> None:
        """Send a large body as fast as the server reads it. The server may answer before it has read all."""
        view = memoryview(body)
        while view:
            connection.write(view[:_SLICE])
            view = view[_SLICE:]
            while connection.is_write_paused and not self.status and self.failure is None:
                await self.wait()
            if self.connection is None or self.status >= _REFUSED:
                return
            if self.status:
                connection.write(view)
                break
        connection.is_sent = True

    async def _send_pieces(self, connection: AsyncConnection, body: RequestBody) -> None:
        """Send a body in pieces, as above. Only the piece that is sent is in memory."""
        with contextlib.closing(AsyncPieces(body, self.deadline)) as pieces:
            async for piece in pieces:
                view = memoryview(piece)
                while view and self._takes_more:
                    connection.write(view[:_SLICE])
                    view = view[_SLICE:]
                    connection.is_sent = pieces.is_complete and not view
                    while connection.is_write_paused and self._takes_more:
                        await self.wait()
                if not self._takes_more:
                    return
                if self.deadline.at <= monotonic():
                    connection.detach()
                    self.fail(TimeoutError())
                    return

    @property
    def _takes_more(self) -> bool:
        """Whether the server has neither ended the exchange nor refused the request."""
        return self.connection is not None and self.status < _REFUSED

    async def wait(self) -> None:
        """Wait until bytes came, writing may continue or the exchange ended, within the deadline. Cancellation ends it."""
        connection = self.connection
        if connection is None:
            return
        if self._waiter is not None:
            raise RuntimeError("another task already reads this response")
        now = monotonic()
        connection.timer.set(min(self.deadline.at, now + self.deadline.gap), now)
        self._waiter = connection.loop.create_future()
        try:
            await self._waiter
        except BaseException:
            self.abort()
            raise
        finally:
            self._waiter = None

    @property
    def is_stale(self) -> bool:
        """Whether the connection ended before any byte of a response came."""
        return self.failure is not None and not self.has_bytes and not isinstance(self.failure, TimeoutError)

    @property
    def is_waiting(self) -> bool:
        """Whether a task waits and was not woken."""
        return self._waiter is not None and not self._waiter.done()

    def wake(self) -> None:
        """Wake the task that waits."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def take(self) -> bytes:
        """Return the pieces of the body that are there, and receive further ones. A large piece is not copied."""
        pieces = self.pieces
        if len(pieces) == 1 or len(pieces[0]) >= _LARGE_PIECE:
            piece = pieces.popleft()
        else:
            piece = b"".join(pieces)
            pieces.clear()
        if not pieces:
            self.unread = 0
            if self.connection is not None:
                self.connection.resume_reading()
        return piece

    def complete(self) -> None:
        """End the exchange with a complete response."""
        self.connection, self.is_complete = None, True
        self.wake()

    def fail(self, error: Exception) -> None:
        """End the exchange with an error."""
        self.connection, self.failure = None, error
        self.wake()

    def abort(self) -> None:
        """End the exchange and close its connection, unless it has ended."""
        connection = self.connection
        if connection is None:
            return
        if connection.loop.is_closed():
            self.abandon()
            return
        connection.detach()
        self.fail(ConnectionError("the response was closed"))

    def abandon(self) -> None:
        """End the exchange of a closed event loop, in which nothing can be woken. The pool closes the socket."""
        self.connection, self.failure = None, ConnectionError("the event loop is closed")
