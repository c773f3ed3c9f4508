"""Streams as one JSON array, the format of Google's streams without ``alt=sse``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

_PREFIX, _SUFFIX = b"data: ", b"\n\n"


def _elements(piece: bytes, *, first: bool) -> bytes:
    """Return the events of a piece as elements of the array."""
    found = [event.removeprefix(_PREFIX) for event in piece.split(_SUFFIX) if event]
    joined = b"\r\n,\r\n".join(found)
    return (b"[" if first else b",\r\n") + joined if found else b""


class JsonArrayBody:
    """Body of a stream for threads."""

    def __init__(self, events: Any) -> None:
        """Wrap the body with server-sent events, each piece of which has whole events."""
        self._events = events

    def __iter__(self) -> Iterator[bytes]:
        first = True
        for piece in self._events:
            made = _elements(piece, first=first)
            if made:
                first = False
                yield made + b"\r\n"
        yield b"[]" if first else b"]"

    def close(self) -> None:
        """Close the stream of the vendor."""
        self._events.close()


class AsyncJsonArrayBody:
    """Body of a stream for asyncio."""

    def __init__(self, events: Any) -> None:
        """Wrap the body with server-sent events, each piece of which has whole events."""
        self._events = events

    async def __aiter__(self) -> AsyncIterator[bytes]:
        first = True
        async for piece in self._events:
            made = _elements(piece, first=first)
            if made:
                first = False
                yield made + b"\r\n"
        yield b"[]" if first else b"]"

    def fail(self, error: Exception) -> bytes:
        """Return the element that reports an interruption by the server, and the end of the array."""
        failed: bytes = self._events.fail(error)
        return b",\r\n" + failed.removeprefix(_PREFIX).strip() + b"]"

    async def aclose(self) -> None:
        """Close the stream of the vendor."""
        await self._events.aclose()
