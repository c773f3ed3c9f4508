"""Connection pools over httpcore2 in the shape of httpx2 transports, with deadlines and the environment's proxies."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from functools import cache
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpcore2
import httpx2

from modelmesh_cdk.transport.deadlines import AsyncDeadlineBackend, DeadlineBackend

KEEPALIVE_S = 60.0


@cache
def _tls() -> ssl.SSLContext:
    return httpx2.create_ssl_context()


def _proxy_for(url: httpx2.URL) -> str | None:
    """Return the proxy that the environment names for an address; ``~/.netrc`` is never read."""
    if url.host == "localhost" or url.host.startswith("127.") or url.host == "::1" or proxy_bypass(url.host):
        return None
    proxies = getproxies()
    return proxies.get(url.scheme) or proxies.get("all")


@contextmanager
def _as_httpx_errors() -> Iterator[None]:
    """Raise httpcore2's errors as httpx2's of the same name, so that there is one family to understand."""
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


def _settings(url: httpx2.URL, max_connections: int) -> dict[str, Any]:
    return {
        "ssl_context": _tls() if url.scheme == "https" else None,
        "max_connections": max_connections,
        "max_keepalive_connections": max_connections,
        "keepalive_expiry": KEEPALIVE_S,
    }


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
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx_errors():
            yield from self._stream

    def close(self) -> None:
        self._stream.close()


class PooledTransport(httpx2.BaseTransport):
    """Connections to one vendor."""

    def __init__(self, url: httpx2.URL, max_connections: int) -> None:
        """Prepare a pool; nothing is opened yet.

        Args:
            url: Any address of the vendor's, to choose TLS and a proxy by.
            max_connections: As many may be open at once.
        """
        proxy, settings = _proxy_for(url), _settings(url, max_connections)
        self._pool: Any
        if proxy:
            self._pool = httpcore2.HTTPProxy(proxy_url=proxy, network_backend=DeadlineBackend(), **settings)
        else:
            self._pool = httpcore2.ConnectionPool(network_backend=DeadlineBackend(), **settings)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Exchange one request."""
        with _as_httpx_errors():
            answer = self._pool.handle_request(_core_request(request))
        return httpx2.Response(
            status_code=answer.status, headers=answer.headers, stream=_Body(answer.stream), extensions=answer.extensions
        )

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()


class _AsyncBody(httpx2.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx_errors():
            async with aclosing(aiter(self._stream)) as pieces:
                async for piece in pieces:
                    yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


class AsyncPooledTransport(httpx2.AsyncBaseTransport):
    """The same for asyncio."""

    def __init__(self, url: httpx2.URL, max_connections: int) -> None:
        """Prepare a pool; nothing is opened yet."""
        proxy, settings = _proxy_for(url), _settings(url, max_connections)
        self._pool: Any
        if proxy:
            self._pool = httpcore2.AsyncHTTPProxy(proxy_url=proxy, network_backend=AsyncDeadlineBackend(), **settings)
        else:
            self._pool = httpcore2.AsyncConnectionPool(network_backend=AsyncDeadlineBackend(), **settings)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Exchange one request."""
        with _as_httpx_errors():
            answer = await self._pool.handle_async_request(_core_request(request))
        return httpx2.Response(
            status_code=answer.status, headers=answer.headers, stream=_AsyncBody(answer.stream), extensions=answer.extensions
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()
