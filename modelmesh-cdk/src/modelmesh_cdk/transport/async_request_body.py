"""Large request bodies in an event loop. Threads read their files, because a read of a disk or a network drive blocks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, closing, nullcontext

from modelmesh_cdk.transport.interfaces import Deadline, RequestBody
from modelmesh_cdk.transport.request_body import Pieces


class AsyncPieces:
    """The pieces of a body for one request."""

    def __init__(self, body: RequestBody, deadline: Deadline) -> None:
        """Start the upload. The arguments are those of :class:`~modelmesh_cdk.transport.request_body.Pieces`."""
        self._pieces = Pieces(body, deadline)
        self._in_memory = getattr(body, "in_memory", False)
        self._lock = threading.Lock()
        self._is_closed = False

    @property
    def is_complete(self) -> bool:
        """Whether the last piece was returned."""
        return self._pieces.is_complete

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece.

        Raises:
            RequestBodyError: The body cannot be read, or has another size than stated.
        """
        piece = await self._read_piece()
        if piece is None:
            self.close()
            raise StopAsyncIteration
        return piece

    async def _read_piece(self) -> bytes | None:
        if self._in_memory or self._pieces.is_complete:
            return self._read()
        return await asyncio.to_thread(self._read)

    def _read(self) -> bytes | None:
        try:
            with self._lock:
                return None if self._is_closed else self._pieces.read()
        finally:
            if self._is_closed:
                self.close()

    def close(self) -> None:
        """Close the open file of the body. A thread that still reads it, after a cancellation, closes it in its place."""
        self._is_closed = True
        if self._lock.acquire(blocking=False):
            try:
                self._pieces.close()
            finally:
                self._lock.release()


class AsyncBodyStream:
    """A body for an HTTP library, which iterates over it for each try. The caller closes it at the end of the request."""

    def __init__(self, body: RequestBody, deadline: Deadline) -> None:
        """Store the body. The arguments are those of :class:`AsyncPieces`."""
        self._body, self._deadline = body, deadline
        self._pieces: AsyncPieces | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        self.close()
        self._pieces = AsyncPieces(self._body, self._deadline)
        return self._pieces

    def close(self) -> None:
        """Close the open file of the body."""
        if self._pieces is not None:
            self._pieces.close()


def async_stream_of(
    body: bytes | RequestBody, deadline: Deadline
) -> tuple[bytes | AsyncBodyStream, AbstractContextManager[object]]:
    """Return a body as HTTP libraries take it, and what closes its file at the end of the request."""
    if isinstance(body, bytes):
        return body, nullcontext()
    stream = AsyncBodyStream(body, deadline)
    return stream, closing(stream)
