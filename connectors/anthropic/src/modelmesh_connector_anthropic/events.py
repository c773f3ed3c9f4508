"""Conversion of Anthropic's stream events to chunks in OpenAI's format.

Event and delta types are those of the anthropic package 2.11.0 (``types/raw_*_event.py``, ``*_delta.py``), read
2026-11-21. A stream is complete when ``message_delta`` contained a stop reason. The decoder never invents one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from modelmesh.errors import ProviderError
from modelmesh_cdk import ServerSentEvent, json_codec
from modelmesh_connector_anthropic.answers import (
    beyond,
    check_block,
    check_end,
    finish_reason,
    is_plain,
    stop_reason,
    usage_of,
)

_FIELD = {"text": "text", "thinking": "thinking"}
"""Field of a block that contains the text of its deltas."""

_PIECES = {"text": ("text_delta", "text"), "thinking": ("thinking_delta", "thinking")}
_INPUT_PIECES = ("input_json_delta", "partial_json")
"""Delta type and text field of a block's deltas."""

_KNOWN: dict[str, frozenset[str]] = {
    "message_start": frozenset({"type", "message"}),
    "content_block_start": frozenset({"type", "index", "content_block"}),
    "content_block_delta": frozenset({"type", "index", "delta"}),
    "content_block_stop": frozenset({"type", "index"}),
    "message_stop": frozenset({"type"}),
}
"""Known fields of an event. The chunk of the event contains all other fields."""

_PIECE = frozenset({"type", "text", "thinking", "partial_json"})


class _Block:
    """A content block that its events complete."""

    __slots__ = ("call", "ended", "kind", "pieces", "raw")

    def __init__(self, raw: dict[str, Any], call: int | None) -> None:
        self.raw = raw
        self.kind = str(raw.get("type"))
        self.call = call
        self.pieces: list[str] = []
        self.ended = False

    def end(self) -> None:
        """Complete the block."""
        self.ended = True
        text = "".join(self.pieces)
        if self.kind in _FIELD:
            field = _FIELD[self.kind]
            self.raw[field] = (self.raw.get(field) or "") + text
        elif text:
            try:
                self.raw["input"] = json_codec.decode(text.encode())
            except ValueError:
                self.raw["input"] = text  # the response was cut inside the arguments


class EventDecoder:
    """Decoder of one stream."""

    def __init__(self, failure: Callable[[Mapping[str, Any]], ProviderError], *, include_usage: bool, created: int) -> None:
        """Store the callbacks and facts of the request.

        Args:
            failure: Returns the error of an ``error`` event.
            include_usage: Whether usage comes in a separate last chunk, as OpenAI sends it on request.
            created: Unix time, the same on every chunk.
        """
        self.done = False
        self._failure = failure
        self._include_usage = include_usage
        self._head: dict[str, Any] = {"id": None, "object": "chat.completion.chunk", "created": created, "model": None}
        self._begun = self._finished = False
        self._usage: dict[str, Any] = {}
        self._blocks: dict[int, _Block] = {}
        self._calls = self._thoughts = 0

    def decode(self, event: ServerSentEvent) -> Sequence[dict[str, Any]]:
        """Return the chunks of one event.

        Raises:
            ValueError: The data is not JSON, or the event lacks documented fields.
            ProviderError: The event is an error.
        """
        if event.name == "ping":
            return ()
        data = json_codec.decode(event.data)
        if not isinstance(data, dict):
            message = "an event is not a JSON object"
            raise ValueError(message)  # noqa: TRY004 - an unreadable response
        text = self._text_delta(data)
        if text is not None:
            return (text,)
        kind = data.get("type") or event.name
        if kind == "error" or data.get("error"):
            raise self._failure(data)
        if not isinstance(kind, str):
            raise ValueError("an event has a type that is not text")  # noqa: TRY004 - an unreadable response
        if kind == "ping":
            return ()
        if not self._begun and kind != "message_start":
            message = f"the event {str(kind)[:40]!r} precedes 'message_start'"
            raise ValueError(message)
        try:
            chunks = self._read(kind, data)
        except (KeyError, TypeError, AttributeError):
            message = f"an event {str(kind)[:40]!r} lacks fields that Anthropic documents"
            raise ValueError(message) from None
        known = _KNOWN.get(kind)
        if known is None or data.keys() <= known:
            return chunks
        first, *others = chunks or (self._chunk({}),)
        return ({**{name: value for name, value in data.items() if name not in known}, **first}, *others)

    def _text_delta(self, data: dict[str, Any]) -> dict[str, Any] | None:
        """Return the chunk of an event that only continues a text, ``None`` for any other event."""
        if data.get("type") != "content_block_delta" or len(data) != len(_KNOWN["content_block_delta"]):
            return None
        index, delta = data.get("index"), data.get("delta")
        block = self._blocks.get(index) if index.__class__ is int else None
        if block is None or block.kind != "text" or delta.__class__ is not dict or len(delta) != 2:  # noqa: PLR2004
            return None
        piece = delta.get("text")
        if delta.get("type") != "text_delta" or piece.__class__ is not str or not piece:
            return None
        block.pieces.append(piece)
        return self._chunk({"content": piece})

    def _read(self, kind: str, data: dict[str, Any]) -> Sequence[dict[str, Any]]:
        if kind == "content_block_delta":
            return self._delta(self._blocks[data["index"]], data["delta"])
        if kind == "content_block_start":
            return self._start_block(data["index"], data["content_block"])
        if kind == "content_block_stop":
            return self._end_block(self._blocks[data["index"]])
        if kind == "message_start":
            return self._start(data["message"])
        if kind == "message_delta":
            return self._finish(data)
        if kind == "message_stop":
            self.done = True
            return ()
        return (self._chunk({}, {"anthropic_event": data}),)  # an unknown event type

    def _chunk(self, delta: dict[str, Any], extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
        choices = [{"index": 0, "delta": delta, "finish_reason": None, "logprobs": None}]
        return {**extra, **self._head, "choices": choices} if extra else {**self._head, "choices": choices}

    # -- message ------------------------------------------------------------------------------------------------------

    def _start(self, message: dict[str, Any]) -> Sequence[dict[str, Any]]:
        if self._begun:
            raise KeyError
        self._begun = True
        self._head |= {"id": message["id"], "model": message["model"]}
        usage = message.get("usage")
        self._usage = dict(usage) if isinstance(usage, dict) else {}
        stops = ("stop_reason", "stop_sequence", "stop_details")  # not known before the end
        extra = {name: value for name, value in beyond(message).items() if name not in stops}
        return (self._chunk({"role": "assistant", "content": ""}, extra),)

    def _finish(self, data: dict[str, Any]) -> Sequence[dict[str, Any]]:
        delta, usage = data["delta"], data.get("usage")
        reported = isinstance(usage, dict)
        if isinstance(usage, dict):  # totals so far, not increments. Omitted counts stay unchanged.
            self._usage |= {name: value for name, value in usage.items() if value is not None}
        reason = stop_reason(delta.get("stop_reason"))
        chunks = [chunk for block in self._blocks.values() if reason and not block.ended for chunk in self._end_block(block)]
        if reason is not None and not self._finished:
            self._finished = True
            blocks = [block.raw for block in self._blocks.values()]
            check_end(blocks, reason, self._usage)
            rest = {name: value for name, value in data.items() if name not in ("type", "delta", "usage")}
            chunk = self._chunk({} if is_plain(blocks) else {"content_blocks": blocks}, {**rest, **delta})
            chunk["choices"][0] |= {"finish_reason": finish_reason(reason), "stop_reason": reason}
            chunks.append(chunk)
            usage = usage_of(self._usage) if reported else None
            if usage is not None and not self._include_usage:
                chunk["usage"] = usage
                return chunks
        usage = usage_of(self._usage) if reported and self._finished else None
        if usage is not None:
            chunks.append({**self._head, "choices": [], "usage": usage})
        return chunks

    # -- blocks -------------------------------------------------------------------------------------------------------

    def _start_block(self, index: int, raw: dict[str, Any]) -> Sequence[dict[str, Any]]:
        kind = raw.get("type")
        check_block(raw)
        if index in self._blocks:
            raise KeyError
        if kind == "tool_use":
            block = self._blocks[index] = _Block(raw, self._calls)
            self._calls += 1
            call = {"index": block.call, "id": raw["id"], "type": "function", "function": {"name": raw["name"], "arguments": ""}}
            return (self._chunk({"tool_calls": [call]}),)
        self._blocks[index] = _Block(raw, None)
        text = raw.get(_FIELD.get(str(kind), ""))
        return self._text_chunk(str(kind), text) if text else ()

    def _delta(self, block: _Block, delta: dict[str, Any]) -> Sequence[dict[str, Any]]:
        kind = delta["type"]
        streamed, field = _PIECES.get(block.kind, _INPUT_PIECES)
        if kind == streamed:
            piece = delta[field]
            if not isinstance(piece, str):
                raise TypeError
            block.pieces.append(piece)
            if not piece:
                return ()
            if block.call is None:
                chunks = self._text_chunk(block.kind, piece)
            else:
                chunks = (self._chunk({"tool_calls": [{"index": block.call, "function": {"arguments": piece}}]}),)
            if chunks and not delta.keys() <= _PIECE:
                chunks[0]["choices"][0]["delta"] |= {name: value for name, value in delta.items() if name not in _PIECE}
            return chunks
        if kind == "signature_delta":
            block.raw["signature"] = delta["signature"]
        elif kind == "citations_delta":
            block.raw["citations"] = [*(block.raw.get("citations") or ()), delta["citation"]]
        elif kind == "compaction_delta":  # of the beta, sent in one delta (types/beta/beta_compaction_content_block_delta.py)
            block.raw |= {name: value for name, value in delta.items() if name != "type"}
        else:
            block.raw.setdefault("deltas", []).append(delta)  # an unknown delta type
        return ()

    def _text_chunk(self, kind: str, text: str) -> Sequence[dict[str, Any]]:
        if kind == "text":
            return (self._chunk({"content": text}),)
        return (self._chunk({"reasoning_content": text}),) if kind == "thinking" else ()

    def _end_block(self, block: _Block) -> Sequence[dict[str, Any]]:
        silent = not any(block.pieces)
        block.end()
        if block.kind in ("thinking", "redacted_thinking"):
            self._thoughts += 1  # clients that join deltas need the index of each list item
            return (self._chunk({"thinking_blocks": [{**block.raw, "index": self._thoughts - 1}]}),)
        if block.call is not None and silent:  # OpenAI's arguments are always JSON
            text = json_codec.encode(block.raw.get("input") or {}).decode()
            return (self._chunk({"tool_calls": [{"index": block.call, "function": {"arguments": text}}]}),)
        return ()
