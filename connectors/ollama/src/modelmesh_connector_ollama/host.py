"""Base address from ``OLLAMA_HOST`` with default values for missing parts."""

from __future__ import annotations

from urllib.parse import urlsplit

PORT = 11434
ALL_INTERFACES = ("", "0.0.0.0", "::")  # noqa: S104 - only compared, never bound
LOOPBACK = "127.0.0.1"


def address_of(written: str) -> str:
    """Return a complete address.

    The default scheme is ``http`` with port 11434. If a scheme is given, the default port is that of the scheme. The address
    of a server that listens on all interfaces is loopback.

    Args:
        written: A host, with or without scheme, port and path, e.g. ``0.0.0.0`` or ``gpu.example:8080``.

    Returns:
        The address, or the unchanged value if it cannot be parsed. The HTTP client then reports the error.
    """
    scheme, found, rest = written.rpartition("://")
    try:
        parts = urlsplit(f"//{rest}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return written
    if parts.query or parts.fragment:
        return written
    if host in ALL_INTERFACES:
        host = LOOPBACK
    if port is None and not found:
        port = PORT
    user, at, _ = parts.netloc.rpartition("@")
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme or 'http'}://{user}{at}{shown}{'' if port is None else f':{port}'}{parts.path}"
