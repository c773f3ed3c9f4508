"""Waiting for an answer, in a thread or in a task, no longer than its limits allow."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any

from modelmesh.contracts import FailureClass
from modelmesh.contracts.call import Limits
from modelmesh.errors import ModelMeshError, ProviderError, ProviderTimeoutError
from modelmesh_cdk import provider_error
from modelmesh_connector_local.answers import Chunks
from modelmesh_connector_local.engine import END, Generation


class Patience:
    """How long an attempt may still take; the wait for its turn and for the model to load counts."""

    def __init__(self, limits: Limits, *, stream: bool) -> None:
        """Begin to count.

        Args:
            limits: Seconds, from now.
            stream: Whether the answer is handed over piece by piece.
        """
        self._limits, self._began, self._committed = limits, time.monotonic(), False
        self._phase = limits.first_content if stream else limits.answer

    def commit(self) -> None:
        """From now on only pauses and the whole are limited."""
        self._committed = True

    def left(self) -> float:
        """Return the seconds until the nearest limit; none when it has passed."""
        gone = time.monotonic() - self._began
        total = self._limits.total - gone
        return max(0.0, min(total, self._limits.gap if self._committed else self._phase - gone))

    def over(self) -> ProviderError:
        """Return the error of a limit that has passed."""
        limit = self._limits.gap if self._committed else self._phase
        if time.monotonic() - self._began >= self._limits.total:
            limit = self._limits.total
        what = "gone on" if self._committed else "answered"
        made = provider_error(FailureClass.TIMEOUT, f"the local model has not {what} within {limit:g} s; its work was stopped")
        if isinstance(made, ProviderTimeoutError):
            made.timeout_seconds = limit
        return made


class Inbox:
    """Where a thread waits for what the engine delivers."""

    def __init__(self, patience: Patience) -> None:
        self._items: SimpleQueue[Any] = SimpleQueue()
        self._patience = patience

    def deliver(self, item: Any) -> None:
        """Put something in; called by the engine."""
        self._items.put(item)

    def next(self) -> Any:
        """Return the next chunk, or :data:`~.engine.END`.

        Raises:
            ProviderError: The generation failed, or a limit has passed.
        """
        try:
            item = self._items.get(timeout=self._patience.left())
        except Empty:
            raise self._patience.over() from None
        return _checked(item)


class AsyncInbox:
    """Where a task waits for it."""

    def __init__(self, patience: Patience) -> None:
        self._items: asyncio.Queue[Any] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._patience = patience

    def deliver(self, item: Any) -> None:
        """Put something in; called by the engine, in its own thread."""
        self._loop.call_soon_threadsafe(self._items.put_nowait, item)

    async def next(self) -> Any:
        """Return the next chunk, or :data:`~.engine.END`; otherwise as :meth:`Inbox.next`."""
        try:
            async with asyncio.timeout(self._patience.left()):
                item = await self._items.get()
        except TimeoutError:
            raise self._patience.over() from None
        return _checked(item)


def _checked(item: Any) -> Any:
    if isinstance(item, ModelMeshError):
        raise item
    return item


class _Open:
    """What both kinds of stream know."""

    def __init__(self, generation: Generation, chunks: Chunks, adapted: Sequence[str], patience: Patience) -> None:
        self.headers: Mapping[str, str] = {}
        self.adapted = adapted
        self._generation, self._chunks = generation, chunks
        self.commit: Callable[[], None] = patience.commit


class LocalStream(_Open):
    """A stream for threads."""

    def __init__(self, inbox: Inbox, *rest: Any) -> None:
        super().__init__(*rest)
        self._inbox = inbox

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield chunks, once."""
        try:
            while (item := self._inbox.next()) is not END:
                yield from self._chunks.take(item)
            yield from self._chunks.rest()
        finally:
            self.close()

    def close(self) -> None:
        """Stop the model, unless it has ended."""
        self._generation.stop()


class AsyncLocalStream(_Open):
    """A stream for asyncio."""

    def __init__(self, inbox: AsyncInbox, *rest: Any) -> None:
        super().__init__(*rest)
        self._inbox = inbox

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        """Yield chunks, once."""
        try:
            while (item := await self._inbox.next()) is not END:
                for chunk in self._chunks.take(item):
                    yield chunk
            for chunk in self._chunks.rest():
                yield chunk
        finally:
            self._generation.stop()

    async def aclose(self) -> None:
        """Stop the model, unless it has ended."""
        self._generation.stop()
