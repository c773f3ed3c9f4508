"""The driver for asyncio; step for step the same as :mod:`.sync`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from threading import RLock
from typing import Any

from modelmesh._engine.execution.arrived import aread_arrived
from modelmesh._engine.execution.settlement import Hold, Relay, failed, not_a_stream, whole
from modelmesh._engine.routing import flow as flows
from modelmesh._engine.routing.flow import Flow, Opened, Outcome, Post, Send, Served, Totals, Wait
from modelmesh.errors import ModelMeshError, ProviderError


class AsyncDriver:
    """Runs flows in the calling task."""

    def __init__(self, lock: RLock, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> None:
        """Take what a flow may not have itself.

        Args:
            lock: Held around each step of a flow, never across an ``await``.
            clock: Gives monotonic time, seconds.
            sleep: Lets seconds pass.
        """
        self.lock = lock
        self._clock = clock
        self._sleep = sleep
        self.poster: Callable[[dict[str, int]], Totals | None] | None = None

    async def run(self, flow: Flow) -> Served:
        """Drive a flow to its end.

        Raises:
            ModelMeshError: What the flow ends in when nobody answers.
        """
        outcome: Outcome = None
        try:
            while True:
                with self.lock:
                    try:
                        step = flow.send(outcome)
                    except StopIteration as end:
                        return end.value  # type: ignore[no-any-return]
                if isinstance(step, Wait):
                    outcome = None
                    await self._wait(step)
                elif isinstance(step, Post):
                    outcome = await asyncio.to_thread(self.poster, step.amounts) if self.poster else None
                else:
                    outcome = await self._attempt(step)
        except ModelMeshError:
            await asyncio.sleep(0)  # a caller that tries again at once must not keep every other task from its turn
            raise
        finally:
            with self.lock:
                flow.close()  # after a cancellation this gives back what the attempt held

    async def _wait(self, step: Wait) -> None:
        """Let the step's seconds pass; a place that is granted to a queued request ends the wait early."""
        if step.ticket is None or self._sleep is not asyncio.sleep:  # nothing wakes a virtual clock
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
        try:
            reply = await provider.asend(step.call, step.candidate.upstream, step.limits)
            if not step.call.stream:
                return whole(provider, "asend", reply)
            mistake = not_a_stream(provider, "asend", reply)
            return mistake or await _open(reply, Hold(reply, step.stream, self._clock, step.call.payload.get("tools")))
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises is a failure of the attempt
            return failed(provider, error)

    async def relay(
        self, served: Served, done: Callable[[Exception | None], None], *, asked_usage: bool
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield the chunks of an open stream and settle it when it ends, breaks or is left.

        Raises:
            StreamInterruptedError: It broke.
        """
        relay, opened, began = Relay(served, asked_usage=asked_usage), served.outcome, self._clock()
        assert isinstance(opened, Opened)
        cause: ProviderError | None = None
        ended = False
        try:
            for chunk in relay.held():
                yield chunk
            try:
                async for raw in opened.events:
                    for chunk in relay.take(raw):
                        yield chunk
            except Exception as error:  # noqa: BLE001 - whatever a plugin raises is a failure of the stream
                cause = failed(served.candidate.provider, error)
            with self.lock:
                broken = relay.end(cause, now=self._clock(), began=began)
            ended = True
            done(broken)  # before the last chunk: many callers leave when they have that
        finally:
            if not ended:
                try:
                    await aread_arrived(opened)
                finally:
                    with self.lock:
                        flows.abandon(served, self._clock())
                    done(None)
            await opened.stream.aclose()  # here a task may be cancelled: what ended is counted by then
        if broken is not None:
            raise broken
        for chunk in relay.rest():
            yield chunk


def _call_in(loop: asyncio.AbstractEventLoop, function: Callable[[], object]) -> None:
    """Call a function in an event loop from any thread; a loop that was closed has no request that waits."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(function)


async def _open(stream: Any, hold: Hold) -> Opened | ProviderError:
    try:
        events = aiter(stream)
        async for chunk in events:
            if hold.enough(chunk):
                return hold.opened(events)
    except BaseException:
        await stream.aclose()
        raise
    await stream.aclose()
    return hold.ended(events)
