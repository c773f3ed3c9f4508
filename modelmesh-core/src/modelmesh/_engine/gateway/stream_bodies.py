"""Bodies of streamed responses. Closing a body closes the stream of the vendor and records the attempt."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from modelmesh._engine.gateway.event_encoding import EventEncoder, encode_chunk
from modelmesh.contracts.operations import StreamKind
from modelmesh.errors import ModelMeshError

if TYPE_CHECKING:
    from modelmesh._engine.mesh.requests import RequestServer
    from modelmesh._engine.routing.steps import Served
    from modelmesh.contracts.call import Call


class StreamBody:
    """Body of a stream for threads."""

    def __init__(self, requests: RequestServer, call: Call, served: Served, request_id: str) -> None:
        self._requests, self._call, self._served = requests, call, served
        self._items: Any = requests.stream(call, served)
        self._encoder = None if call.stream_kind is StreamKind.BYTES else EventEncoder(served, call, request_id)
        self._begun = self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        self._begun, encoder = True, self._encoder
        if encoder is None:
            yield from self._items
            return
        encode = encode_chunk if encoder.plain else encoder.feed
        try:
            for item in self._items:
                piece = encode(item)
                if piece:
                    yield piece
        except ModelMeshError as error:
            yield encoder.fail(error)
            return
        last = encoder.end()
        if last:
            yield last

    def close(self) -> None:
        """Close the stream of the vendor, read to its end or not. May be called twice."""
        if self._closed:
            return
        self._closed = True
        self._items.close()
        if not self._begun:  # a generator that never started does not run its clean-up
            self._requests.discard_stream(self._call, self._served)


class AsyncStreamBody:
    """Body of a stream for asyncio."""

    def __init__(self, requests: RequestServer, call: Call, served: Served, request_id: str) -> None:
        self._requests, self._call, self._served = requests, call, served
        self._items: Any = requests.astream(call, served)
        self._encoder = None if call.stream_kind is StreamKind.BYTES else EventEncoder(served, call, request_id)
        self._begun = self._closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self._begun, encoder = True, self._encoder
        if encoder is None:
            async for piece in self._items:
                yield piece
            return
        encode = encode_chunk if encoder.plain else encoder.feed
        try:
            async for item in self._items:
                piece = encode(item)
                if piece:
                    yield piece
        except ModelMeshError as error:
            yield encoder.fail(error)
            return
        last = encoder.end()
        if last:
            yield last

    async def aclose(self) -> None:
        """Close the stream of the vendor, read to its end or not. May be called twice."""
        if self._closed:
            return
        self._closed = True
        await self._items.aclose()
        if not self._begun:
            await self._requests.adiscard_stream(self._call, self._served)
