"""Transports over an httpx2 or httpx client of the caller, which they neither configure nor close."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from modelmesh_cdk.transport import http_library
from modelmesh_cdk.transport.async_request_body import async_stream_of
from modelmesh_cdk.transport.client_library import ClientLibrary, library_of
from modelmesh_cdk.transport.http_library import request_extensions, request_headers, response_headers
from modelmesh_cdk.transport.interfaces import Deadline, RequestBody, TransportTimeoutError
from modelmesh_cdk.transport.request_body import body_size, stream_of


def _check_deadline(deadline: Deadline) -> None:
    """Check the deadline after a read, because the connections of the client do not know the deadline."""
    if deadline.passed:
        raise TransportTimeoutError(*deadline.limit, "the answer was not there within the limit")


def _request(
    client: Any, url: Any, method: str, headers: Sequence[tuple[str, str]], content: Any, size: int, deadline: Deadline
) -> Any:
    """Create a request with the method of the client, which adds headers and cookies."""
    fixed = request_headers(headers, url.netloc, method, size)
    return client.build_request(method, url, headers=fixed, content=content, extensions=request_extensions(deadline))


class HttpxResponse:
    """A response whose body obeys the deadline."""

    def __init__(self, response: Any, deadline: Deadline, library: ClientLibrary) -> None:
        self._response = response
        self._deadline = deadline
        self._errors = library.errors
        self.status = response.status_code
        self.headers = response_headers(response.headers.raw)

    def __iter__(self) -> Iterator[bytes]:
        deadline, errors, pieces = self._deadline, self._errors, iter(self._response.stream)
        while True:
            try:
                piece = next(pieces)
            except StopIteration:
                return
            except errors.of_exchange as error:
                raise errors.in_body(error, deadline) from None
            _check_deadline(deadline)
            yield piece

    def interrupt(self) -> None:
        """End a read in another thread."""
        http_library.interrupt(self._response.extensions)

    def close(self) -> None:
        """Release the connection."""
        self._response.close()


class HttpxTransport:
    """Exchanges over an ``httpx2.Client`` or an ``httpx.Client``."""

    def __init__(self, client: Any) -> None:
        """Store the client.

        Args:
            client: A client of the caller.
        """
        self._client, self._library = client, library_of(client)

    def send(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes | RequestBody, deadline: Deadline
    ) -> HttpxResponse:
        """Send a request and return the response. Redirects are not followed.

        Raises:
            TransportError: There was no answer.
        """
        client, library = self._client, self._library
        content, closing = stream_of(body, deadline)
        try:
            request = _request(client, library.url(url), method, headers, content, body_size(body), deadline)
            with closing:
                response = client.send(request, stream=True, follow_redirects=False, auth=client.auth)
        except library.errors.of_exchange as error:
            raise library.errors.before_headers(error, deadline) from None
        return HttpxResponse(response, deadline, library)

    def close(self) -> None:
        """Do nothing. The caller closes the client."""


class AsyncHttpxResponse:
    """A response for asyncio whose body obeys the deadline."""

    def __init__(self, response: Any, deadline: Deadline, library: ClientLibrary) -> None:
        self._response = response
        self._deadline = deadline
        self._errors = library.errors
        self._pieces: Any = aiter(response.stream)
        self.status = response.status_code
        self.headers = response_headers(response.headers.raw)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            piece: bytes = await anext(self._pieces)
        except self._errors.of_exchange as error:
            raise self._errors.in_body(error, self._deadline) from None
        _check_deadline(self._deadline)
        return piece

    async def aclose(self) -> None:
        """Release the connection."""
        left = getattr(self._pieces, "aclose", None)
        if left is not None:
            await left()  # the garbage collector would close the generator in another task
        await self._response.aclose()


class AsyncHttpxTransport:
    """Exchanges over an ``httpx2.AsyncClient`` or an ``httpx.AsyncClient``."""

    def __init__(self, client: Any) -> None:
        """Store the client. The argument is that of :class:`HttpxTransport`."""
        self._client, self._library = client, library_of(client)

    async def send(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes | RequestBody, deadline: Deadline
    ) -> AsyncHttpxResponse:
        """Send a request and return the response. Redirects are not followed.

        Raises:
            TransportError: There was no answer.
        """
        client, library = self._client, self._library
        content, closing = async_stream_of(body, deadline)
        try:
            request = _request(client, library.url(url), method, headers, content, body_size(body), deadline)
            with closing:
                response = await client.send(request, stream=True, follow_redirects=False, auth=client.auth)
        except library.errors.of_exchange as error:
            raise library.errors.before_headers(error, deadline) from None
        return AsyncHttpxResponse(response, deadline, library)

    async def aclose(self) -> None:
        """Do nothing. The caller closes the client."""
