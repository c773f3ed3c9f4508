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
    """A stream for asyncio. It is its own iterator."""

    def __init__(self, reading: StreamReader | BytesReader) -> None:
        super().__init__(reading)
        self._body = aiter(self._response)
        self._arrived: Iterator[Any] = iter(())
        self._is_ended = False

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        while True:
            for item in self._arrived:
                return item
            if self._is_ended:
                raise StopAsyncIteration
            await self._read()

    def arrived(self) -> Iterator[Any]:
        """Return an iterator over the items that have arrived and that were not taken yet."""
        return self._arrived

    async def _read(self) -> None:
        """Read once, and note the end."""
        reading = self._reading
        if reading.done:
            reading.start_draining()
            with suppress(TransportError):
                await anext(self._body, None)  # bytes after the last event: the connection is not reused
            self._is_ended = True
            return
        try:
            data = await self._body.__anext__()
        except TransportError as error:
            self._is_ended = True
            reading.check_interruption(error)
        except StopAsyncIteration:
            self._is_ended, self._arrived = True, iter(reading.end())
        else:
            self._arrived = iter(reading.feed(data))

    async def aclose(self) -> None:
        """Close the connection, unless the body was read to its end."""
        self._is_ended, self._arrived = True, iter(())
        await self._response.aclose()
