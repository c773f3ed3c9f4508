"""Pieces and lines of streamed bodies, for ``with_streaming_response`` of both clients."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any

from modelmesh.contracts.operations import StreamKind


class Rechunker:
    """Cuts a stream of bytes into pieces of one size."""

    def __init__(self, size: int | None) -> None:
        """Set the size. ``None`` passes pieces as they arrive."""
        self._size, self._kept = size, bytearray()

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield the complete pieces."""
        if self._size is None:
            yield piece
            return
        self._kept += piece
        while len(self._kept) >= self._size:
            yield bytes(self._kept[: self._size])
            del self._kept[: self._size]

    def end(self) -> Iterator[bytes]:
        """Yield the last piece, which may be smaller."""
        if self._kept:
            yield bytes(self._kept)


class Lines:
    """Splits a stream of bytes in UTF-8 into lines."""

    def __init__(self) -> None:
        """Start with an empty line."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._kept = ""

    def feed(self, piece: bytes) -> Iterator[str]:
        """Yield the complete lines, without their ends."""
        *lines, self._kept = (self._kept + self._decoder.decode(piece)).split("\n")
        for line in lines:
            yield line.removesuffix("\r")

    def end(self) -> Iterator[str]:
        """Yield the last line."""
        last = self._kept + self._decoder.decode(b"", final=True)
        if last:
            yield last


def event_lines(event: Any) -> Iterator[str]:
    """Yield the lines of one server-sent event."""
    yield f"data: {json.dumps(event, ensure_ascii=False)}"
    yield ""


def final_lines(stream: Any) -> Iterator[str]:
    """Yield the lines that end a stream of chunks. Streams of typed events end with their last event."""
    if stream.kind is not StreamKind.EVENTS:
        yield "data: [DONE]"
        yield ""


def plain_lines(reply: Any, text: str) -> list[str]:
    """Return the lines of an answer that is no stream. JSON is one line."""
    return text.splitlines() if isinstance(reply, str | bytes) else [text]
