"""How an attempt's end is told to the flow; shared by both drivers, so that they cannot differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from modelmesh.errors import ProviderError, StreamInterruptedError
from modelmesh.routing import flow, verdicts
from modelmesh.routing.classes import RULES, FailureClass
from modelmesh.routing.flow import Opened, Served
from modelmesh.routing.policy import Commit, StreamPolicy
from modelmesh.routing.progress import HOLD_EVENTS, Progress


def broken_connector(provider: Any, error: Exception) -> ProviderError:
    """Turn what a connector should not have raised into a failure of the attempt."""
    name = f"{type(provider).__module__}.{type(provider).__qualname__}"
    place = _innermost_line(error)
    failure = ProviderError(
        f"the connector {name} raised {type(error).__name__}: {error} (at {place}). A connector may only raise ProviderError "
        "from send(), asend() and its hooks; report this to its author.",
        failure=FailureClass.BROKEN,
        billed="unknown",
    )
    failure.details["cause"] = type(error).__name__
    return failure


def _innermost_line(error: Exception) -> str:
    trace, place = error.__traceback__, "an unknown place"
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def without_frames(error: ProviderError) -> ProviderError:
    """Drop the frames below: their locals hold headers with keys."""
    error.__traceback__ = error.__context__ = None
    return error


class Hold:
    """Holds a stream back as long as its pool wants it held: until it has content, for a while more, or to its end."""

    __slots__ = ("_clock", "_policy", "_since", "_stream", "chunks", "progress")

    def __init__(self, stream: Any, policy: StreamPolicy, clock: Callable[[], float]) -> None:
        self.chunks: list[dict[str, Any]] = []
        self.progress = Progress()
        self._stream, self._policy, self._clock = stream, policy, clock
        self._since: float | None = None

    def enough(self, chunk: dict[str, Any]) -> bool:
        """Take one chunk; ``True`` when what is held may be handed over."""
        self.progress.feed(chunk)
        self.chunks.append(chunk)
        if not self.progress.has_content:
            return len(self.chunks) >= HOLD_EVENTS and self._policy.commit is not Commit.COMPLETE
        if self._since is None:
            self._since = self._clock()
            self._stream.commit()  # the first-content limit is kept, whenever it is handed over
        if self._policy.commit is Commit.FIRST_CONTENT:
            return True
        if self._policy.commit is Commit.COMPLETE:
            return False
        return len(self.chunks) > self._policy.tokens or self._clock() - self._since >= self._policy.seconds

    def opened(self, events: Any) -> Opened:
        """The outcome of a stream that may be handed over."""
        return Opened(self._stream, events, self.chunks, self.progress)

    def ended(self, events: Any) -> Opened | ProviderError:
        """The outcome of a stream that ended while it was held back: an answer only when it is whole."""
        if self.progress.complete and self.progress.has_content:
            return self.opened(events)
        if self.progress.has_content:
            return verdicts.no_answer("its stream ended without a finish reason")
        return verdicts.no_answer("its stream ended before any content")


class Relay:
    """What passes from an open stream to the caller, chunk by chunk, and how it ends."""

    __slots__ = ("_asked_usage", "_finish", "_model", "_opened", "_served")

    def __init__(self, served: Served, *, asked_usage: bool) -> None:
        assert isinstance(served.outcome, Opened)
        self._served = served
        self._opened = served.outcome
        self._asked_usage = asked_usage
        self._model = served.candidate.model_id
        self._finish: dict[str, Any] | None = None

    def held(self) -> Iterator[dict[str, Any]]:
        """Yield what was read before the stream was handed over."""
        for chunk in self._opened.held:
            yield from self._shape(chunk)

    def take(self, chunk: dict[str, Any]) -> Iterator[dict[str, Any]] | tuple[dict[str, Any], ...]:
        """Take a chunk from the stream; return what goes to the caller now."""
        self._opened.progress.feed(chunk)
        return self._shape(chunk)

    def _shape(self, chunk: dict[str, Any]) -> tuple[dict[str, Any], ...]:
        """Put usage on the finish chunk, unless the caller asked for a chunk of its own as OpenAI sends it."""
        chunk["model"] = self._model
        if self._asked_usage:
            return (chunk,)
        choices, finish = chunk.get("choices"), self._finish
        if finish is None:
            if choices and choices[0].get("finish_reason") is not None:
                self._finish = chunk  # usage may follow in a chunk of its own
                return ()
            return (chunk,)
        if not choices and chunk.get("usage"):
            finish["usage"] = chunk["usage"]
            return ()
        self._finish = None
        return (finish, *self._shape(chunk))

    def rest(self) -> tuple[dict[str, Any], ...]:
        """What is left to hand over when the stream has ended."""
        finish, self._finish = self._finish, None
        return () if finish is None else (finish,)

    def end(self, error: ProviderError | None, *, now: float, began: float) -> StreamInterruptedError | None:
        """Settle the stream; return the error the caller gets, ``None`` when the answer was whole."""
        progress = self._opened.progress
        if progress.complete:
            flow.settle(self._served, usage=progress.usage, now=now, seconds=now - began)
            return None
        cause = error or verdicts.no_answer("its stream ended without a finish reason")
        flow.interrupt(self._served, cause, now=now)
        candidate = self._served.candidate
        return StreamInterruptedError(
            f"{candidate} broke off its answer after {len(progress.text)} characters: {cause.message}. What was received is in "
            "partial_text; ask again for a whole answer. No other model was asked to go on from here.",
            failure=cause.failure,
            provider_id=candidate.provider_id,
            model_id=candidate.model_id,
            status=cause.status,
            code=cause.code,
            request_id=cause.request_id,
            billed=RULES[FailureClass.AMBIGUOUS].billed,
            partial_text=progress.text,
            partial_tool_calls=tuple(progress.tool_calls),
            usage=progress.usage,
            attempts=tuple(self._served.attempts),
        )
