"""Bytes that a vendor sent beyond an answer: a connection that holds some is never used again.

Such bytes would be taken for the answer to the next request, which may be another caller's. They may be in the parser, in the
buffers of the event loop or of TLS, or in the socket. The libraries have no public way to look into the first three. Where their
internals differ from httpcore2 2.16, h11 0.16 and anyio 4.16, the connection counts as one that holds such bytes.
"""

from __future__ import annotations

from typing import Any


def in_parser(body: Any) -> bool:
    """Whether a parser holds bytes that do not belong to the answer whose body this is.

    Args:
        body: The stream of a response of httpcore2's.
    """
    try:
        trailing, _ = body._stream._connection._h11_state.trailing_data  # noqa: SLF001 - see above
    except (AttributeError, TypeError, ValueError):
        return True
    return bool(trailing)


def in_tls(ssl_object: Any) -> bool:
    """Whether decrypted bytes wait to be read."""
    return ssl_object is not None and bool(ssl_object.pending())


def in_event_loop(stream: Any) -> bool:
    """Return whether an event loop holds bytes of a socket that were not consumed.

    Args:
        stream: anyio's, or httpcore2's around it.
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
