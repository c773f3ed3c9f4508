"""Bodies of streamed responses. Closing a body closes the stream of the vendor and records the attempt.

A body that an application drops is closed by its finalizer. An SDK drops it as a part of a reference cycle, and the collector
would close the connection before the usage that has arrived is counted. The finalizer therefore owns the stream.
"""

from __future__ import annotations

from asyncio import get_running_loop
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import finalize

from modelmesh._engine.execution import late_closing
from modelmesh._engine.gateway.event_encoding import EventEncoder
from modelmesh.contracts.operations import StreamKind
from modelmesh.errors import ModelMeshError

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from modelmesh._engine.mesh.requests import RequestServer
    from modelmesh._engine.routing.steps import Served
    from modelmesh.contracts.call import Call


class _OpenStream:
    """The stream behind a body, which outlives it until it is closed."""

    __slots__ = ("begun", "call", "closed", "items", "requests", "served")

    def __init__(self, requests: RequestServer, call: Call, served: Served, items: Any) -> None:
        self.requests, self.call, self.served, self.items = requests, call, served, items
        self.begun = self.closed = False

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        if self.begun:
            try:
                self.items.close()
            except ValueError:  # another thread runs the generator, which cleans up when that thread returns from it
                self._interrupt()
        else:  # a generator that never started does not run its clean-up
            self.requests.discard_stream(self.call, self.served)

    def _interrupt(self) -> None:
        opened: Any = self.served.outcome
        opened.closed = True
        wake = getattr(opened.stream, "interrupt", None)
        if wake is not None:
            wake()

    async def aclose(self) -> None:
        if self.closed:
            return
        self.closed = True
        if self.begun:
            await self.items.aclose()
        else:
            await self.requests.adiscard_stream(self.call, self.served)


def _drop(stream: _OpenStream) -> None:
    with suppress(Exception):  # an error of a discarded stream concerns no caller
        stream.close()


def _adrop(stream: _OpenStream, loop: AbstractEventLoop) -> None:
    if stream.closed:
        return
    if stream.begun:
        late_closing.close_in(loop, stream.aclose)
        return
    stream.closed = True
    stream.requests.record_discarded(stream.call, stream.served)  # at once, because the event loop may have ended
    opened: Any = stream.served.outcome

    async def close() -> None:
        await opened.stream.aclose()

    late_closing.close_in(loop, close)


class StreamBody:
    """Body of a stream for threads."""

    def __init__(self, requests: RequestServer, call: Call, served: Served, request_id: str) -> None:
        self._items: Any = requests.stream(call, served)
        self._stream = _OpenStream(requests, call, served, self._items)
        self._encoder = None if call.stream_kind is StreamKind.BYTES else EventEncoder(served, call, request_id)
        finalize(self, _drop, self._stream).atexit = False

    def __iter__(self) -> Iterator[bytes]:
        self._stream.begun, encoder = True, self._encoder
        if encoder is None:
            yield from self._items
            return
        encode = encoder.encode
        try:
            for item in self._items:
                piece = encode(item)
                if piece:
                    yield piece
        except ModelMeshError as error:
            yield encoder.fail(error)
            if encoder.breaks_off:
                raise
            return
        last = encoder.end()
        if last:
            yield last

    def close(self) -> None:
        """Close the stream of the vendor, read to its end or not. May be called twice."""
        self._stream.close()


class AsyncStreamBody:
    """Body of a stream for asyncio."""

    def __init__(self, requests: RequestServer, call: Call, served: Served, request_id: str) -> None:
        self._items: Any = requests.abatches(call, served)
        self._stream = _OpenStream(requests, call, served, self._items)
        self._encoder = None if call.stream_kind is StreamKind.BYTES else EventEncoder(served, call, request_id)
        finalize(self, _adrop, self._stream, get_running_loop()).atexit = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self._stream.begun, encoder = True, self._encoder
        if encoder is None:
            async for batch in self._items:
                for piece in batch:
                    yield piece
            return
        encode = encoder.encode
        try:
            async for batch in self._items:
                piece = encode(batch[0]) if len(batch) == 1 else b"".join(map(encode, batch))
                if piece:
                    yield piece
        except ModelMeshError as error:
            yield encoder.fail(error)
            if encoder.breaks_off:
                raise
            return
        last = encoder.end()
        if last:
            yield last

    def fail(self, error: Exception) -> bytes:
        """Return the last event of a stream that the server ends early, empty for a stream of bytes."""
        return b"" if self._encoder is None else self._encoder.fail(error)

    async def aclose(self) -> None:
        """Close the stream of the vendor, read to its end or not. May be called twice."""
        await self._stream.aclose()
