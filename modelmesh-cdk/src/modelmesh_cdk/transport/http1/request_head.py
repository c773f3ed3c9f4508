"""Head of a request as bytes.

A header with a line break would end the head early, and the rest would be read as another request. Illegal names and values are
therefore refused. The error shows neither, because a value may be a key.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from modelmesh_cdk.transport.http1.errors import not_sent

_PLAIN_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>(?:/(?:[A-Za-z0-9_~!$&()*+,;=:@.-]|%[0-9A-Fa-f]{2})*)*"
    r"(?:\?(?:[A-Za-z0-9_~!$&()*+,;=:@/.-]|%[0-9A-Fa-f]{2})+)?)"
)
_TARGET = re.compile(r"[\x21-\x7e]*")
_MAX_PORT = 65_535
_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"(?:[\x21-\x7e\x80-\xff]+(?:[ \t]+[\x21-\x7e\x80-\xff]+)*)?")
_FRAMING = frozenset({"host", "content-length", "transfer-encoding"})


class Address(NamedTuple):
    """A URL in the parts that a request needs.

    Attributes:
        scheme: ``http`` or ``https``.
        host: Name or address, without brackets.
        port: Port.
        authority: Value of the header ``Host``.
        target: Path with the query.
    """

    scheme: str
    host: str
    port: int
    authority: str
    target: str


@lru_cache(maxsize=512)
def parse_url(url: str) -> Address:
    """Return the parts of a URL.

    Args:
        url: An ``http`` or ``https`` URL. httpx2 encodes one with unusual characters.

    Raises:
        TransportError: The URL is invalid.
    """
    found = _PLAIN_URL.fullmatch(url)
    if found is None or "/." in url:
        return _parse_unusual(url)
    return _address(found["scheme"], found["host"], int(found["port"] or 0), found["target"])


def _parse_unusual(url: str) -> Address:
    import httpx2  # noqa: PLC0415 - its import takes time, and few addresses need it

    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        message = f"InvalidURL: {error}"
        raise not_sent(message) from None
    host, target = parsed.raw_host.decode("ascii"), parsed.raw_path.decode("ascii")
    if parsed.scheme not in _PORTS or not host or _TARGET.fullmatch(target) is None:
        raise not_sent("UnsupportedProtocol: the URL is no http:// or https:// address")
    return _address(parsed.scheme, f"[{host}]" if ":" in host else host, parsed.port or 0, target)


def _address(scheme: str, host: str, port: int, target: str) -> Address:
    if port > _MAX_PORT:
        raise not_sent("InvalidURL: Invalid port")
    standard = _PORTS[scheme]
    authority = host if port in {0, standard} else f"{host}:{port}"
    return Address(scheme, host.strip("[]"), port or standard, authority, target if target.startswith("/") else f"/{target}")


def request_head(method: str, address: Address, headers: Sequence[tuple[str, str]], length: int) -> bytes:
    """Return the head of a request with the empty line that ends it.

    Args:
        method: Method.
        address: Address of the request.
        headers: Headers without ``Host``, ``Content-Length`` and ``Transfer-Encoding``.
        length: Bytes of the body.

    Raises:
        TransportError: A header is illegal.
    """
    start = _start(method, address, tuple(headers))
    return b"%bContent-Length: %d\r\n\r\n" % (start, length) if length or method == "POST" else start + b"\r\n"


@lru_cache(maxsize=64)
def _start(method: str, address: Address, headers: tuple[tuple[str, str], ...]) -> bytes:
    """Return the lines of a head before the length. Most requests of a provider have the same headers."""
    lines = [_first_lines(method, address)]
    for name, value in headers:
        if not _is_name(name):
            raise not_sent("LocalProtocolError: Illegal header name")
        if _VALUE.fullmatch(value) is None:
            raise not_sent("LocalProtocolError: Illegal header value")
        lines.append(f"{name}: {value}")
    lines.append("")
    return "\r\n".join(lines).encode("latin-1")


@lru_cache(maxsize=512)
def _first_lines(method: str, address: Address) -> str:
    if _NAME.fullmatch(method) is None:
        raise not_sent("LocalProtocolError: Illegal method")
    return f"{method} {address.target} HTTP/1.1\r\nHost: {address.authority}"


@lru_cache(maxsize=512)
def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and name.lower() not in _FRAMING
