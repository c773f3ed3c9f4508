"""Connection pools of httpcore2 as httpx2 transports, with deadlines and the proxies of the environment."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager, suppress
from functools import cache
from importlib import import_module
from typing import Any

import httpcore2
import httpx2

from modelmesh_cdk.transport.connecting import KEEPALIVE_S
from modelmesh_cdk.transport.deadlines import AsyncDeadlineBackend, DeadlineBackend
from modelmesh_cdk.transport.proxies import Proxy
from modelmesh_cdk.transport.surplus_bytes import has_in_parser


@cache
def _tls() -> ssl.SSLContext:
    return httpx2.create_ssl_context()


@contextmanager
def _as_httpx_errors() -> Iterator[None]:
    """Convert errors of httpcore2 to those of httpx2 with the same name."""
    try:
        yield
    except Exception as error:
        twin = getattr(httpx2, type(error).__name__, None)
        if twin is None or not isinstance(error, _CORE_ERRORS):
            raise
        raise twin(str(error)) from None


_CORE_ERRORS = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
    httpcore2.UnsupportedProtocol,
)


def _settings(url: httpx2.URL, max_connections: int, proxy: Proxy | None, backend: Any) -> dict[str, Any]:
    proxied: dict[str, Any] = {} if proxy is None else {"proxy_url": proxy.url, "proxy_auth": _credentials(proxy)}
    if proxy is not None and proxy.url.startswith("https://"):
        proxied["proxy_ssl_context"] = _tls()
    return {
        **proxied,
        "network_backend": backend,
        "ssl_context": _tls() if url.scheme == "https" else None,
        "max_connections": max_connections,
        "max_keepalive_connections": max_connections,
        "keepalive_expiry": KEEPALIVE_S,
    }


def _credentials(proxy: Proxy) -> tuple[bytes, bytes] | None:
    return None if proxy.auth is None else (proxy.auth[0].encode(), proxy.auth[1].encode())


def _spoil_if_unread(answer: httpcore2.Response) -> None:
    """Mark a connection with surplus bytes after the response, so that it is not reused."""
    connection: Any = answer.extensions.get("network_stream")
    if hasattr(connection, "spoiled") and has_in_parser(answer.stream):
        connection.spoiled = True


def _core_request(request: httpx2.Request) -> httpcore2.Request:
    url = request.url
    return httpcore2.Request(
        method=request.method,
        url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


class _Body(httpx2.SyncByteStream):
    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer
        self._stream: Any = answer.stream

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx_errors():
            yield from self._stream

    def close(self) -> None:
        _spoil_if_unread(self._answer)
        self._stream.close()


class PooledTransport(httpx2.BaseTransport):
    """Connections to one vendor."""

    def __init__(self, url: httpx2.URL, max_connections: int, *, proxy: Proxy | None = None, loopback_only: bool = False) -> None:
        """Create a pool. Nothing is connected.

        Args:
            url: Any address of the vendor, which determines TLS.
            max_connections: Open connections at most.
            proxy: The proxy.
            loopback_only: Refuse connections to other machines.
        """
        settings = _settings(url, max_connections, proxy, DeadlineBackend(loopback_only=loopback_only))
        self._pool: Any = httpcore2.HTTPProxy(**settings) if proxy else httpcore2.ConnectionPool(**settings)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Exchange one request."""
        with _as_httpx_errors():
            answer = self._pool.handle_request(_core_request(request))
        return httpx2.Response(
            status_code=answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions
        )

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()


class _AsyncBody(httpx2.AsyncByteStream):
    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer
        self._stream: Any = answer.stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx_errors():
            async with aclosing(aiter(self._stream)) as pieces:
                async for piece in pieces:
                    yield piece

    async def aclose(self) -> None:
        _spoil_if_unread(self._answer)
        await self._stream.aclose()


@cache
def _preload() -> None:
    """Import the modules that anyio imports on first use, which would count against the limit of the first request."""
    with suppress(ImportError):
        import_module("anyio._backends._asyncio")


class AsyncPooledTransport(httpx2.AsyncBaseTransport):
    """Connections of one event loop to one vendor."""

    def __init__(self, url: httpx2.URL, max_connections: int, *, proxy: Proxy | None = None, loopback_only: bool = False) -> None:
        """Create a pool. The arguments are those of :class:`PooledTransport`."""
        _preload()
        backend = AsyncDeadlineBackend(loopback_only=loopback_only)
        self.abandoned_connections = backend.abandoned_connections
        settings = _settings(url, max_connections, proxy, backend)
        self._pool: Any = httpcore2.AsyncHTTPProxy(**settings) if proxy else httpcore2.AsyncConnectionPool(**settings)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Exchange one request."""
        with _as_httpx_errors():
            answer = await self._pool.handle_async_request(_core_request(request))
        return httpx2.Response(
            status_code=answer.status, headers=answer.headers, stream=_AsyncBody(answer), extensions=answer.extensions
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()
