"""Conversion of chat chunks to the events of a message.

Types and order of the events are those of the anthropic package 2.11.0 (``types/raw_*_event.py``, ``lib/streaming``), read
2026-11-30. One block is open at a time. The next tool call waits until the arguments of the open one are complete JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from modelmesh._engine.translation.chat_answers import base_id, finish_reason, first_choice, further_fields, text_of
from modelmesh._engine.translation.chat_delta import StreamedCall, StreamedCalls, vendor_fields
from modelmesh._engine.translation.messages.reply import ending, head, message_usage
from modelmesh._engine.translation.vendor_state import (
    THINKING_FIELDS,
    encode_state,
    late_state,
    merge_fields,
    thinking_state,
    thought_text,
)
from modelmesh.contracts.conversation import PROVENANCE

_DELTAS = {"text": ("text_delta", "text"), "thinking": ("thinking_delta", "thinking")}
_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}


class MessageEvents:
    """The translation of one stream."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        """Store the body of the caller's request."""
        self._request = request
        self._events: list[dict[str, Any]] = []
        self._started = False
        self._index = -1
        self._open = ""
        self._thoughts: dict[str, Any] = {}
        self._vendor: dict[str, Any] = {}
        self._provenance: dict[str, Any] = {}
        self._calls = StreamedCalls()
        self._waiting: list[StreamedCall] = []
        self._sent: dict[int, int] = {}
        self._refusal = self._late_text = ""
        self._choice: dict[str, Any] = {}
        self._usage: Any = None
        self._further: dict[str, Any] = {}

    def feed(self, chunk: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the events of a chunk."""
        self._start(chunk)
        if chunk.get("usage") is not None:
            self._usage = chunk["usage"]
        choice = first_choice(chunk)
        delta = choice.get("delta")
        if isinstance(delta, dict) and delta:
            self._read(delta)
        if finish_reason(choice) is not None and not self._choice:
            self._choice = {**choice, "stop_sequence": chunk.get("stop_sequence")}
            self._finish()
        return self._take()

    def end(self) -> list[dict[str, Any]]:
        """Return ``message_delta`` and ``message_stop``."""
        self._start({})
        if not self._choice:
            self._finish()
        delta = ending(self._choice, self._request, self._refusal, called=bool(self._calls.calls))
        self._events.append({**self._further, "type": "message_delta", "delta": delta, "usage": message_usage(self._usage)})
        self._events.append({"type": "message_stop"})
        return self._take()

    def fail(self, error: Exception) -> list[dict[str, Any]]:
        """Return the event ``error``."""
        return [error_body(error)]

    def _take(self) -> list[dict[str, Any]]:
        events, self._events = self._events, []
        return events

    def _start(self, chunk: Mapping[str, Any]) -> None:
        if self._started:
            self._further |= further_fields(chunk)
            return
        self._started = True
        self._events.append({"type": "message_start", "message": head(chunk, base_id(chunk))})

    # -- content ------------------------------------------------------------------------------------------------------

    def _read(self, delta: dict[str, Any]) -> None:
        extra = vendor_fields(delta)
        if PROVENANCE in extra:
            self._provenance = {PROVENANCE: extra.pop(PROVENANCE)}
        thoughts = {name: value for name, value in extra.items() if name in THINKING_FIELDS}
        merge_fields(self._vendor, {name: value for name, value in extra.items() if name not in thoughts})
        if thoughts:
            self._think(thoughts)
        refusal = text_of(delta.get("refusal"))
        self._refusal += refusal
        text = text_of(delta.get("content")) + refusal
        if text and self._waiting:
            self._late_text += text  # the arguments of a call may go on
        elif text:
            self._add("text", text)
        for call, _, new in self._calls.feed(delta.get("tool_calls")):
            if new:
                self._waiting.append(call)
            self._send_calls()

    def _think(self, thoughts: dict[str, Any]) -> None:
        text = thought_text(thoughts)[1]
        if self._waiting or (self._open == "text" and not text):  # the end of thoughts that other content interrupted
            merge_fields(self._vendor, thoughts)
            return
        if text:
            self._add("thinking", text)
        merge_fields(self._thoughts, thoughts)

    def _add(self, kind: str, text: str) -> None:
        if self._open != kind:
            self._close()
            if kind == "text":
                self._add_thoughts()
            self._begin(kind, {"type": kind, _DELTAS[kind][1]: "", **({"signature": ""} if kind == "thinking" else {})})
        name, field = _DELTAS[kind]
        self._delta({"type": name, field: text})

    def _send_calls(self, *, final: bool = False) -> None:
        """Send the arguments of the first waiting call, and of the next ones when it is complete."""
        while self._waiting:
            call = self._waiting[0]
            if call.index not in self._sent:
                self._close()
                self._add_thoughts()
                self._begin("tool_use", {"type": "tool_use", "id": call.id, "name": call.name, "input": {}})
                self._sent[call.index] = 0
            piece = "".join(call.pieces[self._sent[call.index] :])
            if piece:
                self._sent[call.index] = len(call.pieces)
                self._delta({"type": "input_json_delta", "partial_json": piece})
            if not final and (len(self._waiting) == 1 or not _is_complete(call.arguments)):
                return
            self._close()
            self._waiting.pop(0)

    # -- blocks -------------------------------------------------------------------------------------------------------

    def _begin(self, kind: str, block: dict[str, Any]) -> None:
        self._open = kind
        self._index += 1
        self._events.append({"type": "content_block_start", "index": self._index, "content_block": block})

    def _delta(self, delta: dict[str, Any]) -> None:
        self._events.append({"type": "content_block_delta", "index": self._index, "delta": delta})

    def _close(self) -> None:
        if self._open == "thinking":
            state = thinking_state({**self._thoughts, **self._provenance})
            self._delta({"type": "signature_delta", "signature": encode_state(state)})
            self._thoughts = {}
        if self._open:
            self._events.append({"type": "content_block_stop", "index": self._index})
        self._open = ""

    def _add_thoughts(self) -> None:
        """Add thoughts without text, such as encrypted ones."""
        state = thinking_state({**self._thoughts, **self._provenance})
        self._thoughts = {}
        if state:
            self._add_opaque(state)

    def _add_opaque(self, state: dict[str, Any]) -> None:
        self._begin("redacted_thinking", {"type": "redacted_thinking", "data": encode_state(state)})
        self._close()

    def _finish(self) -> None:
        """End every block."""
        self._send_calls(final=True)
        self._close()
        self._add_thoughts()
        if self._late_text:
            self._add("text", self._late_text)
            self._close()
        calls = [call.as_call() for call in self._calls.calls.values()]
        state = late_state({**self._vendor, **self._provenance, "tool_calls": calls}) if calls else None
        if state:
            self._add_opaque(state)


def _is_complete(arguments: str) -> bool:
    try:
        json.loads(arguments)
    except (ValueError, RecursionError):
        return False
    return True


def error_body(error: Exception) -> dict[str, Any]:
    """Return the body of an error in Anthropic's format."""
    status = getattr(error, "status", None)
    kind = _ERRORS.get(status, "api_error") if isinstance(status, int) else "api_error"
    return {"type": "error", "error": {"type": kind, "message": str(error)}}
