"""Large request bodies while they are sent. An error of their files is never taken for an error of the connection.

While a body is sent, each piece must be accepted within the gap of the deadline. The limit of the first phase starts when the
server has the whole body, because the time of an upload depends on the file and not on the vendor.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from typing import Any

from modelmesh.contracts import FailureClass
from modelmesh_cdk.transport.interfaces import Deadline, RequestBody, TransportError


class RequestBodyError(TransportError):
    """The body cannot be read, or has another size than stated. The server did not receive a complete request."""

    def __init__(self, message: str) -> None:
        super().__init__(FailureClass.CALLER, message)


def body_size(body: bytes | RequestBody) -> int:
    """Return the bytes of a body."""
    return len(body) if isinstance(body, bytes) else body.size


class Pieces:
    """The pieces of a body for one request, as many bytes as its size states.

    Attributes:
        is_complete: Whether the last piece was returned.
    """

    def __init__(self, body: RequestBody, deadline: Deadline) -> None:
        """Start the upload.

        Args:
            body: The body. It is read from the start.
            deadline: Deadline of the exchange.
        """
        self._left = body.size
        self.is_complete = False
        self._deadline = deadline
        self._pieces: Any = iter(body)
        deadline.start_upload()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """Return the next piece.

        Raises:
            RequestBodyError: The body cannot be read, or has another size than stated.
        """
        piece = self.read()
        if piece is None:
            self.close()
            raise StopIteration
        return piece

    def read(self) -> bytes | None:
        """Return the next piece, ``None`` at the end. The caller closes the pieces."""
        piece = None if self.is_complete else self._next()
        self._left -= len(piece or b"")
        if piece is None or self._left <= 0:
            if self._left or (piece is not None and self._next() is not None):
                message = "the request body has more or fewer bytes than its size states"
                raise RequestBodyError(message)
            self.is_complete = True
        return piece

    def _next(self) -> bytes | None:
        try:
            return next(self._pieces, None)
        except Exception as error:
            message = f"the request body cannot be read ({error or type(error).__name__})"
            raise RequestBodyError(message) from error

    def close(self) -> None:
        """Close the open file of the body. The first phase of the exchange starts."""
        pieces, self._pieces = self._pieces, None
        if pieces is None:
            return
        self._deadline.finish_upload()
        close = getattr(pieces, "close", None)
        if close is not None:
            close()


class BodyStream:
    """A body for an HTTP library, which iterates over it for each try. The caller closes it at the end of the request."""

    def __init__(self, body: RequestBody, deadline: Deadline) -> None:
        """Store the body. The arguments are those of :class:`Pieces`."""
        self._body, self._deadline = body, deadline
        self._pieces: Pieces | None = None

    def __iter__(self) -> Iterator[bytes]:
        self.close()
        self._pieces = Pieces(self._body, self._deadline)
        return self._pieces

    def close(self) -> None:
        """Close the open file of the body."""
        if self._pieces is not None:
            self._pieces.close()


def stream_of(body: bytes | RequestBody, deadline: Deadline) -> tuple[bytes | BodyStream, AbstractContextManager[object]]:
    """Return a body as HTTP libraries take it, and what closes its file at the end of the request."""
    if isinstance(body, bytes):
        return body, nullcontext()
    stream = BodyStream(body, deadline)
    return stream, closing(stream)
