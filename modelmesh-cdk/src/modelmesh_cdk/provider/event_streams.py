"""Open streams over HTTP: the two drivers that feed the body of a response to a :class:`StreamReader`.

The chunks of one read are passed on before the next read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from modelmesh_cdk.transport.interfaces import TransportError

if TYPE_CHECKING:
    from modelmesh_cdk.provider.operation_streams import BytesReader
    from modelmesh_cdk.provider.stream_reader import StreamReader


class _Stream:
    """What both kinds of streams share."""

    def __init__(self, reading: StreamReader | BytesReader) -> None:
        self._reading, self._response = reading, reading.response
        self.headers, self.adapted, self.rate_limits = reading.headers, reading.adapted, reading.rate_limits

    def commit(self) -> None:
        """End the first-content limit: content has arrived."""
        self._reading.deadline.commit()

    def expire_in(self, seconds: float) -> None:
        """Limit the rest of the stream to this many seconds."""
        self._reading.deadline.expire_in(seconds)


class HttpEventStream(_Stream):
    """A stream for threads."""

    def __iter__(self) -> Iterator[Any]:
        reading, body = self._reading, iter(self._response)
        while not reading.done:
            try:
                data = next(body, None)
            except TransportError as error:
                reading.check_interruption(error)
                return
            if data is None:
                yield from reading.end()
                return
            yield from reading.feed(data)
        reading.start_draining()
        with suppress(TransportError):
            next(body, None)  # bytes after the last event: the connection is not reused

    def interrupt(self) -> None:
        """End a read in another thread at once."""
        wake = getattr(self._response, "interrupt", None)
        if wake is not None:
            wake()

    def close(self) -> None:
        """Close the connection, unless the body was read to its end."""
        self._response.close()


class AsyncHttpEventStream(_Stream):
    """A stream for asyncio."""

    _chunks: Any = None

    def __aiter__(self) -> AsyncIterator[Any]:
        self._chunks = self._read()
        return self._chunks  # type: ignore[no-any-return]

    async def _read(self) -> AsyncIterator[Any]:
        reading, body = self._reading, aiter(self._response)
        while not reading.done:
            try:
                data = await anext(body, None)
            except TransportError as error:
                reading.check_interruption(error)
                return
            if data is None:
                for chunk in reading.end():
                    yield chunk
                return
            for chunk in reading.feed(data):
                yield chunk
        reading.start_draining()
        with suppress(TransportError):
            await anext(body, None)  # bytes after the last event: the connection is not reused

    async def aclose(self) -> None:
        """Close the connection, unless the body was read to its end."""
        if self._chunks is not None:
            await self._chunks.aclose()
        await self._response.aclose()
