"""Transport for event loops: HTTP/1.1 over llhttp, without a task or a time limit object for each exchange."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from modelmesh_cdk.transport.http1.async_exchange import AsyncExchange
from modelmesh_cdk.transport.http1.async_pool import AsyncPool
from modelmesh_cdk.transport.http1.async_response import AsyncHttp1Response
from modelmesh_cdk.transport.http1.request_head import Address, parse_url, request_head
from modelmesh_cdk.transport.interfaces import Deadline, RequestBody, TransportError
from modelmesh_cdk.transport.request_body import RequestBodyError, body_size


class AsyncHttp1Transport:
    """Exchanges of one event loop over connections of its own."""

    def __init__(self, base_url: str, *, max_connections: int = 100, loopback_only: bool = False) -> None:
        """Create the transport. Nothing is connected.

        Args:
            base_url: The vendor's address.
            max_connections: Open connections at most, to each server.
            loopback_only: Refuse connections to other machines, for a key that must not travel in clear text.
        """
        self.base_url = base_url
        self._max, self._loopback_only = max_connections, loopback_only
        self._pools: dict[tuple[str, str, int], AsyncPool] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def send(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes | RequestBody, deadline: Deadline
    ) -> AsyncHttp1Response:
        """Send a request and return the response. Redirects are not followed.

        Raises:
            TransportError: There was no answer.
        """
        address = parse_url(url)
        head = request_head(method, address, headers, body_size(body))
        pool = self._pool(address)
        connection = pool.take_idle() or await pool.acquire(address, deadline)
        is_reused, exchange = connection.is_reused, AsyncExchange(deadline)
        try:
            await exchange.run(connection, method, head, body)
        except RequestBodyError:
            raise
        except TransportError:
            if not (is_reused and exchange.is_stale):
                raise
            # A server closes idle connections, so the request most likely never reached it.
            connection = await pool.acquire(address, deadline, fresh=True)
            exchange = AsyncExchange(deadline)
            await exchange.run(connection, method, head, body)
        return AsyncHttp1Response(exchange)

    def _pool(self, address: Address) -> AsyncPool:
        """Return the connections to a server."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._bind(loop)
        key = address.scheme, address.host, address.port
        pool = self._pools.get(key)
        if pool is None:
            pool = self._pools[key] = AsyncPool(self._max, loopback_only=self._loopback_only)
        return pool

    def _bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Belong to an event loop. Connections cannot be shared with another."""
        if self._loop is not None and not self._loop.is_closed():
            raise RuntimeError("the transport belongs to another event loop")
        self.abandon()
        self._loop = loop

    async def aclose(self) -> None:
        """Close every connection."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            await pool.aclose()

    def abandon(self) -> None:
        """Close the sockets of a loop that was closed."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.abandon()
