"""Streams that also assemble the complete answer: ``chat.completions.stream()`` and ``responses.stream()``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar

if TYPE_CHECKING:
    from modelmesh.client.streams import AsyncStream, Stream

EventT = TypeVar("EventT")
ReplyT = TypeVar("ReplyT")
ReplyT_co = TypeVar("ReplyT_co", covariant=True)


class Assembler(Protocol[EventT, ReplyT_co]):
    """Builds events and the complete answer from the items of a stream."""

    def feed(self, item: Any) -> list[EventT]:
        """Return the events of an item."""
        ...

    def reply(self, history: Any) -> ReplyT_co:
        """Return the complete answer, with parsed objects."""
        ...


class _Assembled(Generic[EventT, ReplyT]):
    """Members that both kinds of stream share."""

    def __init__(self, stream: Any, assembler: Assembler[EventT, ReplyT]) -> None:
        self._stream, self._assembler = stream, assembler

    def _reply(self) -> ReplyT:
        return self._assembler.reply(self._stream._history)  # noqa: SLF001 - the answer has the history of its stream


class AssembledStream(_Assembled[EventT, ReplyT]):
    """The events of one answer, which can be iterated once."""

    _stream: Stream[Any]

    def __init__(self, stream: Stream[Any], assembler: Assembler[EventT, ReplyT]) -> None:
        super().__init__(stream, assembler)
        self._events = self._made()

    def _made(self) -> Iterator[EventT]:
        for item in self._stream:
            yield from self._assembler.feed(item)

    def __iter__(self) -> Iterator[EventT]:
        return self._events

    def __next__(self) -> EventT:
        return next(self._events)

    def until_done(self) -> Self:
        """Read the rest of the stream."""
        for _ in self._events:
            pass
        return self

    def get_final_completion(self) -> ReplyT:
        """Read the rest of the stream, and return the complete answer with its parsed objects."""
        self.until_done()
        return self._reply()

    get_final_response = get_final_completion

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()


class AsyncAssembledStream(_Assembled[EventT, ReplyT]):
    """The events of one answer for asyncio."""

    _stream: AsyncStream[Any]

    def __init__(self, stream: AsyncStream[Any], assembler: Assembler[EventT, ReplyT]) -> None:
        super().__init__(stream, assembler)
        self._events = self._made()

    async def _made(self) -> AsyncIterator[EventT]:
        async for item in self._stream:
            for event in self._assembler.feed(item):
                yield event

    def __aiter__(self) -> AsyncIterator[EventT]:
        return self._events

    async def __anext__(self) -> EventT:
        return await anext(self._events)

    async def until_done(self) -> Self:
        """Read the rest of the stream."""
        async for _ in self._events:
            pass
        return self

    async def get_final_completion(self) -> ReplyT:
        """Read the rest of the stream, and return the complete answer with its parsed objects."""
        await self.until_done()
        return self._reply()

    get_final_response = get_final_completion

    async def close(self) -> None:
        """Close the connection."""
        await self._stream.close()


class StreamManager(Generic[EventT, ReplyT]):
    """A request that a ``with`` block sends at its start. The end of the block closes the stream."""

    def __init__(self, create: Callable[[], Stream[Any]], assembler: Assembler[EventT, ReplyT]) -> None:
        """Set the request."""
        self._create, self._assembler = create, assembler
        self._stream: AssembledStream[EventT, ReplyT] | None = None

    def __enter__(self) -> AssembledStream[EventT, ReplyT]:
        self._stream = AssembledStream(self._create(), self._assembler)
        return self._stream

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()


class AsyncStreamManager(Generic[EventT, ReplyT]):
    """A request that an ``async with`` block sends at its start. The end of the block closes the stream."""

    def __init__(self, create: Callable[[], Awaitable[AsyncStream[Any]]], assembler: Assembler[EventT, ReplyT]) -> None:
        """Set the request."""
        self._create, self._assembler = create, assembler
        self._stream: AsyncAssembledStream[EventT, ReplyT] | None = None

    async def __aenter__(self) -> AsyncAssembledStream[EventT, ReplyT]:
        self._stream = AsyncAssembledStream(await self._create(), self._assembler)
        return self._stream

    async def __aexit__(self, *_: object) -> None:
        if self._stream is not None:
            await self._stream.close()
