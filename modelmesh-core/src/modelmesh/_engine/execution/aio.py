"""Driver of the request flow for asyncio, step for step the same as :mod:`.sync`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from functools import partial
from threading import RLock
from typing import Any

from modelmesh._engine.execution.other_relays import make_relay
from modelmesh._engine.execution.provider_result import require_answer, stream_error, to_provider_error
from modelmesh._engine.execution.publish_batch import PublishBatch
from modelmesh._engine.execution.stream_buffer import StreamBuffer
from modelmesh._engine.execution.stream_drain import adrain
from modelmesh._engine.routing import attempt_settlement as settlement
from modelmesh._engine.routing.other_streams import make_progress
from modelmesh._engine.routing.steps import Flow, Opened, Outcome, Send, Served, Totals, Wait
from modelmesh.errors import ModelMeshError, ProviderError


class AsyncDriver:
    """Runs flows in the calling task.

    Attributes:
        lock: Held around each step of a flow, never across an ``await``.
        on_send: Called with each attempt before it is sent, while a live view is open.
    """

    def __init__(
        self,
        lock: RLock,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] | None,
        publisher: Callable[[dict[str, int]], Totals | None] | None = None,
    ) -> None:
        """Initialize the driver with the effects that a flow may not have.

        Args:
            lock: Held around each step of a flow, never across an ``await``.
            clock: Returns monotonic time in seconds.
            sleep: Waits for a number of seconds, by default ``asyncio.sleep``.
            publisher: Publishes the deltas of shared counters, ``None`` without shared counters.
        """
        self.lock = lock
        self.on_send: Callable[[Send], None] | None = None
        self._clock = clock
        self._sleep = asyncio.sleep if sleep is None else sleep
        self._publishing = None if publisher is None else PublishBatch(publisher)

    async def run(self, flow: Flow) -> Served:
        """Drive a flow to its end.

        Raises:
            ModelMeshError: No candidate answered, or the request is wrong.
        """
        outcome: Outcome = None
        try:
            while True:
                with self.lock:
                    try:
                        step = flow.send(outcome)
                    except StopIteration as end:
                        return end.value  # type: ignore[no-any-return]
                if isinstance(step, Send):
                    outcome = await self._attempt(step)
                elif isinstance(step, Wait):
                    outcome = None
                    await self._wait(step)
                else:
                    outcome = await self._publishing.publish(step.amounts) if self._publishing is not None else None
        except BaseException as error:
            try:
                if isinstance(error, ModelMeshError):
                    await asyncio.sleep(0)  # a caller that retries at once must not starve every other task
            finally:
                with self.lock:
                    flow.close()  # after a cancellation this releases the attempt's lease and reservation
            raise

    async def _wait(self, step: Wait) -> None:
        """Wait for the step's seconds. A queued request that is granted a place stops waiting early."""
        if step.ticket is None or self._sleep is not asyncio.sleep:  # a virtual clock needs no wake-up
            await self._sleep(step.seconds)
            return
        loop, turn = asyncio.get_running_loop(), asyncio.Event()
        with self.lock:
            if step.ticket.granted is not None:
                return
            step.ticket.wake = partial(_call_in, loop, turn.set)
        with suppress(TimeoutError):
            await asyncio.wait_for(turn.wait(), step.seconds)

    async def _attempt(self, step: Send) -> Outcome:
        provider = step.candidate.provider
        if self.on_send is not None:
            self.on_send(step)
        try:
            reply = await provider.asend(step.call, step.candidate.upstream, step.limits)
            if not step.call.stream:
                return require_answer(provider, "asend", reply)
            mistake = stream_error(provider, "asend", reply)
            return mistake or await _open(reply, StreamBuffer(reply, make_progress(step.call), step.stream, self._clock))
        except Exception as error:  # noqa: BLE001 - any exception of a plugin is a failure of the attempt
            return to_provider_error(provider, error)

    async def stream(self, served: Served, done: Callable[[Exception | None], None], *, asked_usage: bool) -> AsyncIterator[Any]:
        """Yield the items of :meth:`batches` one by one."""
        async with aclosing(self.batches(served, done, asked_usage=asked_usage)) as batches:
            async for batch in batches:
                for item in batch:
                    yield item

    async def batches(
        self, served: Served, done: Callable[[Exception | None], None], *, asked_usage: bool
    ) -> AsyncGenerator[Sequence[Any]]:
        """Yield the items of an open stream, those that arrived together in one batch.

        The attempt is settled when the stream ends, fails or is discarded.

        Args:
            served: The open stream.
            done: Called once with the error of the stream, ``None`` without one.
            asked_usage: Whether the caller requested a usage chunk.

        Raises:
            StreamInterruptedError: The stream failed after content was yielded.
        """
        relay, opened, began = make_relay(served, asked_usage=asked_usage), served.outcome, self._clock()
        assert isinstance(opened, Opened)
        arrived = getattr(opened.stream, "arrived", None)
        cause: ProviderError | None = None
        ended = False
        try:
            batch = list(relay.buffered())
            if batch:
                yield batch
            while cause is None:
                batch = []
                try:
                    relay.take((await anext(opened.events),), batch)
                    if arrived is not None:
                        relay.take(arrived(), batch)
                except StopAsyncIteration:
                    break
                except Exception as error:  # noqa: BLE001 - any exception of a plugin is a failure of the stream
                    cause = to_provider_error(served.candidate.provider, error)
                if batch:
                    yield batch
            with self.lock:
                broken = relay.settle(cause, now=self._clock(), began=began)
            ended = True
            done(broken)  # before the last chunk: many callers stop reading there
        finally:
            if not ended:
                try:
                    await adrain(opened)
                finally:
                    with self.lock:
                        settlement.abandon(served, self._clock())
                    done(None)
            await opened.stream.aclose()  # a task may be cancelled here, after the stream was counted
        if broken is not None:
            raise broken
        last = relay.remaining()
        if last:
            yield last


def _call_in(loop: asyncio.AbstractEventLoop, function: Callable[[], object]) -> None:
    """Call a function in an event loop from any thread. A closed loop has no waiting request."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(function)


async def _open(stream: Any, buffer: StreamBuffer) -> Opened | ProviderError:
    try:
        events = aiter(stream)
        async for chunk in events:
            if buffer.add(chunk):
                return buffer.opened(events)
    except BaseException:
        await stream.aclose()
        raise
    await stream.aclose()
    return buffer.ended(events)
