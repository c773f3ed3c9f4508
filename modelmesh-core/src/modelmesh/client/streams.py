"""Open streams of the clients."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from modelmesh._engine.foundation.lazy_import import LazyModule
from modelmesh._engine.foundation.notices import warn
from modelmesh._engine.mesh.answer_bodies import is_translated
from modelmesh.client.history import LiveHistory

if TYPE_CHECKING:
    import asyncio

    from modelmesh._engine import translation
    from modelmesh._engine.execution import late_closing
    from modelmesh._engine.foundation.attempts import Attempt
    from modelmesh._engine.mesh.requests import RequestServer
    from modelmesh._engine.routing.explain import Explanation
    from modelmesh._engine.routing.steps import Served
    from modelmesh.contracts.call import Call
    from modelmesh.contracts.operations import StreamKind
else:  # a client for threads does not import it
    asyncio = LazyModule(globals(), "asyncio", "asyncio")
    late_closing = LazyModule(globals(), "late_closing", "modelmesh._engine.execution.late_closing")
    translation = LazyModule(globals(), "translation", "modelmesh._engine.translation")  # of translated operations only

ChunkT = TypeVar("ChunkT")


class _BaseStream(Generic[ChunkT]):
    """Members that both kinds of stream share."""

    def __init__(
        self, make_chunk: Callable[[dict[str, Any]], ChunkT], requests: RequestServer, call: Call, served: Served
    ) -> None:
        self._make_chunk, self._requests, self._call, self._served = make_chunk, requests, call, served
        self._history = LiveHistory(served, call, requests.clock)
        self._begun = self._closed = False

    @property
    def kind(self) -> StreamKind | None:
        """Kind of the items."""
        return self._call.stream_kind

    @property
    def model(self) -> str:
        """The model of the answer."""
        return self._served.candidate.model_id

    @property
    def provider(self) -> str:
        """Key of the provider of the answer."""
        return self._served.candidate.provider_id

    @property
    def attempts(self) -> list[Attempt]:
        """Every attempt, the successful one last."""
        return self._served.attempts

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Metadata of the answer: pool, headers, adaptations, the vendor's model name."""
        return self._history.metadata

    def explain(self) -> Explanation:
        """Return why this model was chosen, and why each other model was not."""
        return self._history.explain()

    def __repr__(self) -> str:
        state = "closed" if self._closed else "being read" if self._begun else "unread"
        return f"<{type(self).__name__} of {self.provider}/{self.model}, {state}>"

    def _warn_unread(self) -> None:
        text = f"the stream of {self.provider}/{self.model} was dropped before its end; close it, or use it in a with statement"
        warn(text, ResourceWarning, self)


class Stream(_BaseStream[ChunkT]):
    """The chunks of one answer, which can be iterated once. The end of a ``with`` block closes the connection."""

    def __init__(
        self, make_chunk: Callable[[dict[str, Any]], ChunkT], requests: RequestServer, call: Call, served: Served
    ) -> None:
        super().__init__(make_chunk, requests, call, served)
        self._chunks: Any = requests.stream(call, served)
        if is_translated(served, call):
            self._chunks = _translated(self._chunks, call)

    def __iter__(self) -> Iterator[ChunkT]:
        self._begun, make_chunk = True, self._make_chunk
        for chunk in self._chunks:
            yield make_chunk(chunk)

    def __next__(self) -> ChunkT:
        self._begun = True
        return self._make_chunk(next(self._chunks))

    def close(self) -> None:
        """Close the connection, whether or not the stream was read to its end.

        A thread that is reading the stream gets its end.
        """
        if self._closed:
            return
        self._closed = True
        if self._begun:
            try:
                self._chunks.close()
            except ValueError:  # another thread runs the generator, which cleans up when that thread returns from it
                self._interrupt()
        else:  # a generator that never started does not run its clean-up
            self._requests.discard_stream(self._call, self._served)

    def _interrupt(self) -> None:
        opened: Any = self._served.outcome
        opened.closed = True
        wake = getattr(opened.stream, "interrupt", None)
        if wake is not None:
            wake()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if not self._closed and self._chunks.gi_frame is not None:
            self._warn_unread()
            self.close()


class AsyncStream(_BaseStream[ChunkT]):
    """The chunks of one answer for asyncio: ``async for``, ``async with``."""

    def __init__(
        self, make_chunk: Callable[[dict[str, Any]], ChunkT], requests: RequestServer, call: Call, served: Served
    ) -> None:
        super().__init__(make_chunk, requests, call, served)
        self._chunks: Any = requests.astream(call, served)
        if is_translated(served, call):
            self._chunks = _atranslated(self._chunks, call)
        self._loop = asyncio.get_running_loop()

    async def __aiter__(self) -> AsyncIterator[ChunkT]:
        self._begun, make_chunk = True, self._make_chunk
        async for chunk in self._chunks:
            yield make_chunk(chunk)

    async def __anext__(self) -> ChunkT:
        self._begun = True
        return self._make_chunk(await anext(self._chunks))

    async def close(self) -> None:
        """Close the connection, whether or not the stream was read to its end."""
        if self._closed:
            return
        self._closed = True
        if self._begun:
            await self._chunks.aclose()
        else:
            await self._requests.adiscard_stream(self._call, self._served)

    async def aclose(self) -> None:
        """Alias of :meth:`close`, by the name that ``contextlib.aclosing`` expects."""
        await self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __del__(self) -> None:
        if not self._closed and self._chunks.ag_frame is not None:
            self._warn_unread()
            if not self._begun:  # otherwise the event loop closes the started generator, which records the attempt
                self._closed = True
                self._requests.record_discarded(self._call, self._served)
                opened: Any = self._served.outcome

                async def close() -> None:
                    await opened.stream.aclose()

                late_closing.close_in(self._loop, close)


def _translated(chunks: Any, call: Call) -> Iterator[Any]:
    """Yield the chunks of a chat completion as items of the caller's operation."""
    made = translation.TRANSLATIONS[call.operation.name].stream(call)
    try:
        for chunk in chunks:
            yield from made.feed(chunk)
        yield from made.end()
    finally:
        chunks.close()


async def _atranslated(chunks: Any, call: Call) -> AsyncIterator[Any]:
    """Yield the chunks of a chat completion as items of the caller's operation."""
    made = translation.TRANSLATIONS[call.operation.name].stream(call)
    try:
        async for chunk in chunks:
            for item in made.feed(chunk):
                yield item
        for item in made.end():
            yield item
    finally:
        await chunks.aclose()
