"""Size limits of responses, and decompression within them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

MIB = 1024 * 1024

MAX_BODY = 32 * MIB
"""Bytes of one answer after decompression, unless the operation has its own limit."""

LARGE_BODY = 256 * MIB
"""The same for embeddings, images and audio."""

MAX_EVENT = 32 * MIB
"""Bytes of one server-sent event. Images arrive in one event."""

MAX_QUIET = 4 * MIB
"""Bytes of events before the first content of a stream. Search results may precede an answer."""

MAX_RATIO = 100
"""Decompressed bytes for each byte received."""

FREE = 256 * 1024
"""Decompressed bytes without a ratio limit, because small JSON may compress very well."""

PIECE = 256 * 1024


class TooLargeError(ValueError):
    """The response exceeds a size limit."""


class OverLimitError(TooLargeError):
    """A body that is longer than the limit of its operation."""


class Inflater:
    """Decompresses a body piece by piece, so that a small body cannot fill the memory."""

    def __init__(self, encoding: str) -> None:
        """Read the value of ``Content-Encoding``.

        Raises:
            ValueError: The request did not offer the encoding.
        """
        name = encoding.strip().lower()
        if name not in ("gzip", "x-gzip", "deflate"):
            message = f"content-encoding {encoding[:40]!r} was not offered"
            raise ValueError(message)
        self._gzip = name != "deflate"
        self._engine: Any = None
        self._head = b""
        self._received = self._made = 0

    def _begin(self, head: bytes) -> Any:
        """Select the format by the first two bytes. Some servers send deflate without its header."""
        if self._gzip:
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        wrapped = head[0] & 0x0F == 8 and int.from_bytes(head[:2], "big") % 31 == 0  # noqa: PLR2004 - RFC 1950, 2.2
        return zlib.decompressobj() if wrapped else zlib.decompressobj(-zlib.MAX_WBITS)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the decompressed data of received bytes.

        Raises:
            ValueError: The data is damaged.
            TooLargeError: The decompressed data exceeds its limit.
        """
        self._received += len(data)
        if self._engine is None:
            data = self._head = self._head + data
            if len(data) < 2:  # noqa: PLR2004 - the header of either
                return
            self._engine, self._head = self._begin(data), b""
        while data:
            if self._engine.eof:
                data = self._next(data)
                continue
            try:
                piece = self._engine.decompress(data, PIECE)
            except zlib.error as error:
                message = f"damaged compressed data: {error}"
                raise ValueError(message) from None
            data = self._engine.unconsumed_tail or self._engine.unused_data
            self._made += len(piece)
            if self._made > max(FREE, self._received * MAX_RATIO):
                message = f"unpacks to more than {MAX_RATIO} times its size"
                raise TooLargeError(message)
            if piece:
                yield piece

    def _next(self, data: bytes) -> bytes:
        """Continue with the next member. A gzip body may have several members with zeros between them."""
        rest = data.lstrip(b"\0")
        if rest and not self._gzip:
            message = "damaged compressed data: it goes on after its end"
            raise ValueError(message)
        if rest:
            self._engine = zlib.decompressobj(16 + zlib.MAX_WBITS)
        return rest

    def end(self) -> None:
        """Check that the data is complete.

        Raises:
            ValueError: The data is truncated.
        """
        if self._received and (self._engine is None or not self._engine.eof):
            message = "compressed data ends too early"
            raise ValueError(message)


class Body:
    """Collects a response body within the limits."""

    def __init__(self, encoding: str | None, limit: int = MAX_BODY) -> None:
        """Create an empty body.

        Args:
            encoding: Value of ``Content-Encoding``.
            limit: Bytes of the decompressed body at most.

        Raises:
            ValueError: The request did not offer the encoding.
        """
        self._inflater = Inflater(encoding) if encoding and encoding.strip().lower() != "identity" else None
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Add received bytes.

        Raises:
            ValueError: The bytes are damaged, or the body is too large.
        """
        for piece in (data,) if self._inflater is None else self._inflater.feed(data):
            self._size += len(piece)
            if self._size > self._limit:
                message = f"it is longer than {self._limit // MIB} MiB"
                raise OverLimitError(message)
            self._pieces.append(piece)

    def end(self) -> bytes:
        """Return the complete body.

        Raises:
            ValueError: The body is truncated.
        """
        if self._inflater is not None:
            self._inflater.end()
        if len(self._pieces) != 1:
            self._pieces = [b"".join(self._pieces)]  # frees the pieces
        return self._pieces[0]

    def take(self) -> bytes:
        """Return the complete body and keep no reference, so that the caller can free it while it converts the answer.

        Raises:
            ValueError: The body is truncated.
        """
        raw, self._pieces = self.end(), []
        return raw
