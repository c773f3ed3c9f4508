"""Streams and queues that wait for a response within its limits, in a thread or in a task."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any

from modelmesh.contracts import FailureClass, Limits
from modelmesh.errors import ModelMeshError, ProviderError, ProviderTimeoutError
from modelmesh_cdk import provider_error
from modelmesh_connector_local.answers import ChunkConverter
from modelmesh_connector_local.engine import END, Generation


class Deadline:
    """Remaining time of an attempt. Time in the queue and loading of the model count."""

    def __init__(self, limits: Limits, *, stream: bool) -> None:
        """Start the clock.

        Args:
            limits: Limits in seconds from now.
            stream: Whether the response is a stream.
        """
        self._limits, self._began, self._committed = limits, time.monotonic(), False
        self._phase = limits.first_content if stream else limits.answer

    def commit(self) -> None:
        """Apply only the limits of gaps and of the total time from now on."""
        self._committed = True

    def remaining(self) -> float:
        """Return the seconds until the nearest limit, 0 if it has passed."""
        gone = time.monotonic() - self._began
        total = self._limits.total - gone
        return max(0.0, min(total, self._limits.gap if self._committed else self._phase - gone))

    def timeout_error(self) -> ProviderError:
        """Return the error of an exceeded limit."""
        limit = self._limits.gap if self._committed else self._phase
        if time.monotonic() - self._began >= self._limits.total:
            limit = self._limits.total
        action = "continue" if self._committed else "respond"
        error = provider_error(FailureClass.TIMEOUT, f"the local model did not {action} within {limit:g} s and was stopped")
        if isinstance(error, ProviderTimeoutError):
            error.timeout_seconds = limit
        return error


class ChunkQueue:
    """Queue of a thread that waits for the engine's chunks."""

    def __init__(self, deadline: Deadline) -> None:
        self._items: SimpleQueue[Any] = SimpleQueue()
        self._deadline = deadline

    def deliver(self, item: Any) -> None:
        """Append an item. The engine calls this method."""
        self._items.put(item)

    def next(self) -> Any:
        """Return the next chunk, or :data:`~.engine.END`.

        Raises:
            ProviderError: The generation failed, or a limit has passed.
        """
        try:
            item = self._items.get(timeout=self._deadline.remaining())
        except Empty:
            raise self._deadline.timeout_error() from None
        return _checked(item)


class AsyncChunkQueue:
    """Queue of a task that waits for the engine's chunks."""

    def __init__(self, deadline: Deadline) -> None:
        self._items: asyncio.Queue[Any] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._deadline = deadline

    def deliver(self, item: Any) -> None:
        """Append an item. The engine calls this method in its thread."""
        self._loop.call_soon_threadsafe(self._items.put_nowait, item)

    async def next(self) -> Any:
        """Return the next chunk, or :data:`~.engine.END`, as :meth:`ChunkQueue.next`."""
        try:
            async with asyncio.timeout(self._deadline.remaining()):
                item = await self._items.get()
        except TimeoutError:
            raise self._deadline.timeout_error() from None
        return _checked(item)


def _checked(item: Any) -> Any:
    if isinstance(item, ModelMeshError):
        raise item
    return item


class _StreamBase:
    """Common attributes of both kinds of stream."""

    def __init__(self, generation: Generation, chunks: ChunkConverter, adapted: Sequence[str], deadline: Deadline) -> None:
        self.headers: Mapping[str, str] = {}
        self.adapted = adapted
        self._generation, self._chunks = generation, chunks
        self.commit: Callable[[], None] = deadline.commit


class LocalStream(_StreamBase):
    """A stream for threads."""

    def __init__(self, queue: ChunkQueue, *rest: Any) -> None:
        super().__init__(*rest)
        self._queue = queue

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield chunks, once."""
        try:
            while (item := self._queue.next()) is not END:
                yield from self._chunks.take(item)
            yield from self._chunks.finish()
        finally:
            self.close()

    def close(self) -> None:
        """Stop the model unless the stream is complete."""
        self._generation.stop()


class AsyncLocalStream(_StreamBase):
    """A stream for asyncio."""

    def __init__(self, queue: AsyncChunkQueue, *rest: Any) -> None:
        super().__init__(*rest)
        self._queue = queue

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        """Yield chunks, once."""
        try:
            while (item := await self._queue.next()) is not END:
                for chunk in self._chunks.take(item):
                    yield chunk
            for chunk in self._chunks.finish():
                yield chunk
        finally:
            self._generation.stop()

    async def aclose(self) -> None:
        """Stop the model unless the stream is complete."""
        self._generation.stop()
