"""Selection of the transport of an account: ``fast`` (HTTP/1.1 over llhttp) or ``httpx2`` (over its engine httpcore2)."""

from __future__ import annotations

import importlib.util
import os
from functools import cache
from typing import TYPE_CHECKING

from modelmesh.errors import ConfigurationError

if TYPE_CHECKING:
    from modelmesh_cdk.transport.interfaces import AsyncTransport, Transport
    from modelmesh_cdk.transport.proxies import Proxy

FAST, HTTPX2 = TRANSPORTS = ("fast", "httpx2")

VARIABLE = "MODELMESH_TRANSPORT"
"""Environment variable with the default of the setting ``transport``."""


@cache
def is_fast_installed() -> bool:
    """Return whether httptools is installed, which the fast transport needs."""
    return importlib.util.find_spec("httptools") is not None


def select_transport(setting: str | None, proxy: Proxy | None) -> str:
    """Return the transport of an account without a client of the caller.

    Args:
        setting: Value of the setting ``transport``, ``None`` without one.
        proxy: Proxy of the environment. Only httpx2 supports proxies.

    Raises:
        ConfigurationError: The transport is unknown, is not installed or does not support the proxy.
    """
    source, stated = "transport", setting
    if setting is None:
        source, stated = VARIABLE, os.environ.get(VARIABLE, "").strip() or None
    if stated is None:
        return FAST if proxy is None and is_fast_installed() else HTTPX2
    if stated not in TRANSPORTS:
        message = f"{source} must be fast or httpx2, not {str(stated)[:40]!r}"
        raise ConfigurationError(message)
    if stated == FAST:
        _check_fast(source, proxy if setting is not None else None)
        if proxy is not None:
            return HTTPX2
    return stated


def _check_fast(source: str, proxy: Proxy | None) -> None:
    if not is_fast_installed():
        message = f"{source} is fast, but httptools is not installed. Run: pip install 'modelmesh-cdk[fast]'"
        raise ConfigurationError(message)
    if proxy is not None:
        message = (
            f"{source} is fast, which does not support proxies, but {proxy.variable} names the proxy {proxy.host}. "
            "Use transport: httpx2, or add the host to NO_PROXY"
        )
        raise ConfigurationError(message)


def make_transport(
    kind: str, base_url: str, *, max_connections: int, proxy: Proxy | None = None, loopback_only: bool = False
) -> Transport:
    """Create the transport of threads. The HTTP stack is imported here.

    Args:
        kind: ``fast`` or ``httpx2``.
        base_url: The vendor's address.
        max_connections: Open connections at most.
        proxy: The proxy, which only httpx2 supports.
        loopback_only: Refuse connections to other machines, for a key that must not travel in clear text.
    """
    if kind == FAST:
        from modelmesh_cdk.transport.http1.transport import Http1Transport  # noqa: PLC0415 - HTTP when first used

        return Http1Transport(base_url, max_connections=max_connections, loopback_only=loopback_only)
    from modelmesh_cdk.transport.httpcore2_transport import HttpcoreTransport  # noqa: PLC0415 - HTTP when first used

    return HttpcoreTransport(base_url, max_connections=max_connections, proxy=proxy, loopback_only=loopback_only)


def make_async_transport(
    kind: str, base_url: str, *, max_connections: int, proxy: Proxy | None = None, loopback_only: bool = False
) -> AsyncTransport:
    """Create the transport of an event loop. The arguments are those of :func:`make_transport`."""
    if kind == FAST:
        from modelmesh_cdk.transport.http1.async_transport import AsyncHttp1Transport  # noqa: PLC0415 - as above

        return AsyncHttp1Transport(base_url, max_connections=max_connections, loopback_only=loopback_only)
    from modelmesh_cdk.transport.httpcore2_async_transport import AsyncHttpcoreTransport  # noqa: PLC0415 - as above

    return AsyncHttpcoreTransport(base_url, max_connections=max_connections, proxy=proxy, loopback_only=loopback_only)
