"""Transports of httpx2 that a mesh serves in the process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import httpx2

from modelmesh import errors
from modelmesh._engine.gateway import Gateway, GatewayRequest, GatewayResponse
from modelmesh._engine.gateway.gateway_limits import IN_PROCESS
from modelmesh.contracts.call import NO_OPTIONS, CallOptions

if TYPE_CHECKING:
    from modelmesh._engine.mesh import MeshEngine


class MeshTransport(httpx2.BaseTransport):
    """Serves the requests of an ``httpx2.Client`` from a mesh. Closing the client does not close the mesh."""

    def __init__(self, mesh: MeshEngine, *, options: CallOptions = NO_OPTIONS, sdk_retries: bool = False) -> None:
        self._gateway = Gateway(mesh, options=options, limits=IN_PROCESS, sdk_retries=sdk_retries)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Serve one request.

        Raises:
            httpx2.TimeoutException: A time limit passed.
            httpx2.ConnectError: No vendor could be reached.
        """
        stream: Any = request.stream
        answer = self._gateway.handle(_converted(request, stream))
        return _response(request, answer, _Stream(request, answer.content))


class AsyncMeshTransport(httpx2.AsyncBaseTransport):
    """Serves the requests of an ``httpx2.AsyncClient`` from a mesh. Closing the client does not close the mesh."""

    def __init__(self, mesh: MeshEngine, *, options: CallOptions = NO_OPTIONS, sdk_retries: bool = False) -> None:
        self._gateway = Gateway(mesh, options=options, limits=IN_PROCESS, sdk_retries=sdk_retries)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Serve one request.

        Raises:
            httpx2.TimeoutException: A time limit passed.
            httpx2.ConnectError: No vendor could be reached.
        """
        stream: Any = request.stream
        answer = await self._gateway.ahandle(_converted(request, stream))
        return _response(request, answer, _AsyncStream(request, answer.content))


def _converted(request: httpx2.Request, stream: Any) -> GatewayRequest:
    try:
        body = request.content  # the whole body is in memory
    except httpx2.RequestNotRead:
        body = stream
    url = request.url
    path = url.raw_path.partition(b"?")[0].decode("ascii")
    timeouts: dict[str, Any] = request.extensions.get("timeout") or {}
    seconds = [value for value in timeouts.values() if value is not None]
    return GatewayRequest(
        method=request.method,
        path=path,
        query=url.params.multi_items() if url.query else (),
        headers=dict(request.headers.items()),
        body=body,
        timeout=max(seconds) if seconds else None,
    )


def _response(request: httpx2.Request, answer: GatewayResponse, stream: Any) -> httpx2.Response:
    """Return the response, or raise what a connection would have raised."""
    if answer.error is not None:
        raise_connection_failure(request, answer.error)
    if isinstance(answer.content, bytes):
        return httpx2.Response(answer.status, headers=answer.headers, content=answer.content)
    return httpx2.Response(answer.status, headers=answer.headers, stream=stream)


def raise_connection_failure(request: httpx2.Request, error: Exception) -> None:
    """Raise the error of httpx2 for a time limit or a failed connection. Return for any other error."""
    if isinstance(error, errors.ProviderTimeoutError):
        raise httpx2.ReadTimeout(str(error), request=request) from error
    if isinstance(error, errors.ProviderConnectionError):
        raise httpx2.ConnectError(str(error), request=request) from error


class _Stream(httpx2.SyncByteStream):
    def __init__(self, request: httpx2.Request, content: Any) -> None:
        self._request, self._content = request, content

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._content
        except errors.ModelMeshError as error:
            raise httpx2.ReadError(str(error), request=self._request) from error

    def close(self) -> None:
        self._content.close()


class _AsyncStream(httpx2.AsyncByteStream):
    def __init__(self, request: httpx2.Request, content: Any) -> None:
        self._request, self._content = request, content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._content:
                yield piece
        except errors.ModelMeshError as error:
            raise httpx2.ReadError(str(error), request=self._request) from error

    async def aclose(self) -> None:
        await self._content.aclose()
