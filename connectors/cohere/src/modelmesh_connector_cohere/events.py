"""Conversion of Cohere's stream events to chunks in OpenAI's format.

Event types are those of the cohere package 7.3.1 (``v2/types/v2chat_stream_response.py``, ``types/*_event_delta*.py``), read
2026-11-21. A stream is complete when ``message-end`` contained a finish reason. The decoder never invents one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from modelmesh.errors import ProviderError
from modelmesh_cdk import ServerSentEvent, json_codec
from modelmesh_connector_cohere.answers import (
    check_block,
    check_call,
    check_end,
    finish_reason,
    is_plain,
    logprobs_of,
    stop_reason,
    usage_of,
)
from modelmesh_connector_cohere.error_mappings import failed_reason, is_error

_FIELDS = {"text": "content", "thinking": "reasoning_content"}
"""Field of each block type, and the corresponding field of OpenAI's delta."""

_SILENT = frozenset({"citation-end"})
_WHOLE = frozenset({"message-start", "message-end"})
"""Events whose readers keep unknown fields."""

_KNOWN = frozenset({"type", "index", "delta", "logprobs"})
_KNOWN_INSIDE = (frozenset({"message"}), frozenset({"content"}), frozenset({"type", *_FIELDS}))
"""Fields of the other events, and of a delta, its message and its content."""


class EventDecoder:
    """Decoder of one stream."""

    def __init__(
        self, failure: Callable[[Mapping[str, Any]], ProviderError], *, model: str, include_usage: bool, created: int
    ) -> None:
        """Create the decoder.

        Args:
            failure: Returns the error of an error body, or of an answer that failed.
            model: The requested model, because the vendor reports none.
            include_usage: Whether usage comes in a separate last chunk, as OpenAI sends it on request.
            created: Unix time, the same on every chunk.
        """
        self.done = False
        self._failure = failure
        self._include_usage = include_usage
        self._head: dict[str, Any] = {"id": None, "object": "chat.completion.chunk", "created": created, "model": model}
        self._begun = False
        self._thoughts = self._citations = 0
        self._blocks: dict[int, dict[str, Any]] = {}
        self._calls: dict[int, tuple[int, list[str]]] = {}

    def decode(self, event: ServerSentEvent) -> Sequence[dict[str, Any]]:
        """Return the chunks of one event.

        Raises:
            ValueError: The event is not JSON, or not in the documented format.
            ProviderError: The event contains an error.
        """
        if event.data == b"[DONE]":
            self.done = True
            return ()
        data = json_codec.decode(event.data)
        if not isinstance(data, dict):
            raise ValueError("an event is not a JSON object")  # noqa: TRY004 - the kit expects ValueError for an invalid body
        if data.get("error") or is_error(data):
            raise self._failure(data)
        kind = data.get("type") or event.name
        if not isinstance(kind, str):
            raise ValueError("an event has a type that is not text")  # noqa: TRY004 - the vendor's mistake
        if not self._begun and kind not in ("message-start", "message-end"):
            if kind in self._READERS:
                message = f"the event {str(kind)[:40]!r} precedes 'message-start'"
                raise ValueError(message)
            return ()  # a keep-alive or an unknown event before the start of the answer
        reader = self._READERS.get(kind)
        if reader is None:
            return () if kind in _SILENT else (self._chunk({}, {"cohere_event": data}),)
        try:
            chunks = reader(self, data)
        except (KeyError, TypeError, AttributeError):
            message = f"an event {str(kind)[:40]!r} lacks a documented field"
            raise ValueError(message) from None
        if kind in _WHOLE or data.keys() <= _KNOWN:
            return chunks
        first, *others = chunks or (self._chunk({}),)
        return ({**{name: value for name, value in data.items() if name not in _KNOWN}, **first}, *others)

    def _chunk(self, delta: dict[str, Any], extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
        choices = [{"index": 0, "delta": delta, "finish_reason": None, "logprobs": None}]
        return {**(extra or {}), **self._head, "choices": choices}

    # -- the message --------------------------------------------------------------------------------------------------

    def _start(self, data: dict[str, Any]) -> Sequence[dict[str, Any]]:
        if self._begun:
            raise KeyError
        self._begun = True
        self._head["id"] = data.get("id")
        extra = {name: value for name, value in data.items() if name not in ("type", "id", "delta")}
        return (self._chunk({"role": "assistant", "content": ""}, extra),)

    def _finish(self, data: dict[str, Any]) -> Sequence[dict[str, Any]]:
        delta = data["delta"]
        reason = stop_reason(delta.get("finish_reason"))
        if delta.get("error") or failed_reason(reason):
            raise self._failure(delta)
        if not self._begun:
            raise KeyError
        self.done = True
        chunks = [chunk for index in list(self._calls) for chunk in self._end_call({"index": index})]
        known = ("type", "id", "delta", "finish_reason", "usage")
        extra = {name: value for source in (data, delta) for name, value in source.items() if name not in known}
        blocks = list(self._blocks.values())
        if reason is not None:
            texts = ["".join(pieces) for _, pieces in self._calls.values()]
            check_end(reason, texts, delta.get("usage"), has_content=bool(blocks or self._calls))
        last = self._chunk({} if is_plain(blocks) else {"content_blocks": blocks}, extra)
        last["choices"][0] |= {"finish_reason": finish_reason(reason), "stop_reason": reason}
        chunks.append(last)
        usage = usage_of(delta.get("usage"))
        if usage is not None:
            if self._include_usage:
                chunks.append({**self._head, "choices": [], "usage": usage})
            else:
                last["usage"] = usage
        return chunks

    # -- its content --------------------------------------------------------------------------------------------------

    def _start_block(self, data: dict[str, Any]) -> Sequence[dict[str, Any]]:
        given = data["delta"]["message"]["content"]
        kind = given.get("type") or ("thinking" if given.get("thinking") is not None else "text")
        block = self._blocks[data.get("index") or 0] = {**given, "type": kind}
        check_block(block)
        return self._text_chunk(kind, block.get(kind) or "", data)

    def _delta(self, data: dict[str, Any]) -> Sequence[dict[str, Any]]:
        given = data["delta"]["message"]["content"]
        index = data.get("index") or 0
        found: list[dict[str, Any]] = []
        for kind in _FIELDS:
            piece = given.get(kind)
            if not piece:
                continue
            if not isinstance(piece, str):
                raise TypeError
            block = self._blocks.setdefault(index, {"type": kind})
            block[kind] = (block.get(kind) or "") + piece
            found += self._text_chunk(kind, piece, data)
        unknown = {
            name: value
            for part, known in zip((data["delta"], data["delta"]["message"], given), _KNOWN_INSIDE, strict=True)
            if not part.keys() <= known
            for name, value in part.items()
            if name not in known
        }
        if unknown:
            found = found or [self._chunk({})]
            found[0]["choices"][0]["delta"] |= unknown
        return found

    def _text_chunk(self, kind: str, text: str, data: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
        if not text or kind not in _FIELDS:
            return ()
        item = data.get("logprobs")
        chunk = self._chunk({_FIELDS[kind]: text}, {"logprobs": item} if item else None)
        if item:
            chunk["choices"][0]["logprobs"] = logprobs_of([item])
        return (chunk,)

    def _end_block(self, data: dict[str, Any]) -> Sequence[dict[str, Any]]:
        block = self._blocks.get(data.get("index") or 0)
        thought = block is not None and block["type"] == "thinking"
        if block is None or not thought:
            return ()
        self._thoughts += 1  # clients that join deltas need the index of each list item
        return (self._chunk({"thinking_blocks": [{**block, "index": self._thoughts - 1}]}),)

    def _cite(self, data: dict[str, Any]) -> Sequence[dict[str, Any]]:
        given = data["delta"]["message"]["citations"]
        found = given if isinstance(given, list) else [given]
        indexed = [{**one, "index": self._citations + place} for place, one in enumerate(found)]
        self._citations += len(found)
        return (self._chunk({"citations": indexed}),)

    # -- its tools ----------------------------------------------------------------------------------------------------

    def _plan(self, data: dict[str, Any]) -> Sequence[dict[str, Any]]:
        piece = data["delta"]["message"]["tool_plan"]
        if not isinstance(piece, str | None):
            raise TypeError
        return (self._chunk({"tool_plan": piece}),) if piece else ()

    def _start_call(self, data: dict[str, Any]) -> Sequence[dict[str, Any]]:
        given = data["delta"]["message"]["tool_calls"]
        check_call(given)
        function = given["function"]
        arguments = function.get("arguments") or ""
        place = len(self._calls)  # the vendor's index also counts other items than calls
        index = data.get("index") or 0
        if index in self._calls:
            raise KeyError
        self._calls[index] = (place, [arguments])
        rest = {name: value for name, value in given.items() if name != "index"}
        call = {**rest, "index": place, "id": given["id"], "type": "function", "function": {**function, "arguments": arguments}}
        return (self._chunk({"tool_calls": [call]}),)

    def _call_delta(self, data: dict[str, Any]) -> Sequence[dict[str, Any]]:
        piece = data["delta"]["message"]["tool_calls"]["function"]["arguments"]
        place, pieces = self._calls[data.get("index") or 0]
        if not piece:
            return ()
        if not isinstance(piece, str):
            raise TypeError
        pieces.append(piece)
        return (self._chunk({"tool_calls": [{"index": place, "function": {"arguments": piece}}]}),)

    def _end_call(self, data: dict[str, Any]) -> Sequence[dict[str, Any]]:
        place, pieces = self._calls[data.get("index") or 0]
        if any(pieces):
            return ()
        pieces.append("{}")  # a call without arguments: OpenAI's are always JSON
        return (self._chunk({"tool_calls": [{"index": place, "function": {"arguments": "{}"}}]}),)

    _READERS: Mapping[str, Callable[[EventDecoder, dict[str, Any]], Sequence[dict[str, Any]]]] = {
        "message-start": _start,
        "content-start": _start_block,
        "content-delta": _delta,
        "content-end": _end_block,
        "tool-plan-delta": _plan,
        "tool-call-start": _start_call,
        "tool-call-delta": _call_delta,
        "tool-call-end": _end_call,
        "citation-start": _cite,
        "message-end": _finish,
    }
