"""Replies that are not JSON: audio and files as ``bytes``, transcriptions as ``str``."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from modelmesh.client.replies import Routed

if TYPE_CHECKING:
    from modelmesh.client.history import LiveHistory, StoredHistory
    from modelmesh.client.raw import RawResponse

PIECE_BYTES = 65_536
"""Size of the pieces of ``iter_bytes`` without ``chunk_size``."""


class BinaryReply(Routed, bytes):
    """The body of a reply, with the methods of the official SDK's binary response.

    The body is in memory. To write a large one to disk as it arrives, use ``with_streaming_response``.
    """

    def __new__(cls, data: bytes, history: LiveHistory | StoredHistory) -> Self:
        """Return the body with its routing history."""
        reply = super().__new__(cls, data)
        reply._history = history
        return reply

    @property
    def content(self) -> bytes:
        """The body."""
        return self

    @property
    def response(self) -> RawResponse[Self]:
        """The response: ``headers``, ``status_code``, ``request_id``."""
        from modelmesh.client.raw import RawResponse  # noqa: PLC0415 - a cycle: raw reads replies

        return RawResponse(self)

    @property
    def encoding(self) -> str:
        """The encoding of :attr:`text`."""
        return "utf-8"

    @property
    def text(self) -> str:
        """The body as text. Invalid bytes are replaced."""
        return self.decode(self.encoding, "replace")

    def json(self, **options: Any) -> Any:
        """Return the body as decoded JSON."""
        return json.loads(self, **options)

    def read(self) -> bytes:
        """Return the body."""
        return self

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Yield the body in pieces."""
        size = chunk_size or PIECE_BYTES
        view = memoryview(self)
        for start in range(0, len(view), size):
            yield bytes(view[start : start + size])

    iter_raw = iter_bytes

    def iter_text(self, chunk_size: int | None = None) -> Iterator[str]:
        """Yield the body as text in pieces of so many characters."""
        size, text = chunk_size or PIECE_BYTES, self.text
        for start in range(0, len(text), size):
            yield text[start : start + size]

    def iter_lines(self) -> Iterator[str]:
        """Yield the lines of the body without their ends."""
        yield from self.text.splitlines()

    def write_to_file(self, file: str | PathLike[str]) -> None:
        """Write the body to a file."""
        Path(file).write_bytes(self)

    def stream_to_file(self, file: str | PathLike[str], *, chunk_size: int | None = None) -> None:
        """Write the body to a file, like :meth:`write_to_file`."""
        del chunk_size  # the body is in memory
        self.write_to_file(file)

    def close(self) -> None:
        """Do nothing: the connection is closed."""

    async def aread(self) -> bytes:
        """Return the body."""
        return self

    async def aiter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """Yield the body in pieces."""
        for piece in self.iter_bytes(chunk_size):
            yield piece

    aiter_raw = aiter_bytes

    async def aiter_text(self, chunk_size: int | None = None) -> AsyncIterator[str]:
        """Yield the body as text in pieces of so many characters."""
        for piece in self.iter_text(chunk_size):
            yield piece

    async def aiter_lines(self) -> AsyncIterator[str]:
        """Yield the lines of the body without their ends."""
        for line in self.iter_lines():
            yield line

    async def astream_to_file(self, file: str | PathLike[str], *, chunk_size: int | None = None) -> None:
        """Write the body to a file in another thread."""
        import asyncio  # noqa: PLC0415 - a client for threads does not import it

        await asyncio.to_thread(self.stream_to_file, file, chunk_size=chunk_size)

    async def aclose(self) -> None:
        """Do nothing: the connection is closed."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (bytes(self), self._stored()))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)} bytes>"


class TextReply(Routed, str):
    """The text of a reply: a transcription with ``response_format`` ``text``, ``srt`` or ``vtt``."""

    __slots__ = ("_history",)

    def __new__(cls, text: str, history: LiveHistory | StoredHistory) -> Self:
        """Return the text with its routing history."""
        reply = super().__new__(cls, text)
        reply._history = history
        return reply

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (str(self), self._stored()))
