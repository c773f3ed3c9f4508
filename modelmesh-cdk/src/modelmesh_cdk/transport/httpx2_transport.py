"""Transport over httpx2 with its own connection pool, or over an httpx2 or httpx client of the caller."""

from __future__ import annotations

import contextlib
import re
import socket
import weakref
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import httpx2

from modelmesh.contracts import FailureClass
from modelmesh_cdk.transport.client_library import ClientLibrary, kind_of_client, library_named
from modelmesh_cdk.transport.deadlines import acurrent, current
from modelmesh_cdk.transport.interfaces import Deadline, TransportError, TransportTimeoutError
from modelmesh_cdk.transport.pools import AsyncPooledTransport, PooledTransport
from modelmesh_cdk.transport.proxies import Proxy


def _before_headers(error: Exception, deadline: Deadline, library: ClientLibrary) -> TransportError:
    if isinstance(error, library.not_sent):
        return TransportError(FailureClass.CONNECT, _describe_error(error))
    if isinstance(error, library.timeout):
        return TransportTimeoutError(
            "headers", deadline.phase if deadline.passed else deadline.gap, "no headers came within the limit"
        )
    if isinstance(error, library.local_protocol_error):
        # The library quotes the illegal value, which may be a key.
        return TransportError(FailureClass.CONNECT, re.sub(r" b(?=['\"]).*", "", _describe_error(error), flags=re.DOTALL))
    return TransportError(FailureClass.DISCONNECT, _describe_error(error))


def _in_body(error: Exception, deadline: Deadline, library: ClientLibrary) -> TransportError:
    if isinstance(error, library.timeout):
        if deadline.passed:
            return TransportTimeoutError(*deadline.limit, "the answer was not there within the limit")
        return TransportTimeoutError("gap", deadline.gap, f"no byte came for {deadline.gap:g} s")
    return TransportError(FailureClass.PROTOCOL, f"the connection broke in the middle of the answer ({_describe_error(error)})")


def _check_deadline(deadline: Deadline) -> None:
    """Check the deadline after a read of a client of the caller, whose connections do not know the deadline."""
    if deadline.passed:
        raise TransportTimeoutError(*deadline.limit, "the answer was not there within the limit")


def _describe_error(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _request(
    make: Callable[..., Any], url: Any, method: str, headers: Sequence[tuple[str, str]], body: bytes, deadline: Deadline
) -> Any:
    """Create a request with the library's class, or with the method of a caller's client, which adds headers and cookies."""
    gap = deadline.gap
    extensions = {"timeout": {"connect": gap, "read": gap, "write": gap, "pool": gap}}
    fixed = [("Host", url.netloc.decode("ascii")), *headers]
    if body or method == "POST":
        fixed.append(("Content-Length", str(len(body))))
    return make(method, url, headers=fixed, content=body, extensions=extensions)


def _lower(headers: Any) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for raw_name, raw_value in headers.raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


class HttpxResponse:
    """A response whose body obeys the deadline."""

    def __init__(self, response: Any, deadline: Deadline, library: ClientLibrary, *, own: bool) -> None:
        self._response = response
        self._deadline = deadline
        self._library = library
        self._own = own
        self.status = response.status_code
        self.headers = _lower(response.headers)

    def __iter__(self) -> Iterator[bytes]:
        deadline, library, pieces = self._deadline, self._library, iter(self._response.stream)
        while True:
            current.deadline = deadline  # the thread may have run another exchange since the last piece
            try:
                piece = next(pieces)
            except StopIteration:
                return
            except (*library.errors, OSError) as error:
                raise _in_body(error, deadline, library) from None
            if not self._own:
                _check_deadline(deadline)
            yield piece

    def interrupt(self) -> None:
        """End a read in another thread. Closing the socket would not wake that thread."""
        connection: Any = self._response.extensions.get("network_stream")
        below = connection.get_extra_info("socket") if connection is not None else None
        if below is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(below, socket.SHUT_RDWR)  # SSLSocket.shutdown would drop the TLS state

    def close(self) -> None:
        """Release the connection."""
        self._response.close()


def _library_of(client: object) -> ClientLibrary:
    known = kind_of_client(client)
    return _own_library() if known is None else library_named(known[0])


def _own_library() -> ClientLibrary:
    return library_named("httpx2")


def _made(base_url: str, max_connections: int, proxy: Proxy | None, *, loopback_only: bool) -> httpx2.Client:
    pool = PooledTransport(_own_library().url(base_url), max_connections, proxy=proxy, loopback_only=loopback_only)
    return httpx2.Client(transport=pool, trust_env=False)


class HttpxTransport:
    """Exchanges over an ``httpx2.Client``, or over an ``httpx.Client`` of the caller."""

    def __init__(
        self,
        base_url: str,
        *,
        max_connections: int = 100,
        client: Any = None,
        proxy: Proxy | None = None,
        loopback_only: bool = False,
    ) -> None:
        """Create the client. Nothing is connected.

        Args:
            base_url: The vendor's address.
            max_connections: Open connections at most.
            client: An httpx2 or httpx client of the caller. The transport neither configures nor closes it.
            proxy: The proxy.
            loopback_only: Refuse connections to other machines, for a key that must not travel in clear text.
        """
        self._own = client is None
        self._make = partial(_made, base_url, max_connections, proxy, loopback_only=loopback_only)
        self._library = _own_library() if client is None else _library_of(client)
        self._client: Any = self._renewed() if client is None else client

    def _renewed(self) -> httpx2.Client:
        made = self._make()
        weakref.finalize(self, made.close)  # closes the sockets of a client that is never closed
        return made

    def send(self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes, deadline: Deadline) -> HttpxResponse:
        """Send a request and return the response. Redirects are not followed.

        Raises:
            TransportError: There was no answer.
        """
        current.deadline, library = deadline, self._library
        try:
            make = library.request if self._own else self._client.build_request
            request = _request(make, library.url(url), method, headers, body, deadline)
            response = self._client.send(request, stream=True, follow_redirects=False, auth=self._client.auth)
        except (*library.errors, library.invalid_url, OSError) as error:
            raise _before_headers(error, deadline, library) from None
        return HttpxResponse(response, deadline, library, own=self._own)

    def close(self) -> None:
        """Close the connections, unless the client is the caller's."""
        if self._own:
            self._client.close()

    def after_fork(self) -> None:
        """Replace the connections, which the child process shares with its parent."""
        if self._own:
            self._client = self._renewed()


class AsyncHttpxResponse:
    """A response for asyncio whose body obeys the deadline."""

    def __init__(self, response: Any, deadline: Deadline, library: ClientLibrary, *, own: bool) -> None:
        self._response = response
        self._deadline = deadline
        self._library = library
        self._own = own
        self._pieces: Any = aiter(response.stream)
        self.status = response.status_code
        self.headers = _lower(response.headers)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        acurrent.set(self._deadline)
        try:
            piece: bytes = await anext(self._pieces)
        except (*self._library.errors, OSError) as error:
            raise _in_body(error, self._deadline, self._library) from None
        if not self._own:
            _check_deadline(self._deadline)
        return piece

    async def aclose(self) -> None:
        """Release the connection."""
        left = getattr(self._pieces, "aclose", None)
        if left is not None:
            await left()  # the garbage collector would close the generator in another task
        await self._response.aclose()


class AsyncHttpxTransport:
    """Exchanges over an ``httpx2.AsyncClient``, or over an ``httpx.AsyncClient`` of the caller."""

    def __init__(
        self,
        base_url: str,
        *,
        max_connections: int = 100,
        client: Any = None,
        proxy: Proxy | None = None,
        loopback_only: bool = False,
    ) -> None:
        """Create the client. The arguments are those of :class:`HttpxTransport`."""
        self._own = client is None
        self._library = _own_library() if client is None else _library_of(client)
        url = _own_library().url(base_url)
        self._pool = AsyncPooledTransport(url, max_connections, proxy=proxy, loopback_only=loopback_only)
        self._client: Any = httpx2.AsyncClient(transport=self._pool, trust_env=False) if client is None else client

    async def send(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes, deadline: Deadline
    ) -> AsyncHttpxResponse:
        """Send a request and return the response. Redirects are not followed.

        Raises:
            TransportError: There was no answer.
        """
        acurrent.set(deadline)
        library = self._library
        try:
            make = library.request if self._own else self._client.build_request
            request = _request(make, library.url(url), method, headers, body, deadline)
            response = await self._client.send(request, stream=True, follow_redirects=False, auth=self._client.auth)
        except (*library.errors, library.invalid_url, OSError) as error:
            raise _before_headers(error, deadline, library) from None
        return AsyncHttpxResponse(response, deadline, library, own=self._own)

    async def aclose(self) -> None:
        """Close the connections, unless the client is the caller's."""
        if self._own:
            await self._client.aclose()

    def abandon(self) -> None:
        """Close the sockets of a loop that was closed."""
        self._pool.abandoned_connections.close()
