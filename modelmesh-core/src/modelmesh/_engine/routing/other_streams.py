"""State of the streams that are not chat completions: legacy completions, events, and bytes.

Each kind states when content has arrived, so that failover is over, and what proves the end of the answer. A stream without that
proof is an interruption, never an answer.
"""

from __future__ import annotations

from typing import Any

from modelmesh._engine.routing import final_errors
from modelmesh._engine.routing.event_check import check_event
from modelmesh._engine.routing.event_failures import FAILED_EVENTS, event_failure
from modelmesh._engine.routing.message_check import InvalidPart, finish_reason, wrong_type
from modelmesh._engine.routing.reported_usage import in_chat_format
from modelmesh._engine.routing.stream_progress import MAX_EMPTY_CHUNKS, Progress, StreamProgress
from modelmesh.contracts.call import Call
from modelmesh.contracts.operations import Operation, StreamKind

_KEEP_ALIVES = frozenset({"ping", "keepalive"})
_OPENERS = (".added", ".in_progress", ".searching", ".created", ".queued", "_start")
"""Endings of the types of events that announce a part without any of its content."""


def make_progress(call: Call) -> StreamProgress:
    """Return the state of the stream that a call opens."""
    kind = call.stream_kind
    if kind is StreamKind.CHUNKS:
        return Progress(call.payload.get("tools"))
    if kind is StreamKind.TEXTS:
        return TextProgress()
    return ByteProgress() if kind is StreamKind.BYTES else EventProgress(call.operation)


class TextProgress(Progress):
    """Reads the chunks of a legacy completion, with ``text`` in each choice."""

    __slots__ = ()

    def _feed_choice(self, choice: Any) -> None:
        index, text = _repaired(choice)
        if text:
            self.output.add_text(text)
            if not index:
                self._text.append(text)
        reason = choice["finish_reason"] = finish_reason(choice)
        if reason is not None:
            self._open.discard(index)
            self._ended.add(index)
        elif text or index not in self._ended:
            self._open.add(index)
        if text or reason is not None:
            self.has_content = True


def _repaired(choice: Any) -> tuple[int, str]:
    """Replace a null index or text, and return both.

    Raises:
        InvalidPart: The choice, its index or its text is of the wrong type.
    """
    if choice.__class__ is not dict:
        raise wrong_type("a choice", choice, "an object")
    index, text = choice.get("index"), choice.get("text")
    if index is None:
        index = choice["index"] = 0
    elif index.__class__ is not int or index < 0:
        raise InvalidPart("the index of a choice is not a non-negative integer")
    if text is None:
        text = choice["text"] = ""
    elif text.__class__ is not str:
        raise wrong_type("the text of a choice", text, "text")
    return index, text


class EventProgress(StreamProgress):
    """Reads events with a ``type``. The last event of its operation proves the end, and may report usage."""

    __slots__ = ("_count", "_final", "_is_ended", "_operation", "_reported")

    def __init__(self, operation: Operation) -> None:
        """Start without content.

        Args:
            operation: The operation whose events are read. One without ``final_events`` ends with its body.
        """
        super().__init__()
        self._operation = operation
        self._reported: dict[str, Any] = {}
        self._count = 0
        self._final = self._is_ended = False

    def feed_text(self, item: Any) -> bool:
        """Record an event that adds text to an answer with content, as nearly every event of a stream."""
        if item.__class__ is not dict or not self.has_content or self._final:
            return False
        delta, kind = item.get("delta"), item.get("type")
        if delta.__class__ is not str or not delta or kind.__class__ is not str or kind in self._operation.final_events:
            return False
        if item.get("usage") or item.get("error") or kind == "content_block_delta":
            return False
        self._count += 1
        self._add_text(kind, delta)
        return True

    def feed(self, item: Any) -> bool:
        """Check and record one event, and return whether to pass it to the caller.

        Raises:
            ProviderError: The event reports a failure, or has no type.
        """
        kind = item.get("type")
        if kind.__class__ is not str:
            if item.get("error"):
                raise event_failure(item)
            if self._operation.final_events:
                raise final_errors.bad_response("an event of its stream has no type", self.usage)
            kind = ""  # of a capability without an operation, whose events nothing describes
        if kind in _KEEP_ALIVES:
            return self.has_content
        self._read_usage(item)
        if kind in FAILED_EVENTS:
            error = event_failure(item)
            error.usage = self.usage
            raise error
        self._count += 1
        try:
            check_event(self._operation, item, has_content=self.has_content)
        except InvalidPart as fault:
            raise final_errors.bad_response(str(fault), self.usage) from None
        if self.is_final(item):
            self._final = self.has_content = True
        elif not self.has_content:
            is_content = kind.startswith(self._operation.content_events) and not kind.endswith(_OPENERS)
            self.has_content = is_content or not self._operation.content_events or self._count >= MAX_EMPTY_CHUNKS
        self._read_text(kind, item.get("delta"))
        return True

    def is_final(self, event: dict[str, Any]) -> bool:
        """Return whether an event is the last one of the answer."""
        return event.get("type") in self._operation.final_events

    def end(self) -> None:
        """Record that the body ended by itself."""
        self._is_ended = True

    @property
    def complete(self) -> bool:
        """Whether the last event of the operation was received."""
        return self._final or (self._is_ended and not self._operation.final_events)

    @property
    def extent(self) -> str:
        """How much was received, for an error message."""
        return super().extent if self._text else f"{self._count} events"

    def _read_text(self, kind: str, delta: Any) -> None:
        if delta.__class__ is dict:  # a message of Anthropic
            text = delta.get("text")
            self.output.add({name: value for name, value in delta.items() if name in _TEXTS})
            if text.__class__ is str and text:
                self._text.append(text)
        elif delta.__class__ is str and delta:
            self._add_text(kind, delta)

    def _add_text(self, kind: str, delta: str) -> None:
        """Count a delta, and keep it if it is text of the answer rather than reasoning, arguments or encoded audio."""
        if kind.endswith("audio.delta"):
            return
        self.output.add_text(delta)
        if kind in _ANSWERS:
            self._text.append(delta)

    def _read_usage(self, event: dict[str, Any]) -> None:
        for holder in (event, event.get("response"), event.get("message")):
            reported = holder.get("usage") if holder.__class__ is dict else None
            if reported.__class__ is dict and reported:
                self._reported |= {name: value for name, value in reported.items() if value is not None}
                self.usage = in_chat_format(self._operation, self._reported)


_ANSWERS = frozenset({"response.output_text.delta", "response.refusal.delta", "transcript.text.delta"})
_TEXTS = frozenset({"text", "thinking", "partial_json"})


class ByteProgress(StreamProgress):
    """Counts the pieces of a body of bytes. The framing of HTTP proves the end."""

    __slots__ = ("_is_ended", "_size")

    item_type = bytes
    missing_end = "its body ended early"

    def __init__(self) -> None:
        super().__init__()
        self._size = 0
        self._is_ended = False

    def feed_text(self, item: Any) -> bool:
        """Record a piece."""
        if item.__class__ is not bytes or not item:
            return False
        self._size += len(item)
        self.has_content = True
        return True

    def feed(self, item: Any) -> bool:
        """Record a piece, and return whether it has any bytes."""
        return self.feed_text(bytes(item))

    def end(self) -> None:
        """Record that the body ended by itself."""
        self._is_ended = True

    @property
    def complete(self) -> bool:
        """Whether the body ended by itself."""
        return self._is_ended

    @property
    def extent(self) -> str:
        """How much was received, for an error message."""
        return f"{self._size} bytes"
