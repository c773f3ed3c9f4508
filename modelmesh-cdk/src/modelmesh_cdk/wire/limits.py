"""How much a vendor may send, and the decoding that keeps to it."""

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
"""Bytes of one server-sent event: pictures come whole in one."""

MAX_QUIET = 4 * MIB
"""Bytes of events without content that a stream may begin with: what a vendor searched may come before its answer."""

MAX_RATIO = 100
"""Decompressed bytes for each byte received."""

FREE = 256 * 1024
"""Decompressed bytes to which the ratio does not apply: small JSON may compress very well."""

PIECE = 256 * 1024


class TooLargeError(ValueError):
    """The vendor sent more than an answer can be."""


class Inflater:
    """Undoes ``Content-Encoding`` piece by piece, so that a small body cannot fill the memory."""

    def __init__(self, encoding: str) -> None:
        """Take the header's value.

        Raises:
            ValueError: The encoding is not one that was offered.
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
        """Choose by the first two bytes: what servers call deflate may lack its header."""
        if self._gzip:
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        wrapped = head[0] & 0x0F == 8 and int.from_bytes(head[:2], "big") % 31 == 0  # noqa: PLR2004 - RFC 1950, 2.2
        return zlib.decompressobj() if wrapped else zlib.decompressobj(-zlib.MAX_WBITS)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what comes of some received bytes.

        Raises:
            ValueError: The data is damaged.
            TooLargeError: It unpacks to more than it may.
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
        """Go on to the next member: a gzip body may have several, and zeros between them."""
        rest = data.lstrip(b"\0")
        if rest and not self._gzip:
            message = "damaged compressed data: it goes on after its end"
            raise ValueError(message)
        if rest:
            self._engine = zlib.decompressobj(16 + zlib.MAX_WBITS)
        return rest

    def end(self) -> None:
        """Check that the data was whole.

        Raises:
            ValueError: It was cut.
        """
        if self._received and (self._engine is None or not self._engine.eof):
            message = "compressed data ends too early"
            raise ValueError(message)


class Body:
    """Collects a whole answer within the limits."""

    def __init__(self, encoding: str | None, limit: int = MAX_BODY) -> None:
        """Begin.

        Args:
            encoding: The header's value.
            limit: Bytes that the whole may have.

        Raises:
            ValueError: The encoding is not one that was offered.
        """
        self._inflater = Inflater(encoding) if encoding and encoding.strip().lower() != "identity" else None
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Take some received bytes.

        Raises:
            ValueError: They are damaged, or too many.
        """
        for piece in (data,) if self._inflater is None else self._inflater.feed(data):
            self._size += len(piece)
            if self._size > self._limit:
                message = f"it is longer than {self._limit // MIB} MiB"
                raise TooLargeError(message)
            self._pieces.append(piece)

    def end(self) -> bytes:
        """Return the whole.

        Raises:
            ValueError: It was cut.
        """
        if self._inflater is not None:
            self._inflater.end()
        if len(self._pieces) != 1:
            self._pieces = [b"".join(self._pieces)]  # frees the pieces
        return self._pieces[0]
