"""The Agent API's stream events as chunks in OpenAI's format.

Events are those of the perplexityai package 0.46.1 (``types/response_stream_chunk.py``) and of Perplexity's guide to
migrating from Sonar, read 2026-11-21. A stream is complete after ``response.completed`` or ``response.incomplete``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from modelmesh.errors import ProviderError
from modelmesh_cdk import ServerSentEvent, json_codec
from modelmesh_connector_perplexity.answers import beyond, convert_tool_call, finish_of, sources_of, text_of, usage_of

_ENDS_BADLY = ("response.failed", "response.cancelled", "error")
_ENDS = ("response.completed", "response.incomplete")
_SILENT = ("response.output_text.done", "response.output_item.added")
"""Events that repeat the contents of deltas or of the completed item."""
_OF_DELTAS = {"type", "delta", "sequence_number", "item_id", "output_index", "content_index", "response_id"}
"""Position of a piece of text, which OpenAI's chunks lack. Other fields of such an event are kept."""


class EventDecoder:
    """Decoder of one stream."""

    def __init__(self, failure: Callable[[Mapping[str, Any]], ProviderError], *, asked_usage: bool) -> None:
        """Create the decoder.

        Args:
            failure: Returns the error of an event of a failed run.
            asked_usage: Whether usage comes in a separate last chunk, as OpenAI sends it on request.
        """
        self.done = False
        self._failure = failure
        self._asked_usage = asked_usage
        self._head: dict[str, Any] = {"id": None, "object": "chat.completion.chunk", "created": int(time.time()), "model": None}
        self._begun = self._spoke = False
        self._calls: list[str] = []

    def decode(self, event: ServerSentEvent) -> Sequence[dict[str, Any]]:
        """Return the chunks of one event.

        Raises:
            ValueError: The event is not JSON, or differs from Perplexity's documentation.
            ProviderError: The run failed.
        """
        if event.data == b"[DONE]":
            return ()
        data = json_codec.decode(event.data)
        if not isinstance(data, dict):
            message = "an event is not a JSON object"
            raise ValueError(message)  # noqa: TRY004 - the kit expects ValueError for an invalid body
        kind = str(data.get("type"))
        if kind in _ENDS_BADLY or data.get("error"):
            answer = data.get("response")
            error = data.get("error") or (answer.get("error") if isinstance(answer, Mapping) else None)
            raise self._failure({**data, "error": error or {"message": data.get("message"), "type": data.get("code") or kind}})
        try:
            return self._read(kind, data)
        except (KeyError, TypeError, AttributeError):
            message = f"an event {kind[:40]!r} lacks a documented field"
            raise ValueError(message) from None

    def _read(self, kind: str, data: dict[str, Any]) -> Sequence[dict[str, Any]]:
        if kind == "response.output_text.delta":
            self._spoke = True
            return (self._chunk({"content": data["delta"]}, {name: data[name] for name in data.keys() - _OF_DELTAS}),)
        if kind in ("response.created", "response.in_progress"):
            return self._begin(data.get("response") or {})
        if kind == "response.output_item.done":
            return self._item(data["item"])
        if kind in _ENDS:
            return self._end(data["response"])
        if kind in _SILENT:
            return ()
        thought = data.get("thought")
        return (self._chunk({"reasoning_content": thought} if thought else {}, {"perplexity_event": data}),)

    def _begin(self, response: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
        self._head |= {name: response[name] for name in ("id", "model") if response.get(name)}
        if self._begun:
            return ()
        self._begun = True
        return (self._chunk({"role": "assistant", "content": ""}),)

    def _item(self, item: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
        kind = item.get("type")
        if kind == "function_call":
            return self._call(item)
        return () if kind == "message" else (self._chunk({}, {"perplexity_event": item}),)

    def _call(self, item: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
        if item["call_id"] in self._calls:
            return ()
        self._calls.append(item["call_id"])
        return (self._chunk({"tool_calls": [{"index": len(self._calls) - 1, **convert_tool_call(item)}]}),)

    def _end(self, response: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
        output, chunks = response["output"], [*self._begin(response)]
        text = "" if self._spoke else text_of(output)
        if text:  # a run may end without deltas of its text
            chunks.append(self._chunk({"content": text}))
        for item in output:
            if isinstance(item, Mapping) and item.get("type") == "function_call":
                chunks += self._call(item)
        last = self._chunk({}, {**beyond(response), **sources_of(output)})
        last["choices"][0]["finish_reason"] = finish_of(response)
        chunks.append(last)
        usage = response.get("usage")
        if isinstance(usage, Mapping):
            if self._asked_usage:
                chunks.append({**self._head, "choices": [], "usage": usage_of(usage)})
            else:
                last["usage"] = usage_of(usage)
        self.done = True
        return chunks

    def _chunk(self, delta: dict[str, Any], extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return {**(extra or {}), **self._head, "choices": [{"index": 0, "delta": delta, "finish_reason": None, "logprobs": None}]}
