"""Head of a request: its limits, its target, and the form without an offer of another protocol."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain

import httptools

from modelmesh._engine.config.schema import ProxyLimitsSection
from modelmesh_proxy.asgi import Header
from modelmesh_proxy.server import refusals
from modelmesh_proxy.server.refusals import RefusedError

_HOST = re.compile(rb"[\w.~!$&'()*+;=%:\[\]-]*")
"""A host and a port (RFC 3986, 3.2). A server behind this one could read anything else as another host, or as a path."""

_DECISIVE = (b"host", b"transfer-encoding")
"""Headers that decide the end and the host of a request."""


def check_head(url: bytes, version: str, headers: Sequence[Header], limits: ProxyLimitsSection) -> None:
    """Check a complete head.

    Args:
        url: Target of the request line.
        version: HTTP version.
        headers: Headers, names in lower case.
        limits: The section ``proxy.limits``.

    Raises:
        RefusedError: It is too large or ambiguous.
    """
    decisive = [header for header in headers if header[0] in _DECISIVE]
    hosts = [value for name, value in decisive if name == b"host"]
    size = len(url) + sum(map(len, chain.from_iterable(headers))) + 4 * len(headers)
    if size > limits.header_bytes or len(headers) > limits.header_lines:
        raise RefusedError(refusals.HEADERS_TOO_LARGE)
    if version not in ("1.1", "1.0"):
        raise RefusedError(refusals.INVALID)
    if len(hosts) != 1 and (hosts or version != "1.0"):
        raise RefusedError(refusals.HOST_REQUIRED)
    host = hosts[0] if hosts else b""
    if _HOST.fullmatch(host) is None or b"#" in url:
        raise RefusedError(refusals.INVALID)
    for name, value in decisive:
        if name == b"transfer-encoding" and (version == "1.0" or value.lower() != b"chunked"):
            raise RefusedError(refusals.INVALID)
    if url[:1] != b"/":
        _check_target(url, host)


def _check_target(url: bytes, expected: bytes) -> None:
    """Refuse an absolute URI with another host than the header's, which a later check would miss."""
    parsed = None if url == b"*" else httptools.parse_url(url)
    if parsed is None or parsed.host is None:
        return
    host = b"[%b]" % parsed.host if b":" in parsed.host else parsed.host
    if parsed.port is not None:
        host += b":%d" % parsed.port
    if host.lower() != expected.lower() or parsed.path is None:
        raise RefusedError(refusals.HOST_DIFFERS)


def without_upgrade(method: bytes, url: bytes, version: str, headers: Sequence[Header]) -> bytes:
    """Return the bytes of a head without its offer of another protocol, for a fresh parser."""
    lines = [b"%b %b HTTP/%b" % (method, url, version.encode())]
    for name, value in headers:
        if name == b"connection":
            kept = [token for token in value.split(b",") if token.strip().lower() in (b"close", b"keep-alive")]
            lines += [b"connection: " + b",".join(kept)] if kept else []
        elif name not in (b"upgrade", b"http2-settings"):
            lines.append(b"%b: %b" % (name, value))
    return b"\r\n".join(lines) + b"\r\n\r\n"
