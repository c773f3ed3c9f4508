"""Conversion of chat chunks to the events of a response.

Types and order of the events are those of the openai package 3.52.0 (``types/responses/response_*_event.py``,
``lib/streaming/responses``), read 2026-11-30. Each kind of content is one item until another kind begins. Calls stay
open until the end, because vendors may continue each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from modelmesh._engine.translation.chat_answers import TRUNCATED, as_list, base_id, finish_reason, first_choice, further_fields
from modelmesh._engine.translation.chat_delta import StreamedCall, StreamedCalls, vendor_fields
from modelmesh._engine.translation.responses.output_stream import Emitter, MessageStream, ReasoningStream
from modelmesh._engine.translation.responses.reply import annotations_of, call_item, ending, head, reasoning_item, response_usage
from modelmesh._engine.translation.vendor_state import (
    THINKING_FIELDS,
    encode_state,
    late_state,
    merge_fields,
    thought_text,
)
from modelmesh.contracts.conversation import PROVENANCE


class ResponseEvents:
    """The translation of one stream."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        """Store the body of the caller's request."""
        self._request = request
        self._emitter = Emitter()
        self._response: dict[str, Any] | None = None
        self._base = ""
        self._open: ReasoningStream | MessageStream | None = None
        self._counts = {"rs": 0, "msg": 0}
        self._calls = StreamedCalls()
        self._placed: dict[int, tuple[int, dict[str, Any]]] = {}
        self._vendor: dict[str, Any] = {}
        self._provenance: dict[str, Any] = {}
        self._reason: Any = None
        self._usage: Any = None

    def feed(self, chunk: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the events of a chunk."""
        self._start(chunk)
        if chunk.get("usage") is not None:
            self._usage = chunk["usage"]
        choice = first_choice(chunk)
        delta = choice.get("delta")
        if isinstance(delta, dict) and delta:
            self._read(delta, choice.get("logprobs"))
        if self._reason is None and finish_reason(choice) is not None:
            self._reason = finish_reason(choice)
            self._finish()
        return self._emitter.take()

    def end(self) -> list[dict[str, Any]]:
        """Return the last event, with the complete response."""
        self._start({})
        if self._reason is None:
            self._finish()
        made = {**ending(self._reason), "usage": response_usage(self._usage)}
        response = self._snapshot(made)
        self._emitter.emit(f"response.{response['status']}", response=response)
        return self._emitter.take()

    def fail(self, error: Exception) -> list[dict[str, Any]]:
        """Return ``response.failed`` with the output so far, and ``error``."""
        self._start({})
        message, code = str(error), str(getattr(error, "code", None) or "server_error")
        usage = response_usage(self._usage or getattr(error, "usage", None))
        known = "rate_limit_exceeded" if getattr(error, "status", None) == _TOO_MANY else "server_error"
        for index, (_, item) in self._placed.items():
            if item["type"] == "function_call":
                item["arguments"] = self._calls.calls[index].arguments
        failed = {"status": "failed", "error": {"code": known, "message": message}, "usage": usage}
        self._emitter.emit("response.failed", response=self._snapshot(failed))
        body = {"type": known, "code": code, "message": message, "param": None}
        self._emitter.emit("error", code=code, message=message, param=None, error=body)
        return self._emitter.take()

    # -- the response -------------------------------------------------------------------------------------------------

    def _start(self, chunk: Mapping[str, Any]) -> None:
        if self._response is not None:
            self._response |= further_fields(chunk)
            return
        self._base = base_id(chunk)
        self._response = head(chunk, self._base, self._request)
        self._emitter.emit("response.created", response=self._snapshot({}))
        self._emitter.emit("response.in_progress", response=self._snapshot({}))

    def _snapshot(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        if self._open is not None:
            self._open.sync()
        return {**(self._response or {}), **changes, "output": deepcopy(self._emitter.items)}

    # -- content ------------------------------------------------------------------------------------------------------

    def _read(self, delta: dict[str, Any], logprobs: Any) -> None:
        text = delta.get("content")
        if len(delta) == 1 and logprobs is None and text.__class__ is str:  # most chunks
            if text:
                self._message().add_text(text, (), ())
            return
        extra = vendor_fields(delta)
        if PROVENANCE in extra:
            self._provenance = {PROVENANCE: extra.pop(PROVENANCE)}
        thoughts = {name: value for name, value in extra.items() if name in THINKING_FIELDS}
        merge_fields(self._vendor, {name: value for name, value in extra.items() if name not in thoughts})
        if thoughts:
            self._think(thoughts)
        annotations = annotations_of(delta)
        if delta.get("content") or annotations:
            given = as_list(logprobs.get("content")) if isinstance(logprobs, Mapping) else []
            self._message().add_text(_text(delta.get("content")), given, annotations)
        if delta.get("refusal") and isinstance(delta["refusal"], str):
            self._message().add_refusal(delta["refusal"])
        called = delta.get("function_call")
        calls = [{"index": 0, "function": called}] if isinstance(called, Mapping) else delta.get("tool_calls")
        for call, piece, new in self._calls.feed(calls):
            self._call(call, piece, new=new)

    def _think(self, thoughts: dict[str, Any]) -> None:
        name, text = thought_text(thoughts)
        if not isinstance(self._open, ReasoningStream):
            if not text and (self._counts["rs"] or self._emitter.items):  # the end of thoughts that other content interrupted
                merge_fields(self._vendor, thoughts)
                return
            self._close()
            self._open = ReasoningStream(self._emitter, self._base, self._counts["rs"])
            self._counts["rs"] += 1
        self._open.add(thoughts, name, text)

    def _message(self) -> MessageStream:
        if not isinstance(self._open, MessageStream):
            self._close()
            self._open = MessageStream(self._emitter, self._base, self._counts["msg"])
            self._counts["msg"] += 1
        return self._open

    def _call(self, call: StreamedCall, piece: str, *, new: bool) -> None:
        if new:
            self._close()
            item = call_item(self._base, len(self._placed), call.as_call())
            item |= {"input" if call.kind == "custom" else "arguments": ""}
            if call.kind != "custom":
                item["status"] = "in_progress"
            self._placed[call.index] = (self._emitter.add_item(item), item)
        place, item = self._placed[call.index]
        if piece:
            kind = "custom_tool_call_input" if call.kind == "custom" else "function_call_arguments"
            self._emitter.emit(f"response.{kind}.delta", item_id=item["id"], output_index=place, delta=piece)

    # -- ends ---------------------------------------------------------------------------------------------------------

    def _close(self, *, cut: bool = False) -> None:
        if self._open is not None:
            if isinstance(self._open, ReasoningStream):
                self._open.fields |= self._provenance
            self._open.close(cut=cut)
            self._open = None

    def _finish(self) -> None:
        """End every item."""
        cut = self._reason in TRUNCATED
        last = max(self._placed) if self._placed else None
        self._close(cut=cut and last is None)
        for index, (place, item) in sorted(self._placed.items()):
            call = self._calls.calls[index]
            number = list(self._placed).index(index)
            done = call_item(self._base, number, call.as_call()) | {"id": item["id"], "call_id": item["call_id"]}
            name, kind = (
                ("input", "custom_tool_call_input") if call.kind == "custom" else ("arguments", "function_call_arguments")
            )
            if cut and index == last:
                done["status"] = "incomplete"
            self._emitter.emit(f"response.{kind}.done", item_id=item["id"], output_index=place, **{name: done[name]})
            self._emitter.end_item(place, done)
        if not self._emitter.items:
            self._message().add_text("", [], [])
            self._close(cut=cut)
        self._add_state()

    def _add_state(self) -> None:
        message = {**self._vendor, **self._provenance, "tool_calls": [call.as_call() for call in self._calls.calls.values()]}
        state = late_state(message)
        if state:
            item = reasoning_item(self._base, max(self._counts["rs"], 1), "", encode_state(state))
            self._emitter.end_item(self._emitter.add_item(item), item)


_TOO_MANY = 429


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text") or "") for part in as_list(content) if isinstance(part, Mapping))
