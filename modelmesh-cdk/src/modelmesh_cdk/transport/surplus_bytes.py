"""Surplus bytes after a response. A connection with surplus bytes is never reused.

The client would read such bytes as the response to the next request, possibly of another caller. They may be in the parser, in
the buffers of the event loop or of TLS, or in the socket. The libraries have no public access to the first three. Where their
internals differ from httpcore2 2.16, h11 0.16 and anyio 4.16, the connection counts as one with surplus bytes.
"""

from __future__ import annotations

from typing import Any


def has_in_parser(body: Any) -> bool:
    """Return whether the parser contains bytes after the response with this body.

    Args:
        body: Stream of an httpcore2 response.
    """
    try:
        trailing, _ = body._stream._connection._h11_state.trailing_data  # noqa: SLF001 - see above
    except (AttributeError, TypeError, ValueError):
        return True
    return bool(trailing)


def has_in_tls(ssl_object: Any) -> bool:
    """Return whether decrypted bytes are waiting."""
    return ssl_object is not None and bool(ssl_object.pending())


def has_in_event_loop(stream: Any) -> bool:
    """Return whether the event loop has buffered bytes of a socket.

    Args:
        stream: Stream of anyio, or of httpcore2 over anyio.
    """
    stream = getattr(stream, "_stream", stream)
    try:
        while hasattr(stream, "transport_stream"):
            if stream._read_bio.pending:  # noqa: SLF001 - see above
                return True
            stream = stream.transport_stream
        return bool(stream._protocol.read_queue)  # noqa: SLF001
    except AttributeError:
        return True
