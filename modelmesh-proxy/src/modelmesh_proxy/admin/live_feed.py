"""Live feed of a proxy: attempts as they are sent and end, finished requests and routing events, without prompts.

The feed watches the mesh only while a view is open. Every buffer is bounded.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from attrs import asdict, define

from modelmesh._engine.foundation.attempts import Attempt, AttemptOutcome
from modelmesh._engine.mesh.watching import watch
from modelmesh.contracts.observability import RequestLogEntry, RoutingEvent
from modelmesh_proxy.admin.live_readers import Message, Reader, Readers

if TYPE_CHECKING:
    from modelmesh import ModelMesh
    from modelmesh._engine.routing.steps import Send
    from modelmesh_proxy.services import ProxyServices

MAX_READERS = 20
MAX_HISTORY = 100
"""Finished requests that a new reader gets first, of those that ended while a view was open."""
MAX_RUNNING = 1000
"""Attempts that are followed at the same time."""
TICK = 0.25
"""Seconds between two checks of the running attempts."""
PULSE = 2
"""Ticks between two reports of the counts, which keep an idle connection open."""

_OPEN = (AttemptOutcome.PENDING, AttemptOutcome.STREAMING)


@define(eq=False)
class _Running:
    number: int
    attempt: Attempt
    facts: dict[str, Any]
    outcome: str


class LiveFeed:
    """Publishes what happens in a mesh to every open view."""

    def __init__(self, services: ProxyServices) -> None:
        self._services = services
        self._readers = Readers()
        self._history: deque[Message] = deque(maxlen=MAX_HISTORY)
        self._running: dict[int, _Running] = {}
        self._numbers = itertools.count(1)
        self._stop: Callable[[], None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._others: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        services.on_replaced.append(self._on_replaced)

    @property
    def readers(self) -> int:
        """Number of open views of this process."""
        return self._readers.local

    def join(self) -> Reader | None:
        """Return a new reader, ``None`` when there are :data:`MAX_READERS`."""
        if self.readers >= MAX_READERS:
            return None
        reader = self._add(Reader(), self._history)
        workers = self._services.workers
        if workers is not None and self._others is None:
            self._others = asyncio.ensure_future(workers.follow(self._relay))
        return reader

    def join_remote(self) -> Reader:
        """Return a new reader for another worker."""
        return self._add(Reader(is_remote=True), ())

    def _add(self, reader: Reader, history: Iterable[Message]) -> Reader:
        self._readers.add(reader, (self._counts(), *history, *(("attempt", one.facts) for one in self._running.values())))
        if self._stop is None:
            self._begin()
        return reader

    def leave(self, reader: Reader) -> None:
        """Forget a reader. Without any, the mesh is no longer watched."""
        self._readers.discard(reader)
        if not self.readers and self._others is not None:
            self._others.cancel()
            self._others = None
        if not self._readers:
            self._end()

    def _begin(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = watch(self._services.mesh, self._on_send, self._on_record)
        if self._task is None:
            self._task = self._loop.create_task(self._follow())

    def _end(self) -> None:
        if self._stop is not None:
            self._stop()
        if self._task is not None:
            self._task.cancel()
        self._stop = self._task = None
        self._running.clear()

    def _on_replaced(self, _: ModelMesh) -> None:
        """Watch the new mesh after a reload. Attempts of the earlier one go on to be followed."""
        if self._stop is not None:
            self._stop()
            self._stop = watch(self._services.mesh, self._on_send, self._on_record)

    # -- what the mesh reports --------------------------------------------------------------------------------------

    def _on_send(self, step: Send) -> None:
        if len(self._running) >= MAX_RUNNING:
            return
        call, attempt, number = step.call, step.attempt, next(self._numbers)
        facts = {
            "id": f"{os.getpid()}-{number}",
            "began_at": time.time(),
            "number": attempt.number,
            "operation": (call.native or call).operation.name,
            "requested": call.pool,
            "streams": call.stream,
            "provider": attempt.provider_id,
            "model": attempt.model_id,
            "reason": attempt.reason,
            "outcome": attempt.outcome.value,
        }
        self._running[number] = _Running(number, attempt, facts, attempt.outcome)
        self._readers.publish(("attempt", facts))

    def _on_record(self, record: RoutingEvent | RequestLogEntry) -> None:
        if self._loop is None:
            return
        kind = "event" if isinstance(record, RoutingEvent) else "request"
        facts = asdict(record)
        facts.pop("request_payload", None)
        facts.pop("response_payload", None)
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._record, (kind, facts))

    def _record(self, message: Message) -> None:
        self._look()  # an attempt ends before its request
        self._history.append(message)
        self._readers.publish(message)

    def _relay(self, kind: str, facts: dict[str, Any]) -> None:
        """Pass on what another worker reports."""
        message = kind, facts
        if kind in ("request", "event"):
            self._history.append(message)
        self._readers.publish(message, to_remote=False)

    # -- what the readers get ---------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        for tick in itertools.count():
            await asyncio.sleep(TICK)
            self._look()
            if tick % PULSE == 0:
                self._readers.publish(self._counts())
            if self._services.draining:
                self._readers.publish(None)

    def _look(self) -> None:
        """Publish what changed in the running attempts."""
        for one in list(self._running.values()):
            attempt = one.attempt
            if attempt.outcome == one.outcome:
                continue
            one.outcome = attempt.outcome
            changed = {"outcome": attempt.outcome.value, "ms": attempt.ms, "status": attempt.status}
            changed |= {"failure": attempt.failure and str(attempt.failure), "cost_usd": attempt.cost}
            one.facts = {**one.facts, **changed}
            if attempt.outcome not in _OPEN:
                del self._running[one.number]
            self._readers.publish(("attempt", one.facts))

    def _counts(self) -> Message:
        return "counts", {"process": os.getpid(), "requests_running": max(0, self._services.in_flight - self.readers)}


def feed_of(services: ProxyServices) -> LiveFeed:
    """Return the live feed of a proxy, which the first view creates."""
    if services.live_feed is None:
        services.live_feed = LiveFeed(services)
    feed: LiveFeed = services.live_feed
    return feed
