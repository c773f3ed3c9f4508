"""Connection pools of httpcore2 with deadlines and the proxies of the environment, and their requests."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from contextlib import suppress
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

import httpcore2
import httpx2

from modelmesh.contracts import FailureClass
from modelmesh_cdk.transport.abandoned_connections import AbandonedConnections
from modelmesh_cdk.transport.connecting import KEEPALIVE_S
from modelmesh_cdk.transport.deadlines import AsyncDeadlineBackend, DeadlineBackend
from modelmesh_cdk.transport.http_library import LibraryErrors, request_extensions, request_headers
from modelmesh_cdk.transport.interfaces import Deadline, TransportError
from modelmesh_cdk.transport.proxies import Proxy
from modelmesh_cdk.transport.surplus_bytes import has_in_parser

ERRORS = LibraryErrors(
    httpcore2,
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
    httpcore2.UnsupportedProtocol,
)


@cache
def _tls() -> ssl.SSLContext:
    return httpx2.create_ssl_context()


def make_pool(base_url: str, max_connections: int, *, proxy: Proxy | None, loopback_only: bool) -> Any:
    """Create the connections of threads to one vendor. Nothing is connected.

    Args:
        base_url: Any address of the vendor, which determines TLS.
        max_connections: Open connections at most.
        proxy: The proxy.
        loopback_only: Refuse connections to other machines.
    """
    settings = _settings(base_url, max_connections, proxy, DeadlineBackend(loopback_only=loopback_only))
    return httpcore2.HTTPProxy(**settings) if proxy else httpcore2.ConnectionPool(**settings)


def make_async_pool(
    base_url: str, max_connections: int, *, proxy: Proxy | None, loopback_only: bool
) -> tuple[Any, AbandonedConnections]:
    """Create the connections of one event loop to one vendor. The arguments are those of :func:`make_pool`."""
    _preload()
    backend = AsyncDeadlineBackend(loopback_only=loopback_only)
    settings = _settings(base_url, max_connections, proxy, backend)
    pool = httpcore2.AsyncHTTPProxy(**settings) if proxy else httpcore2.AsyncConnectionPool(**settings)
    return pool, backend.abandoned_connections


@cache
def _preload() -> None:
    """Import the modules that anyio imports on first use, which would count against the limit of the first request."""
    with suppress(ImportError):
        import_module("anyio._backends._asyncio")


def _settings(base_url: str, max_connections: int, proxy: Proxy | None, backend: Any) -> dict[str, Any]:
    proxied: dict[str, Any] = {} if proxy is None else {"proxy_url": proxy.url, "proxy_auth": _credentials(proxy)}
    if proxy is not None and proxy.url.startswith("https://"):
        proxied["proxy_ssl_context"] = _tls()
    return {
        **proxied,
        "network_backend": backend,
        "ssl_context": _tls() if httpx2.URL(base_url).scheme == "https" else None,
        "max_connections": max_connections,
        "max_keepalive_connections": max_connections,
        "keepalive_expiry": KEEPALIVE_S,
    }


def _credentials(proxy: Proxy) -> tuple[bytes, bytes] | None:
    return None if proxy.auth is None else (proxy.auth[0].encode(), proxy.auth[1].encode())


def make_request(
    method: str, url: str, headers: Sequence[tuple[str, str]], content: Any, size: int, deadline: Deadline
) -> httpcore2.Request:
    """Create a request.

    Args:
        method: Method.
        url: Address.
        headers: Headers without ``Host`` and ``Content-Length``.
        content: Body, or an iterable of its pieces.
        size: Bytes of the body.
        deadline: Deadline of the exchange.

    Raises:
        TransportError: The URL or a header is invalid.
    """
    address, host = _address(url)
    fixed = request_headers(headers, host, method, size)
    return httpcore2.Request(method, address, headers=fixed, content=content, extensions=request_extensions(deadline))


@lru_cache(maxsize=512)
def _address(url: str) -> tuple[httpcore2.URL, bytes]:
    """Return a parsed URL and its value of the header ``Host``. httpcore2 does not encode unusual characters."""
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise TransportError(FailureClass.CONNECT, f"InvalidURL: {error}") from None
    address = httpcore2.URL(scheme=parsed.raw_scheme, host=parsed.raw_host, port=parsed.port, target=parsed.raw_path)
    return address, parsed.netloc


def spoil_if_unread(response: httpcore2.Response) -> None:
    """Mark a connection with surplus bytes after the response, so that it is not reused."""
    connection: Any = response.extensions.get("network_stream")
    if hasattr(connection, "spoiled") and has_in_parser(response.stream):
        connection.spoiled = True
