"""The driver for threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import Event, RLock
from typing import Any

from modelmesh._engine.execution.arrived import read_arrived
from modelmesh._engine.execution.settlement import Hold, Relay, failed, not_a_stream, whole
from modelmesh._engine.routing import flow as flows
from modelmesh._engine.routing.flow import Flow, Opened, Outcome, Post, Send, Served, Totals, Wait
from modelmesh.errors import ProviderError


class SyncDriver:
    """Runs flows in the calling thread."""

    def __init__(self, lock: RLock, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        """Take what a flow may not have itself.

        Args:
            lock: Held around each step of a flow; steps are short and pure.
            clock: Gives monotonic time, seconds.
            sleep: Lets seconds pass.
        """
        self.lock = lock
        self._clock = clock
        self._sleep = sleep
        self.poster: Callable[[dict[str, int]], Totals | None] | None = None

    def run(self, flow: Flow) -> Served:
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
                    self._wait(step)
                elif isinstance(step, Post):
                    outcome = self.poster(step.amounts) if self.poster else None
                else:
                    outcome = self._attempt(step)
        finally:
            with self.lock:
                flow.close()  # after an interrupt this gives back what the attempt held

    def _wait(self, step: Wait) -> None:
        """Let the step's seconds pass; a place that is granted to a queued request ends the wait early."""
        if step.ticket is None or self._sleep is not time.sleep:  # nothing wakes a virtual clock
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
                return whole(provider, "send", reply)
            mistake = not_a_stream(provider, "send", reply)
            return mistake or _open(reply, Hold(reply, step.stream, self._clock, step.call.payload.get("tools")))
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises is a failure of the attempt
            return failed(provider, error)

    def relay(self, served: Served, done: Callable[[Exception | None], None], *, asked_usage: bool) -> Iterator[dict[str, Any]]:
        """Yield the chunks of an open stream and settle it when it ends, breaks or is left.

        Raises:
            StreamInterruptedError: It broke.
        """
        relay, opened, began = Relay(served, asked_usage=asked_usage), served.outcome, self._clock()
        assert isinstance(opened, Opened)
        cause: ProviderError | None = None
        ended = False
        try:
            yield from relay.held()
            try:
                for chunk in opened.events:
                    if opened.left:
                        break
                    yield from relay.take(chunk)
            except Exception as error:  # noqa: BLE001 - whatever a plugin raises is a failure of the stream
                cause = failed(served.candidate.provider, error)
            if opened.left and not opened.progress.complete:
                return  # closed from another thread: the caller's own end of it
            with self.lock:
                broken = relay.end(cause, now=self._clock(), began=began)
            ended = True
            done(broken)  # before the last chunk: many callers leave when they have that
        finally:
            try:
                if not ended:
                    read_arrived(opened)
                opened.stream.close()
            finally:
                if not ended:
                    with self.lock:
                        flows.abandon(served, self._clock())
                    done(None)
        if broken is not None:
            raise broken
        yield from relay.rest()


def _open(stream: Any, hold: Hold) -> Opened | ProviderError:
    try:
        events = iter(stream)
        for chunk in events:
            if hold.enough(chunk):
                return hold.opened(events)
    except BaseException:
        stream.close()
        raise
    stream.close()
    return hold.ended(events)
