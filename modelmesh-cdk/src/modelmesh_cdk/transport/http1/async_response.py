"""Response of an exchange in an event loop."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from modelmesh_cdk.transport.http1.async_exchange import AsyncExchange
from modelmesh_cdk.transport.http1.errors import in_body


class AsyncHttp1Response:
    """A response. Iteration reads the body.

    Attributes:
        status: Status code.
        headers: Headers, names in lower case.
    """

    __slots__ = ("_exchange", "headers", "status")

    def __init__(self, exchange: AsyncExchange) -> None:
        self._exchange = exchange
        self.status, self.headers = exchange.status, exchange.headers

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        exchange = self._exchange
        while not exchange.pieces:
            if exchange.is_complete:
                raise StopAsyncIteration
            if exchange.failure is not None:
                raise in_body(exchange.failure, exchange.deadline) from None
            await exchange.wait()
        return exchange.take()

    async def aclose(self) -> None:
        """Release the connection. It is reused only if the response has ended."""
        exchange = self._exchange
        exchange.abort()
        exchange.pieces.clear()

    def __del__(self) -> None:
        """Release the connection of a response that was dropped before its end."""
        connection = self._exchange.connection
        if connection is not None:
            with contextlib.suppress(RuntimeError):  # the event loop is closed
                connection.loop.call_soon_threadsafe(self._exchange.abort)
