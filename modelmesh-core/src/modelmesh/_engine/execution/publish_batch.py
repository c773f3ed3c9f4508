"""Publication of shared counters for concurrent tasks: one exchange with the store serves all that wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeAlias
from weakref import WeakKeyDictionary

from attrs import define, field

from modelmesh._engine.limits.shared_deltas import pop_all
from modelmesh._engine.routing.steps import Totals

Publisher: TypeAlias = Callable[[dict[str, int]], Totals | None]


@define(eq=False)
class _Queue:
    """Requests of one event loop that wait for the next exchange."""

    waiting: list[tuple[dict[str, int], asyncio.Future[Totals | None]]] = field(factory=list)
    is_sending: bool = False


class PublishBatch:
    """Collects the deltas of requests while an exchange is under way, and sends them together in the next one.

    Each request receives the totals that it would have received in an exchange of its own, in the order of arrival: amounts of
    later requests are in ``Totals.later``. So a limit permits as many requests of a batch as fit.
    """

    def __init__(self, publisher: Publisher) -> None:
        """Start without requests.

        Args:
            publisher: Publishes amounts and returns the totals, ``None`` while the store does not reply. It may block, so it is
                called in a thread.
        """
        self._publisher = publisher
        self._queues: WeakKeyDictionary[asyncio.AbstractEventLoop, _Queue] = WeakKeyDictionary()

    async def publish(self, amounts: dict[str, int]) -> Totals | None:
        """Publish amounts with the next exchange. A cancellation before it leaves them in the dictionary."""
        loop = asyncio.get_running_loop()
        queue = self._queues.get(loop)
        if queue is None:
            queue = self._queues[loop] = _Queue()
        reply: asyncio.Future[Totals | None] = loop.create_future()
        queue.waiting.append((amounts, reply))
        if not queue.is_sending:
            queue.is_sending = True
            loop.call_soon(self._send, loop, queue)  # requests that start in the same pass of the loop join
        return await reply

    def _send(self, loop: asyncio.AbstractEventLoop, queue: _Queue) -> None:
        batch = [(dict(pop_all(amounts)), reply) for amounts, reply in queue.waiting if not reply.done()]
        queue.waiting = []
        if not batch:
            queue.is_sending = False
            return
        together: dict[str, int] = {}
        for amounts, _ in batch:
            for name, amount in amounts.items():
                together[name] = together.get(name, 0) + amount
        exchange = loop.run_in_executor(None, self._publisher, together)
        exchange.add_done_callback(partial(self._receive, loop, queue, batch))

    def _receive(
        self,
        loop: asyncio.AbstractEventLoop,
        queue: _Queue,
        batch: list[tuple[dict[str, int], asyncio.Future[Totals | None]]],
        exchange: asyncio.Future[Totals | None],
    ) -> None:
        self._send(loop, queue)
        error = asyncio.CancelledError() if exchange.cancelled() else exchange.exception()
        if error is not None:
            for _, reply in batch:
                if not reply.done():
                    reply.set_exception(error)
            return
        totals, later = exchange.result(), dict[str, int]()
        replies: list[tuple[asyncio.Future[Totals | None], Totals | None]] = []
        for amounts, reply in reversed(batch):
            replies.append((reply, None if totals is None else Totals(totals.by_name, dict(later) if later else {})))
            for name, amount in amounts.items():
                if amount:
                    later[name] = later.get(name, 0) + amount
        for reply, found in reversed(replies):
            if not reply.done():
                reply.set_result(found)
