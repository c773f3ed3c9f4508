"""Transport of threads over connections of httpcore2, the engine of httpx2. A client of httpx2 would cost as much again."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from typing import Any

from modelmesh_cdk.transport import http_library
from modelmesh_cdk.transport.deadlines import current
from modelmesh_cdk.transport.http_library import closed_transport, response_headers
from modelmesh_cdk.transport.interfaces import Deadline, RequestBody
from modelmesh_cdk.transport.pools import ERRORS, make_pool, make_request, spoil_if_unread
from modelmesh_cdk.transport.proxies import Proxy
from modelmesh_cdk.transport.request_body import body_size, stream_of


class HttpcoreResponse:
    """A response whose body obeys the deadline."""

    def __init__(self, response: Any, deadline: Deadline) -> None:
        self._response = response
        self._deadline = deadline
        self._is_closed = False
        self.status: int = response.status
        self.headers = response_headers(response.headers)

    def __iter__(self) -> Iterator[bytes]:
        deadline, pieces = self._deadline, iter(self._response.stream)
        while True:
            current.deadline = deadline  # the thread may have run another exchange since the last piece
            try:
                piece = next(pieces)
            except StopIteration:
                return
            except ERRORS.of_exchange as error:
                raise ERRORS.in_body(error, deadline) from None
            yield piece

    def interrupt(self) -> None:
        """End a read in another thread."""
        http_library.interrupt(self._response.extensions)

    def close(self) -> None:
        """Release the connection. Later calls have no effect, because the connection may serve another request."""
        if not self._is_closed:
            self._is_closed = True
            spoil_if_unread(self._response)
            self._response.stream.close()


class HttpcoreTransport:
    """Exchanges over a connection pool that the transport owns."""

    def __init__(
        self, base_url: str, *, max_connections: int = 100, proxy: Proxy | None = None, loopback_only: bool = False
    ) -> None:
        """Create the pool. Nothing is connected.

        Args:
            base_url: The vendor's address.
            max_connections: Open connections at most.
            proxy: The proxy.
            loopback_only: Refuse connections to other machines, for a key that must not travel in clear text.
        """
        self._is_closed = False
        self._pool = make_pool(base_url, max_connections, proxy=proxy, loopback_only=loopback_only)
        weakref.finalize(self, self._pool.close)  # closes the sockets of a transport that is never closed

    def send(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes | RequestBody, deadline: Deadline
    ) -> HttpcoreResponse:
        """Send a request and return the response. Redirects are not followed.

        Raises:
            TransportError: There was no answer.
        """
        current.deadline = deadline
        if self._is_closed:
            raise closed_transport()
        content, closing = stream_of(body, deadline)
        request = make_request(method, url, headers, content, body_size(body), deadline)
        try:
            with closing:
                response = self._pool.handle_request(request)
        except ERRORS.of_exchange as error:
            raise ERRORS.before_headers(error, deadline) from None
        return HttpcoreResponse(response, deadline)

    def close(self) -> None:
        """Close the connections."""
        self._is_closed = True
        self._pool.close()
