"""Base URLs with and without an API version."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

_VERSION = re.compile(r"/v\d+[a-z]*\d*(/|$)")
_USER = re.compile(r"^([^/?#]*//|)[^/?#]*@")
_UNSENDABLE = re.compile(r"[\x00-\x20\x7f\ud800-\udfff]")
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_LONGEST_NAME, _LONGEST_LABEL = 253, 63
_QUERY = re.compile(r"([?#]).+$", re.DOTALL)


def join_api_root(base_url: str, version: str = "/v1") -> str:
    """Return a base URL that ends with exactly one version.

    Args:
        base_url: The configured address, with or without ``/v1``, with or without a slash at the end.
        version: Version for an address without one. Empty for an API without versions.

    Returns:
        The URL without a slash at the end.

    Raises:
        ValueError: The address is not an HTTP URL.
    """
    example, shown = "write one like 'https://api.example.com/v1'", without_secrets(base_url)
    try:
        parts = urlsplit(base_url.strip())
        fault = _fault(base_url.strip(), parts)
    except ValueError as error:
        fault = str(error)
    if fault is not None:
        message = f"{shown!r} is not an HTTP address ({fault}); {example}"
        raise ValueError(message)
    if "?" in base_url or "#" in base_url:
        message = f"{shown!r} has a query or a fragment, after which no path can follow; {example}"
        raise ValueError(message)
    root = base_url.strip().rstrip("/")
    return root if not version or _VERSION.search(parts.path) else root + version


def _fault(written: str, parts: SplitResult) -> str | None:
    """Return why an address is unusable, ``None`` for a usable address.

    Raises:
        ValueError: The port is invalid.
    """
    host = parts.hostname or ""
    if _UNSENDABLE.search(written):
        return "it holds a space, a control character or half a character"
    if parts.scheme not in ("http", "https") or not host:
        return "it has no scheme and host"
    if parts.username is not None or parts.password is not None:
        return "it holds a name or a password; a key belongs under api_key, and a proxy under HTTPS_PROXY"
    if parts.port == 0:
        return "no server has port 0"
    return None if ":" in host else _fault_of_name(host)


def _fault_of_name(host: str) -> str | None:
    """Return why a host is not a valid name: RFC 1035, 2.3.4, and RFC 5890 for letters outside ASCII."""
    try:
        name = (host if host.isascii() else host.encode("idna").decode()).removesuffix(".")
    except UnicodeError:
        return "its host is no name"
    if len(name) > _LONGEST_NAME or any(not label or len(label) > _LONGEST_LABEL for label in name.split(".")):
        return f"a part of its host is empty or longer than {_LONGEST_LABEL} letters"
    return None if _NAME.fullmatch(name) else "its host is no name"


def without_secrets(url: str) -> str:
    """Return a URL for messages, without user name, password and query."""
    return _QUERY.sub(r"\1…", _USER.sub(r"\1…@", url))
