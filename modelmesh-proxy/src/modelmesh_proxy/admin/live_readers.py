"""Readers of the live feed: bounded queues of messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any

from attrs import define, field

MAX_WAITING = 1000
"""Messages that wait for one reader."""

Message = tuple[str, dict[str, Any]]


@define(eq=False)
class Reader:
    """One open view.

    Attributes:
        queue: Messages that it has not read. ``None`` is the end.
        is_remote: Whether it is another worker, which gets the messages of this process alone.
        on_drop: Called when the reader is too slow.
    """

    queue: asyncio.Queue[Message | None] = field(factory=lambda: asyncio.Queue(MAX_WAITING))
    on_drop: Callable[[], object] = field(default=lambda: None)
    is_remote: bool = False

    async def serve(self, sending: Coroutine[Any, Any, None], leaving: Coroutine[Any, Any, Any]) -> None:
        """Send until the reader leaves or is dropped, or until the feed ends.

        Args:
            sending: Sends the messages of the queue, up to its end.
            leaving: Ends when the reader leaves.
        """
        sender, leaver = asyncio.ensure_future(sending), asyncio.ensure_future(leaving)
        self.on_drop = sender.cancel
        try:
            await asyncio.wait((sender, leaver), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sender, leaver):
                task.cancel()
                with suppress(asyncio.CancelledError, OSError):
                    await task


class Readers:
    """The open views. A reader that is too slow is dropped."""

    def __init__(self) -> None:
        self._readers: set[Reader] = set()

    def __bool__(self) -> bool:
        return bool(self._readers)

    @property
    def local(self) -> int:
        """Number of open views of this process."""
        return sum(not reader.is_remote for reader in self._readers)

    def add(self, reader: Reader, first: Iterable[Message]) -> None:
        """Add a reader, which gets some messages first."""
        self._readers.add(reader)
        for message in first:
            with suppress(asyncio.QueueFull):
                reader.queue.put_nowait(message)

    def discard(self, reader: Reader) -> None:
        """Remove a reader."""
        self._readers.discard(reader)

    def publish(self, message: Message | None, *, to_remote: bool = True) -> None:
        """Send a message to every reader, or only to those of this process. ``None`` is the end."""
        for reader in list(self._readers):
            if reader.is_remote and not to_remote:
                continue
            try:
                reader.queue.put_nowait(message)
            except asyncio.QueueFull:
                self._readers.discard(reader)
                reader.on_drop()
