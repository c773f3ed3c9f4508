"""Base URLs, with and without the version that an API's paths begin with."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_VERSION = re.compile(r"/v\d+[a-z]*\d*(/|$)")
_USER = re.compile(r"^([^/?#]*//|)[^/?#]*@")
_QUERY = re.compile(r"([?#]).+$", re.DOTALL)


def api_root(base_url: str, version: str = "/v1") -> str:
    """Return a base URL that ends with exactly one version.

    Args:
        base_url: As the user wrote it: with or without ``/v1``, with or without a slash at the end.
        version: What is added when the path has none; empty for an API without one.

    Returns:
        Without a slash at the end.

    Raises:
        ValueError: It is no HTTP URL.
    """
    example, shown = "write one like 'https://api.example.com/v1'", without_secrets(base_url)
    try:
        parts = urlsplit(base_url.strip())
        _ = parts.port  # raises when it is none
    except ValueError as error:
        message = f"{shown!r} is not an HTTP address ({error}); {example}"
        raise ValueError(message) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        message = f"{shown!r} is not an HTTP address; {example}"
        raise ValueError(message)
    if "?" in base_url or "#" in base_url:
        message = f"{shown!r} has a query or a fragment, after which no path can follow; {example}"
        raise ValueError(message)
    root = base_url.strip().rstrip("/")
    return root if not version or _VERSION.search(parts.path) else root + version


def without_secrets(url: str) -> str:
    """Return a URL as it may be shown: a password before the host and what a query says are left out."""
    return _QUERY.sub(r"\1…", _USER.sub(r"\1…@", url))
