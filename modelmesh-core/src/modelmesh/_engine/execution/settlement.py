"""How an attempt's end is told to the flow; shared by both drivers, so that they cannot differ."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterator
from typing import Any

from modelmesh._engine.foundation.failures import RULES, FailureClass
from modelmesh._engine.health.retry_policy import Commit, StreamPolicy
from modelmesh._engine.plugins import attribution as authors
from modelmesh._engine.routing import final_errors as verdicts
from modelmesh._engine.routing import flow
from modelmesh._engine.routing.flow import Opened, Served
from modelmesh._engine.routing.stream_progress import HOLD_EVENTS, Progress
from modelmesh._engine.routing.usages import sound_usage
from modelmesh.contracts.conversation import StreamMarker
from modelmesh.contracts.provider import Answer
from modelmesh.errors import BrokenConnectorError, ProviderError, StreamInterruptedError

_log = logging.getLogger("modelmesh.connectors")
_told: set[tuple[str, str]] = set()
_STREAM = ("headers", "adapted", "commit")


def failed(provider: Any, error: Exception) -> ProviderError:
    """Return what an attempt failed with: the connector's word for it, or the mistake that another exception is."""
    if isinstance(error, ProviderError):
        if isinstance(getattr(error, "failure", None), FailureClass):
            return without_frames(_heard(error) if isinstance(error, BrokenConnectorError) else error)
        rule = (
            f"raised an error without a class of failure ({authors.what(error, provider)}). Say which one it is: "
            "ProviderError(message, failure=FailureClass.SERVER), or modelmesh_cdk.provider.failures.failure(…)."
        )
        return _heard(authors.broken(provider, rule, authors.where_raised(error, provider), cause=type(error).__name__))
    return _heard(authors.raised(provider, error))


def whole(provider: Any, method: str, reply: Any) -> Answer | ProviderError:
    """Return a whole answer, or the mistake of a connector that gave something else."""
    if isinstance(reply, Answer):
        return reply
    right = "modelmesh.contracts.Answer(body), or an open stream when call.stream"
    rule = f"returned {_kind(reply)} from {method}(). It must return {right}."
    return _heard(authors.broken(provider, rule, authors.where_of(provider, method)))


def not_a_stream(provider: Any, method: str, reply: Any) -> ProviderError | None:
    """Return the mistake of a connector that gave no stream where one was asked for, ``None`` when it is one."""
    asked = (*_STREAM, "close", "__iter__") if method == "send" else (*_STREAM, "aclose", "__aiter__")
    lacking = [name for name in asked if not hasattr(reply, name)]
    if not lacking:
        return None
    rule = (
        f"returned {_kind(reply)} from {method}() for a call that streams; it lacks {', '.join(lacking)}. A stream must have "
        f"{', '.join(asked)}: see modelmesh.contracts.EventStream."
    )
    return _heard(authors.broken(provider, rule, authors.where_of(provider, method)))


def _kind(value: Any) -> str:
    if inspect.iscoroutine(value):
        value.close()  # nobody will await it
        return "a coroutine"
    return "None" if value is None else f"a value of type {type(value).__name__}"


def _heard(error: BrokenConnectorError) -> BrokenConnectorError:
    """Log a mistake, once for each place: the next model may answer, and nobody would hear of it."""
    key = (error.connector_id, error.place)
    if key not in _told:
        _told.add(key)
        _log.warning("%s", error.message)
    return error


def without_frames(error: ProviderError) -> ProviderError:
    """Drop the frames below: their locals hold headers with keys."""
    error.__traceback__ = error.__context__ = None
    return error


class Hold:
    """Holds a stream back as long as its pool wants it held: until it has content, for a while more, or to its end."""

    __slots__ = ("_clock", "_policy", "_since", "_stream", "chunks", "progress")

    def __init__(self, stream: Any, policy: StreamPolicy, clock: Callable[[], float], tools: Any = None) -> None:
        self.chunks: list[dict[str, Any]] = []
        self.progress = Progress(tools)
        self._stream, self._policy, self._clock = stream, policy, clock
        self._since: float | None = None

    def enough(self, chunk: Any) -> bool:
        """Take one chunk; ``True`` when what is held may be handed over.

        Only content commits a stream: a vendor that keeps the connection alive with empty deltas has said nothing yet.
        """
        if not isinstance(chunk, dict):
            message = f"a chunk is a {type(chunk).__name__}, not a dict in OpenAI's shape"
            raise TypeError(message)
        progress = self.progress
        if progress.feed(chunk) and (progress.has_content or len(self.chunks) < HOLD_EVENTS):
            self.chunks.append(chunk)
        if not progress.has_content:
            return False
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
            return verdicts.no_answer("its stream ended without a finish reason", self.progress.usage)
        return verdicts.no_answer("its stream ended before any content", self.progress.usage)


class Relay:
    """What passes from an open stream to the caller, chunk by chunk, and how it ends.

    Usage stands on the finish chunk and on no other. A caller who asked for it gets a chunk of its own at the end, as OpenAI
    sends it, wherever the vendor puts it.
    """

    __slots__ = ("_asked_usage", "_finish", "_last", "_marker", "_model", "_opened", "_served")

    def __init__(self, served: Served, *, asked_usage: bool) -> None:
        assert isinstance(served.outcome, Opened)
        self._served = served
        self._opened = served.outcome
        self._asked_usage = asked_usage
        self._model = served.candidate.model_id
        self._marker = StreamMarker(served.candidate.provider.id)
        self._finish: dict[str, Any] | None = None
        self._last: dict[str, Any] = {}

    def held(self) -> Iterator[dict[str, Any]]:
        """Yield what was read before the stream was handed over."""
        for chunk in self._opened.held:
            yield from self._shape(chunk)

    def take(self, chunk: Any) -> Iterator[dict[str, Any]] | tuple[dict[str, Any], ...]:
        """Take a chunk from the stream; return what goes to the caller now."""
        if not isinstance(chunk, dict):
            message = f"a chunk is a {type(chunk).__name__}, not a dict in OpenAI's shape"
            raise TypeError(message)
        return self._shape(chunk) if self._opened.progress.feed(chunk) else ()

    def _shape(self, chunk: dict[str, Any]) -> tuple[dict[str, Any], ...]:
        """Take usage off a chunk, and keep the finish chunk back: usage may follow in a chunk of its own."""
        chunk["model"] = self._model
        self._marker.mark(chunk)
        self._last = chunk
        choices, finish = chunk.get("choices"), self._finish
        if chunk.get("usage"):
            if not choices or (finish is not None and not any(map(_says_more, choices))):
                return ()
            chunk["usage"] = None
        ends = choices is not None and bool(choices) and choices[0].get("finish_reason") is not None
        if finish is None and not ends:
            return (chunk,)
        self._finish = chunk if ends else None
        passed = () if finish is None else (finish,)
        return passed if ends else (*passed, chunk)

    def rest(self) -> tuple[dict[str, Any], ...]:
        """What is left to hand over when the stream has ended."""
        finish, self._finish, usage = self._finish, None, self._opened.progress.usage
        left = () if finish is None else (finish,)
        if usage is None:
            return left
        if self._asked_usage:
            last = self._last
            kept = last if not last.get("choices") else {name: last[name] for name in _NAMED if name in last}
            return (*left, {**kept, "choices": [], "usage": usage})
        if finish is not None:
            finish["usage"] = usage
        return left

    def end(self, error: ProviderError | None, *, now: float, began: float) -> StreamInterruptedError | None:
        """Settle the stream; return the error the caller gets, ``None`` when the answer was whole."""
        progress = self._opened.progress
        if progress.usage is None and error is not None:
            progress.usage = sound_usage(error.usage)  # some vendors send it together with the error
        if progress.complete:
            flow.settle(self._served, usage=progress.usage, output=progress.output.tokens, now=now, seconds=now - began)
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


_NAMED = ("id", "object", "created", "model")


def _says_more(choice: Any) -> bool:
    """Return whether a choice after the finish chunk has content."""
    return choice.get("finish_reason") is not None or any(value for name, value in choice["delta"].items() if name != "role")
