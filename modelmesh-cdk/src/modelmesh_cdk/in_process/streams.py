"""Streams and queues that wait for an engine within the limits of an attempt, in a thread or in a task."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any

from modelmesh.contracts import FailureClass, Limits
from modelmesh.errors import ModelMeshError, ProviderError, ProviderTimeoutError
from modelmesh_cdk.in_process.engine import END, Job
from modelmesh_cdk.provider.provider_errors import provider_error


class Deadline:
    """Remaining time of an attempt. Time in the queue and loading of the model count."""

    def __init__(self, limits: Limits, name: str, *, stream: bool) -> None:
        """Start the clock.

        Args:
            limits: Limits in seconds from now.
            name: Name of the model in messages.
            stream: Whether the response is a stream.
        """
        self._limits, self._name, self._began, self._committed = limits, name, time.monotonic(), False
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
        error = provider_error(FailureClass.TIMEOUT, f"the {self._name} did not {action} within {limit:g} s and was stopped")
        if isinstance(error, ProviderTimeoutError):
            error.timeout_seconds = limit
        return error


class ItemQueue:
    """Queue of a thread that waits for the engine's items."""

    def __init__(self, deadline: Deadline) -> None:
        self._items: SimpleQueue[Any] = SimpleQueue()
        self._deadline = deadline

    def deliver(self, item: Any) -> None:
        """Append an item. The engine calls this method."""
        self._items.put(item)

    def next(self) -> Any:
        """Return the next item, or :data:`~.engine.END`.

        Raises:
            ProviderError: The task failed, or a limit has passed.
        """
        try:
            item = self._items.get(timeout=self._deadline.remaining())
        except Empty:
            raise self._deadline.timeout_error() from None
        return _checked(item)


class AsyncItemQueue:
    """Queue of a task that waits for the engine's items."""

    def __init__(self, deadline: Deadline) -> None:
        self._items: asyncio.Queue[Any] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._deadline = deadline

    def deliver(self, item: Any) -> None:
        """Append an item. The engine calls this method in its thread."""
        self._loop.call_soon_threadsafe(self._items.put_nowait, item)

    async def next(self) -> Any:
        """Return the next item, or :data:`~.engine.END`, as :meth:`ItemQueue.next`."""
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

    def __init__(self, job: Job, headers: Mapping[str, str], adapted: Sequence[str], deadline: Deadline) -> None:
        self.headers = headers
        self.adapted = adapted
        self._job, self._deadline = job, deadline

    def commit(self) -> None:
        """Apply only the limits of gaps and of the total time from now on."""
        self._deadline.commit()


class InProcessStream(_StreamBase):
    """A stream for threads."""

    def __init__(self, queue: ItemQueue, *rest: Any) -> None:
        super().__init__(*rest)
        self._queue = queue

    def __iter__(self) -> Iterator[Any]:
        """Yield items, once."""
        try:
            while (item := self._queue.next()) is not END:
                yield item
        finally:
            self.close()

    def close(self) -> None:
        """Stop the task unless the stream is complete."""
        self._job.stop()


class AsyncInProcessStream(_StreamBase):
    """A stream for asyncio."""

    def __init__(self, queue: AsyncItemQueue, *rest: Any) -> None:
        super().__init__(*rest)
        self._queue = queue

    async def __aiter__(self) -> AsyncIterator[Any]:
        """Yield items, once."""
        try:
            while (item := await self._queue.next()) is not END:
                yield item
        finally:
            self._job.stop()

    async def aclose(self) -> None:
        """Stop the task unless the stream is complete."""
        self._job.stop()
