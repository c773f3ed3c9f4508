"""Transport of an event loop over connections of httpcore2, the engine of httpx2."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from modelmesh_cdk.transport.async_request_body import async_stream_of
from modelmesh_cdk.transport.deadlines import acurrent
from modelmesh_cdk.transport.http_library import closed_transport, response_headers
from modelmesh_cdk.transport.interfaces import Deadline, RequestBody
from modelmesh_cdk.transport.pools import ERRORS, make_async_pool, make_request, spoil_if_unread
from modelmesh_cdk.transport.proxies import Proxy
from modelmesh_cdk.transport.request_body import body_size


class AsyncHttpcoreResponse:
    """A response for asyncio whose body obeys the deadline."""

    def __init__(self, response: Any, deadline: Deadline) -> None:
        self._response = response
        self._deadline = deadline
        self._pieces: Any = aiter(response.stream)
        self._is_closed = False
        self.status: int = response.status
        self.headers = response_headers(response.headers)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        acurrent.set(self._deadline)
        try:
            piece: bytes = await anext(self._pieces)
        except ERRORS.of_exchange as error:
            raise ERRORS.in_body(error, self._deadline) from None
        return piece

    async def aclose(self) -> None:
        """Release the connection. Later calls have no effect, because the connection may serve another request."""
        if self._is_closed:
            return
        self._is_closed = True
        await self._pieces.aclose()  # the garbage collector would close the generator in another task
        spoil_if_unread(self._response)
        await self._response.stream.aclose()


class AsyncHttpcoreTransport:
    """Exchanges over a connection pool that the transport owns."""

    def __init__(
        self, base_url: str, *, max_connections: int = 100, proxy: Proxy | None = None, loopback_only: bool = False
    ) -> None:
        """Create the pool. The arguments are those of :class:`~modelmesh_cdk.transport.httpcore2_transport.HttpcoreTransport`."""
        self._pool, self._abandoned = make_async_pool(base_url, max_connections, proxy=proxy, loopback_only=loopback_only)
        self._is_closed = False

    async def send(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes | RequestBody, deadline: Deadline
    ) -> AsyncHttpcoreResponse:
        """Send a request and return the response. Redirects are not followed.

        Raises:
            TransportError: There was no answer.
        """
        acurrent.set(deadline)
        if self._is_closed:
            raise closed_transport()
        content, closing = async_stream_of(body, deadline)
        request = make_request(method, url, headers, content, body_size(body), deadline)
        try:
            with closing:
                response = await self._pool.handle_async_request(request)
        except ERRORS.of_exchange as error:
            raise ERRORS.before_headers(error, deadline) from None
        return AsyncHttpcoreResponse(response, deadline)

    async def aclose(self) -> None:
        """Close the connections."""
        self._is_closed = True
        await self._pool.aclose()

    def abandon(self) -> None:
        """Close the sockets of a loop that was closed."""
        self._abandoned.close()
