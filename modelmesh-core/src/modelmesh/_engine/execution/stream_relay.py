"""Relay of an open stream's items to the caller, and the settlement at its end.

The last item is delayed until the attempt is settled: many callers stop reading there. Usage is on the finish chunk and on no
other. A caller that requested usage gets it in a separate last chunk, as OpenAI sends it, wherever the vendor puts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from modelmesh._engine.foundation.failure_rules import RULES
from modelmesh._engine.foundation.failures import FailureClass
from modelmesh._engine.routing import attempt_settlement as settlement
from modelmesh._engine.routing import final_errors
from modelmesh._engine.routing.steps import Opened, Served
from modelmesh._engine.routing.stream_progress import Progress
from modelmesh._engine.routing.usage_check import valid_usage
from modelmesh.contracts.conversation import StreamMarker
from modelmesh.contracts.text_chunk import TextChunk
from modelmesh.errors import ProviderError, StreamInterruptedError


class StreamRelay:
    """Base of the relays: settles the attempt. Both drivers share them and only iterate."""

    __slots__ = ("_model", "_opened", "_progress", "_served")

    def __init__(self, served: Served) -> None:
        assert isinstance(served.outcome, Opened)
        self._served = served
        self._opened = served.outcome
        self._progress = served.outcome.progress
        self._model = served.candidate.model_id

    def buffered(self) -> Iterator[Any]:
        """Yield the items that were read before the stream was committed."""
        for item in self._opened.buffered:
            yield from self._shape(item)

    def take(self, items: Iterable[Any], passed: list[Any]) -> None:
        """Take items from the stream and add the items that go to the caller now."""
        for item in items:
            if self.pass_text(item):
                passed.append(item)
            else:
                passed += self.feed(item)

    def pass_text(self, item: Any) -> bool:
        """Take an item that needs no further rule, and return whether it goes to the caller. Any other goes to :meth:`feed`."""
        return False

    def feed(self, item: Any) -> tuple[Any, ...]:
        """Take one item from the stream and return the items that go to the caller now.

        Raises:
            TypeError: The item is of the wrong type for this kind of stream.
        """
        self._progress.check_type(item)
        return self._shape(item) if self._progress.feed(item) else ()

    def _shape(self, item: Any) -> tuple[Any, ...]:
        """Return the items that go to the caller for one item of the stream."""
        return (item,)

    def remaining(self) -> tuple[Any, ...]:
        """Return the delayed items after the end of the stream."""
        return ()

    def settle(self, error: ProviderError | None, *, now: float, began: float) -> StreamInterruptedError | None:
        """Settle the attempt of an ended stream.

        Args:
            error: The failure that ended the stream, ``None`` for a stream that ended by itself.
            now: The time.
            began: When the relay began.

        Returns:
            The error that the caller gets, ``None`` when the answer is complete.
        """
        progress = self._progress
        if error is None:
            progress.end()
        if progress.usage is None and error is not None:
            progress.usage = valid_usage(error.usage)  # some vendors send usage together with the error
        if progress.complete:
            settlement.settle(self._served, usage=progress.usage, output=progress.output.tokens, now=now, seconds=now - began)
            return None
        cause = error or final_errors.bad_response(progress.missing_end)
        settlement.interrupt(self._served, cause, now=now)
        candidate = self._served.candidate
        return StreamInterruptedError(
            f"{candidate} broke off its answer after {progress.extent}: {cause.message}. {_RECEIVED if progress.text else ''}"
            "No other model continues it. Send the request again for a complete answer.",
            failure=cause.failure,
            provider_id=candidate.provider_id,
            model_id=candidate.model_id,
            status=cause.status,
            code=cause.code,
            request_id=cause.request_id,
            billed=RULES[FailureClass.DISCONNECT].billed,
            partial_text=progress.text,
            partial_tool_calls=tuple(progress.tool_calls),
            usage=progress.usage,
            attempts=tuple(self._served.attempts),
        )


_RECEIVED = "The received text is in partial_text. "


class ChunkRelay(StreamRelay):
    """Normalizes the chunks of chat completions and of legacy completions."""

    __slots__ = ("_asked_usage", "_finish", "_last", "_marker")

    _progress: Progress

    def __init__(self, served: Served, *, asked_usage: bool) -> None:
        super().__init__(served)
        self._asked_usage = asked_usage
        self._marker = StreamMarker(served.candidate.provider.id)
        self._finish: dict[str, Any] | None = None
        self._last: dict[str, Any] | TextChunk = {}

    def pass_text(self, chunk: Any) -> bool:
        """Take a chunk of text, to which no rule but that of its model applies, and return whether it goes to the caller.

        Any other chunk goes to :meth:`feed`.
        """
        if chunk.__class__ is TextChunk and self._finish is None:
            self._progress.feed_text_chunk(chunk)
            self._last = chunk
            return True
        if chunk.__class__ is not dict or self._finish is not None or not self._progress.feed_text(chunk):
            return False
        chunk["model"] = self._model
        self._last = chunk
        return True

    def feed(self, item: Any) -> tuple[Any, ...]:
        """Take one chunk from the stream and return the chunks that go to the caller now."""
        return super().feed(item.to_dict() if item.__class__ is TextChunk else item)

    def _shape(self, chunk: Any) -> tuple[Any, ...]:
        """Remove usage from a chunk, and delay the finish chunk: usage may follow in a chunk of its own."""
        if chunk.__class__ is TextChunk:  # before the stream was committed, where no choice has ended
            if self._finish is None:
                self._last = chunk
                return (chunk,)
            chunk = chunk.to_dict()
        chunk["model"] = self._model
        self._marker.mark(chunk)
        self._last = chunk
        choices, finish = chunk.get("choices"), self._finish
        if chunk.get("usage"):
            if not choices or (finish is not None and not any(map(_has_content, choices))):
                return ()
            chunk["usage"] = None
        ends = choices is not None and bool(choices) and choices[0].get("finish_reason") is not None
        if finish is None and not ends:
            return (chunk,)
        self._finish = chunk if ends else None
        passed = () if finish is None else (finish,)
        return passed if ends else (*passed, chunk)

    def remaining(self) -> tuple[dict[str, Any], ...]:
        """Return the delayed chunks after the end of the stream."""
        finish, self._finish, usage = self._finish, None, self._progress.usage
        left = () if finish is None else (finish,)
        if usage is None:
            return left
        if self._asked_usage:
            last = {**self._last.to_dict(), "model": self._model} if isinstance(self._last, TextChunk) else self._last
            kept = last if not last.get("choices") else {name: last[name] for name in _HEAD if name in last}
            return (*left, {**kept, "choices": [], "usage": usage})
        if finish is not None:
            finish["usage"] = usage
        return left


_HEAD = ("id", "object", "created", "model")


def _has_content(choice: Any) -> bool:
    """Return whether a choice after the finish chunk has content."""
    if choice.get("finish_reason") is not None or choice.get("text"):
        return True
    return any(value for name, value in (choice.get("delta") or {}).items() if name != "role")
