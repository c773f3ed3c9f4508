"""What ``OLLAMA_HOST`` means when parts of it are missing."""

from __future__ import annotations

from urllib.parse import urlsplit

PORT = 11434
LISTENS_ANYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - compared with, never bound
LOOPBACK = "127.0.0.1"


def address_of(written: str) -> str:
    """Return a complete address.

    Without a scheme the scheme is ``http`` and the default port 11434. With a scheme the default port is the scheme's. A server
    that listens on every interface is reached on loopback.

    Args:
        written: A host, with or without scheme, port and path, e.g. ``0.0.0.0`` or ``gpu.example:8080``.

    Returns:
        The address, or the unchanged text of an invalid address, which the caller rejects with a reason.
    """
    scheme, found, rest = written.rpartition("://")
    try:
        parts = urlsplit(f"//{rest}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return written
    if parts.query or parts.fragment:
        return written
    if host in LISTENS_ANYWHERE:
        host = LOOPBACK
    if port is None and not found:
        port = PORT
    user, at, _ = parts.netloc.rpartition("@")
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme or 'http'}://{user}{at}{shown}{'' if port is None else f':{port}'}{parts.path}"
