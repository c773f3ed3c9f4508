"""Transports of httpx2, or of httpx, that a mesh serves in the process.

The classes derive from those of the library that the SDK uses, so they are built for a library on first use. Both libraries have
the same interface.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from modelmesh import errors
from modelmesh._engine.gateway import Gateway, GatewayRequest, GatewayResponse
from modelmesh._engine.gateway.gateway_limits import IN_PROCESS
from modelmesh.contracts.call import NO_OPTIONS, CallOptions
from modelmesh.integrations.form_objects import has_objects, read_objects

if TYPE_CHECKING:
    from modelmesh._engine.mesh import MeshEngine


def make_transport(library: Any, mesh: MeshEngine, options: CallOptions = NO_OPTIONS, *, sdk_retries: bool = False) -> Any:
    """Return a transport for threads.

    Args:
        library: The module ``httpx2`` or ``httpx``.
        mesh: The mesh. Closing the transport does not close it.
        options: Options of every request.
        sdk_retries: Whether an SDK may retry by its own settings.
    """
    gateway = Gateway(mesh, options=options, limits=IN_PROCESS, sdk_retries=sdk_retries)
    return _transport_class(library)(library, gateway)


def make_async_transport(library: Any, mesh: MeshEngine, options: CallOptions = NO_OPTIONS, *, sdk_retries: bool = False) -> Any:
    """Return a transport for asyncio. The arguments are those of :func:`make_transport`."""
    gateway = Gateway(mesh, options=options, limits=IN_PROCESS, sdk_retries=sdk_retries)
    return _async_transport_class(library)(library, gateway)


@lru_cache
def client_class(base: type[Any]) -> Any:
    """Return a class of HTTP clients for an SDK. Deep copies of the SDK's client share the HTTP client, as its ``copy()`` does.

    Args:
        base: The SDK's own class, e.g. ``openai.DefaultHttpxClient``.
    """
    return type("MeshHttpClient", (base,), {"__deepcopy__": lambda self, _: self})


@lru_cache
def _transport_class(library: Any) -> Any:
    return type(
        "MeshTransport", (MeshTransport, library.BaseTransport), {"_body": type("Body", (_Body, library.SyncByteStream), {})}
    )


@lru_cache
def _async_transport_class(library: Any) -> Any:
    body = type("AsyncBody", (_AsyncBody, library.AsyncByteStream), {})
    return type("AsyncMeshTransport", (AsyncMeshTransport, library.AsyncBaseTransport), {"_body": body})


class MeshTransport:
    """Serves the requests of a client for threads."""

    _body: Any

    def __init__(self, library: Any, gateway: Gateway) -> None:
        self._library, self._gateway = library, gateway

    def handle_request(self, request: Any) -> Any:
        """Serve one request. Raises what a connection raises: a timeout, or a connection error."""
        answer = self._gateway.handle(_converted(self._library, request))
        return _response(self._library, request, answer, self._body)


class AsyncMeshTransport:
    """Serves the requests of a client for asyncio."""

    _body: Any

    def __init__(self, library: Any, gateway: Gateway) -> None:
        self._library, self._gateway = library, gateway

    async def handle_async_request(self, request: Any) -> Any:
        """Serve one request. Raises what a connection raises: a timeout, or a connection error."""
        answer = await self._gateway.ahandle(_converted(self._library, request))
        return _response(self._library, request, answer, self._body)


def _converted(library: Any, request: Any) -> GatewayRequest:
    body, form = request.stream, None
    if has_objects(body):
        form = partial(read_objects, body)
    else:
        with suppress(library.RequestNotRead):
            body = request.content  # the whole body is in memory
    url = request.url
    path = url.raw_path.partition(b"?")[0].decode("ascii")
    timeouts = request.extensions.get("timeout") or {}
    seconds = [value for value in timeouts.values() if value is not None]
    return GatewayRequest(
        method=request.method,
        path=path,
        query=url.params.multi_items() if url.query else (),
        headers={name.lower().decode("latin-1"): value.decode("latin-1") for name, value in request.headers.raw},
        body=body,
        form=form,
        timeout=max(seconds) if seconds else None,
    )


def _response(library: Any, request: Any, answer: GatewayResponse, body: Any) -> Any:
    """Return the response, or raise what a connection would have raised."""
    error = answer.error
    if isinstance(error, errors.ProviderTimeoutError):
        raise library.ReadTimeout(str(error), request=request) from error
    if isinstance(error, errors.ProviderConnectionError):
        raise library.ConnectError(str(error), request=request) from error
    content = answer.content
    stream = library.ByteStream(content) if isinstance(content, bytes) else body(library, request, content)
    # as bytes: a vendor's header may have other characters than ASCII, which the client would reject in a text
    headers = [(name.encode(), value.encode(errors="backslashreplace")) for name, value in answer.headers]
    return library.Response(answer.status, headers=headers, stream=stream)


class _Body:
    def __init__(self, library: Any, request: Any, content: Any) -> None:
        self._library, self._request, self._content = library, request, content

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._content
        except errors.ModelMeshError as error:
            raise self._library.ReadError(str(error), request=self._request) from error

    def close(self) -> None:
        self._content.close()


class _AsyncBody:
    def __init__(self, library: Any, request: Any, content: Any) -> None:
        self._library, self._request, self._content = library, request, content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._content:
                yield piece
        except errors.ModelMeshError as error:
            raise self._library.ReadError(str(error), request=self._request) from error

    async def aclose(self) -> None:
        await self._content.aclose()
