"""Driver of the request flow for threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import Event, RLock
from typing import Any

from modelmesh._engine.execution.other_relays import make_relay
from modelmesh._engine.execution.provider_result import require_answer, stream_error, to_provider_error
from modelmesh._engine.execution.stream_buffer import StreamBuffer
from modelmesh._engine.execution.stream_drain import drain
from modelmesh._engine.routing import attempt_settlement as settlement
from modelmesh._engine.routing.other_streams import make_progress
from modelmesh._engine.routing.steps import Flow, Opened, Outcome, Send, Served, Totals, Wait
from modelmesh.errors import ProviderError


class SyncDriver:
    """Runs flows in the calling thread."""

    def __init__(
        self,
        lock: RLock,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        publisher: Callable[[dict[str, int]], Totals | None] | None = None,
    ) -> None:
        """Initialize the driver with the effects that a flow may not have.

        Args:
            lock: Held around each step of a flow. Steps are short and pure.
            clock: Returns monotonic time in seconds.
            sleep: Waits for a number of seconds.
            publisher: Publishes the deltas of shared counters, ``None`` without shared counters.
        """
        self.lock = lock
        self._clock = clock
        self._sleep = sleep
        self._publisher = publisher

    def run(self, flow: Flow) -> Served:
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
                    outcome = self._attempt(step)
                elif isinstance(step, Wait):
                    outcome = None
                    self._wait(step)
                else:
                    outcome = self._publisher(step.amounts) if self._publisher else None
        except BaseException:
            with self.lock:
                flow.close()  # after an interrupt this releases the attempt's lease and reservation
            raise

    def _wait(self, step: Wait) -> None:
        """Wait for the step's seconds. A queued request that is granted a place stops waiting early."""
        if step.ticket is None or self._sleep is not time.sleep:  # a virtual clock needs no wake-up
            self._sleep(step.seconds)
            return
        turn = Event()
        with self.lock:
            if step.ticket.granted is not None:
                return
            step.ticket.wake = turn.set
        turn.wait(step.seconds)

    def _attempt(self, step: Send) -> Outcome:
        provider = step.candidate.provider
        try:
            reply = provider.send(step.call, step.candidate.upstream, step.limits)
            if not step.call.stream:
                return require_answer(provider, "send", reply)
            mistake = stream_error(provider, "send", reply)
            return mistake or _open(reply, StreamBuffer(reply, make_progress(step.call), step.stream, self._clock))
        except Exception as error:  # noqa: BLE001 - any exception of a plugin is a failure of the attempt
            return to_provider_error(provider, error)

    def stream(self, served: Served, done: Callable[[Exception | None], None], *, asked_usage: bool) -> Iterator[Any]:
        """Yield the items of an open stream and settle its attempt when it ends, fails or is discarded.

        Args:
            served: The open stream.
            done: Called once with the error of the stream, ``None`` without one.
            asked_usage: Whether the caller requested a usage chunk.

        Raises:
            StreamInterruptedError: The stream failed after content was yielded.
        """
        relay, opened, began = make_relay(served, asked_usage=asked_usage), served.outcome, self._clock()
        assert isinstance(opened, Opened)
        cause: ProviderError | None = None
        ended = False
        try:
            yield from relay.buffered()
            try:
                for chunk in opened.events:
                    if opened.closed:
                        break
                    if relay.pass_text(chunk):
                        yield chunk
                    else:
                        yield from relay.feed(chunk)
            except Exception as error:  # noqa: BLE001 - any exception of a plugin is a failure of the stream
                cause = to_provider_error(served.candidate.provider, error)
            if opened.closed and not opened.progress.complete:
                return  # closed from another thread, so the caller discards it
            with self.lock:
                broken = relay.settle(cause, now=self._clock(), began=began)
            ended = True
            done(broken)  # before the last chunk: many callers stop reading there
        finally:
            try:
                if not ended:
                    drain(opened)
                opened.stream.close()
            finally:
                if not ended:
                    with self.lock:
                        settlement.abandon(served, self._clock())
                    done(None)
        if broken is not None:
            raise broken
        yield from relay.remaining()


def _open(stream: Any, buffer: StreamBuffer) -> Opened | ProviderError:
    try:
        events = iter(stream)
        for chunk in events:
            if buffer.add(chunk):
                return buffer.opened(events)
    except BaseException:
        stream.close()
        raise
    stream.close()
    return buffer.ended(events)
