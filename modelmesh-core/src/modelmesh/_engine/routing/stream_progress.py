"""State of a stream of chat chunks: its content so far, its usage, and whether it is complete.

The state of the other kinds of streams is in :mod:`.other_streams`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from modelmesh._engine.limits.token_counts import ReceivedOutput
from modelmesh._engine.routing import final_errors
from modelmesh._engine.routing.message_check import (
    TRUNCATED,
    InvalidPart,
    check_call,
    check_texts,
    finish_reason,
    plain_content,
    wrong_type,
)
from modelmesh._engine.routing.stream_calls import StreamedCalls
from modelmesh._engine.routing.usage_check import valid_usage
from modelmesh.contracts.text_chunk import TextChunk

MAX_EMPTY_CHUNKS = 64
"""Chunks without content that are kept while a stream is buffered. Further ones are dropped."""


class StreamProgress:
    """State of a stream of any kind.

    Attributes:
        item_type: Type of its items.
        has_content: Whether content or the end of the answer was received. Before that, a failure leads to failover.
        usage: Usage that the vendor reported, in the format of a chat completion. ``None`` without a valid report.
        output: Estimates the tokens received.
    """

    __slots__ = ("_text", "has_content", "output", "usage")

    item_type: ClassVar[type | tuple[type, ...]] = dict
    missing_end: ClassVar[str] = "its stream ended without its last event"

    def __init__(self) -> None:
        self.has_content = False
        self.usage: dict[str, Any] | None = None
        self.output = ReceivedOutput()
        self._text: list[str] = []

    def check_type(self, item: Any) -> None:
        """Check the type of an item.

        Raises:
            TypeError: It is of the wrong type.
        """
        if not isinstance(item, self.item_type):
            right = "bytes" if self.item_type is bytes else "a dict in OpenAI's format"
            message = f"a chunk is a {type(item).__name__}, not {right}"
            raise TypeError(message)

    def feed_text(self, item: Any) -> bool:
        """Record an item that goes to the caller unchanged. Return ``False`` for any other, which goes to :meth:`feed`."""
        return False

    def feed(self, item: Any) -> bool:
        """Check and record one item. Return whether to pass it to the caller.

        Raises:
            ProviderError: It reports a failure, or is invalid.
        """
        raise NotImplementedError

    def end(self) -> None:
        """Record that the body ended by itself, by the framing of HTTP."""

    @property
    def complete(self) -> bool:
        """Whether the end of the answer is proven."""
        raise NotImplementedError

    @property
    def text(self) -> str:
        """Text so far."""
        return "".join(self._text)

    @property
    def tool_calls(self) -> list[dict[str, Any]]:
        """Tool calls so far. The arguments of the last one may be incomplete."""
        return []

    @property
    def extent(self) -> str:
        """How much was received, for an error message."""
        return f"{sum(map(len, self._text))} characters"


class Progress(StreamProgress):
    """Reads the chunks of a chat completion, and checks the types of the parts that a caller relies on."""

    __slots__ = ("_calls", "_ended", "_open", "_seen", "_tools")

    item_type = (dict, TextChunk)
    missing_end = "its stream ended without a finish reason"

    def __init__(self, tools: Any = None) -> None:
        """Start without content.

        Args:
            tools: The tools of the request.
        """
        super().__init__()
        self._tools = tools
        self._calls: dict[int, StreamedCalls] = {}
        self._open: set[int] = set()
        self._ended: set[int] = set()
        self._seen = False

    def feed_text_chunk(self, chunk: TextChunk) -> None:
        """Record text that the connector has checked."""
        self.output.add_text(chunk.text)
        index = chunk.index
        if index not in self._open:
            self._open.add(index)
        self._seen = self.has_content = True
        if not index:
            self._text.append(chunk.text)

    def feed_text(self, chunk: dict[str, Any]) -> bool:
        """Record a chunk that adds text to one open choice and has no usage, as nearly every chunk of a stream.

        Returns:
            Whether the chunk is of this kind. Any other chunk is unrecorded and goes to :meth:`feed`.
        """
        choices = chunk.get("choices")
        if choices.__class__ is not list or len(choices) != 1 or chunk.get("usage") is not None:
            return False
        choice = choices[0]
        if choice.__class__ is not dict or choice.get("finish_reason") is not None:
            return False
        index, delta = choice.get("index"), choice.get("delta")
        if index.__class__ is not int or index not in self._open or delta.__class__ is not dict:
            return False
        text = delta.get("content")
        if text.__class__ is not str or not text or (len(delta) > 1 and (len(delta) > 2 or delta.get("role") != "assistant")):  # noqa: PLR2004
            return False
        self.has_content = True
        self.output.add_text(text)
        if not index:
            self._text.append(text)
        return True

    def feed(self, chunk: Any) -> bool:
        """Check and record one chunk.

        Parts that OpenAI's format does not allow and that carry no information are repaired in the chunk: a null delta or index,
        an empty finish reason or one that is not text, an invalid usage report.

        Returns:
            Whether to pass the chunk to the caller. A chunk without choices and without usage is dropped.

        Raises:
            BadUpstreamResponseError: A part is of the wrong type.
        """
        if chunk.__class__ is TextChunk:
            self.feed_text_chunk(chunk)
            return True
        try:
            return self._feed(chunk)
        except InvalidPart as fault:
            why = f"in its stream {fault}"
        raise final_errors.bad_response(why, self.usage)

    def _feed(self, chunk: dict[str, Any]) -> bool:
        reported = chunk.get("usage")
        usage = None
        if reported is not None:
            usage = valid_usage(reported)
            if usage is not reported:
                chunk["usage"] = usage
            if usage is not None:
                self.usage = usage
        choices = chunk.get("choices")
        if choices.__class__ is not list:
            if choices is not None:
                raise wrong_type("'choices'", choices, "a list")
            choices = chunk["choices"] = []
        if not choices:
            if chunk.get("error"):
                raise InvalidPart("there is an error without a status")
            return usage is not None
        for choice in choices:
            self._feed_choice(choice)
        self._seen = True
        return True

    def _feed_choice(self, choice: Any) -> None:
        if choice.__class__ is not dict:
            raise wrong_type("a choice", choice, "an object")
        index, delta = choice.get("index", 0), choice.get("delta")
        if index.__class__ is not int or index < 0 or delta.__class__ is not dict:
            index, delta = _repaired(choice)
        has_content = bool(delta) and self._feed_delta(index, delta)
        reason = choice.get("finish_reason")
        if reason is not None:
            reason = choice["finish_reason"] = finish_reason(choice)
        if reason is not None:
            self._finish(index, reason, delta)
        elif has_content or index not in self._ended:  # the last chunk of some vendors has usage and an empty choice
            self._open.add(index)
        if has_content or reason is not None:
            self.has_content = True  # an answer may be empty, so its end counts as content

    def _feed_delta(self, index: int, delta: dict[str, Any]) -> bool:
        """Record a delta, and return whether it has content."""
        self.output.add(delta)
        text = delta.get("content")
        if text.__class__ is not str:
            text = plain_content(delta)
        has_content = bool(text)
        if len(delta) > 1 or not has_content:
            has_content = self._feed_rest(index, delta) or has_content
        if text and not index:
            self._text.append(text)
        return has_content

    def _feed_rest(self, index: int, delta: dict[str, Any]) -> bool:
        """Check the parts of a delta other than its text, and return whether they have content."""
        check_texts(delta)
        calls = delta.get("tool_calls")
        if calls is not None:
            known = self._calls.get(index)
            if known is None:
                known = self._calls[index] = StreamedCalls()
            known.feed(calls)
        return any(value for name, value in delta.items() if name != "role")

    def _finish(self, index: int, reason: str, delta: dict[str, Any]) -> None:
        calls = self._calls.get(index)
        if calls is not None and index not in self._ended:
            for call in calls.functions():
                check_call(call["function"]["name"], call["function"]["arguments"], reason, self._tools)
            if reason not in TRUNCATED:
                calls.complete(delta)
        self._open.discard(index)
        self._ended.add(index)

    @property
    def complete(self) -> bool:
        """Whether every choice that began has a finish reason."""
        return self._seen and not self._open

    @property
    def tool_calls(self) -> list[dict[str, Any]]:
        """Tool calls of the first choice so far. The arguments of the last one may be incomplete."""
        calls = self._calls.get(0)
        return [] if calls is None else calls.all()


def _repaired(choice: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Replace a null index or delta, and return both.

    Raises:
        InvalidPart: The index or the delta is of the wrong type.
    """
    index, delta = choice.get("index"), choice.get("delta")
    if index is None:
        index = choice["index"] = 0
    elif index.__class__ is not int or index < 0:
        raise InvalidPart("the index of a choice is not a non-negative integer")
    if delta is None and "message" not in choice and "text" not in choice:
        delta = choice["delta"] = {}
    elif delta.__class__ is not dict:
        raise wrong_type("the delta of a choice", delta, "an object")
    return index, delta
