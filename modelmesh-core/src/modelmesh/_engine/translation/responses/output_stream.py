"""Items of a response while they are streamed."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from modelmesh._engine.translation.responses.reply import item_id, message_item, reasoning_item, text_part, token_logprob
from modelmesh._engine.translation.vendor_state import encode_state, merge_fields, thinking_state


class Emitter:
    """Numbers the events and keeps the output so far."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []
        self._number = 0

    def emit(self, kind: str, **fields: Any) -> None:
        """Add an event."""
        self._events.append({"type": kind, "sequence_number": self._number, **fields})
        self._number += 1

    def take(self) -> list[dict[str, Any]]:
        """Return the events since the last call."""
        events, self._events = self._events, []
        return events

    def add_item(self, item: dict[str, Any]) -> int:
        """Begin an item and return its index."""
        place = len(self.items)
        self.items.append(item)
        self.emit("response.output_item.added", output_index=place, item=deepcopy(item))
        return place

    def end_item(self, place: int, item: dict[str, Any]) -> None:
        """End an item."""
        self.items[place] = item
        self.emit("response.output_item.done", output_index=place, item=deepcopy(item))


class ReasoningStream:
    """The thoughts of the model.

    Attributes:
        fields: Fields of the message with the thoughts so far, without their text.
    """

    def __init__(self, emitter: Emitter, base: str, number: int) -> None:
        self.fields: dict[str, Any] = {}
        self._emitter, self._base, self._number = emitter, base, number
        self._id = item_id("rs", base, number)
        self._place = emitter.add_item({"id": self._id, "type": "reasoning", "summary": [], "status": "in_progress"})
        self._pieces: list[str] = []
        self._name = ""

    def _emit(self, kind: str, **fields: Any) -> None:
        where = {"item_id": self._id, "output_index": self._place, "summary_index": 0}
        self._emitter.emit(f"response.reasoning_summary_{kind}", **where, **fields)

    def add(self, fields: dict[str, Any], name: str, text: str) -> None:
        """Add a delta.

        Args:
            fields: The fields of the delta.
            name: The field with the text.
            text: The text.
        """
        merge_fields(self.fields, {one: value for one, value in fields.items() if one != name})
        if not text:
            return
        if not self._pieces:
            self._emit("part.added", part={"type": "summary_text", "text": ""})
        self._name = self._name or name
        self._pieces.append(text)
        self._emit("text.delta", delta=text)

    def sync(self) -> None:
        """Write the text so far into the output."""
        if self._pieces:
            self._emitter.items[self._place]["summary"] = [{"type": "summary_text", "text": "".join(self._pieces)}]

    def close(self, *, cut: bool = False) -> None:
        """End the item."""
        text = "".join(self._pieces)
        if text:
            self._emit("text.done", text=text)
            self._emit("part.done", part={"type": "summary_text", "text": text})
            self.fields[self._name] = text
        item = reasoning_item(self._base, self._number, text, encode_state(thinking_state(self.fields)))
        if cut:
            item["status"] = "incomplete"
        self._emitter.end_item(self._place, item)


class MessageStream:
    """A message with text and, if the model refuses, a refusal."""

    def __init__(self, emitter: Emitter, base: str, number: int) -> None:
        self._emitter = emitter
        self._item = {**message_item(base, number, []), "status": "in_progress"}
        self._place = emitter.add_item(self._item)
        self._parts: list[dict[str, Any]] = self._item["content"]
        self._kind = ""
        self._pieces: list[str] = []

    def _emit(self, kind: str, **fields: Any) -> None:
        where = {"item_id": self._item["id"], "output_index": self._place, "content_index": len(self._parts) - 1}
        self._emitter.emit(f"response.{kind}", **where, **fields)

    def _begin_part(self, kind: str, empty: dict[str, Any]) -> None:
        self._end_part()
        self._kind = kind
        self._parts.append(empty)
        self._emit("content_part.added", part=deepcopy(empty))

    def add_text(self, text: str, logprobs: Sequence[Any], annotations: Sequence[Any]) -> None:
        """Add a delta of the text."""
        if self._kind != "text":
            self._begin_part("text", text_part(""))
        tokens = [token_logprob(token) for token in logprobs if isinstance(token, dict)]
        part = self._parts[-1]
        part["logprobs"] += tokens
        if text:
            self._pieces.append(text)
            self._emit("output_text.delta", delta=text, logprobs=tokens)
        for one in annotations:
            self._emit("output_text.annotation.added", annotation=one, annotation_index=len(part["annotations"]))
            part["annotations"].append(one)

    def add_refusal(self, text: str) -> None:
        """Add a delta of the refusal."""
        if self._kind != "refusal":
            self._begin_part("refusal", {"type": "refusal", "refusal": ""})
        self._pieces.append(text)
        self._emit("refusal.delta", delta=text)

    def sync(self) -> None:
        """Write the text so far into the output."""
        if self._kind:
            self._parts[-1][self._kind] = "".join(self._pieces)

    def _end_part(self) -> None:
        if not self._kind:
            return
        self.sync()
        self._pieces.clear()
        part = self._parts[-1]
        if self._kind == "refusal":
            self._emit("refusal.done", refusal=part["refusal"])
        else:
            self._emit("output_text.done", text=part["text"], logprobs=part["logprobs"])
        self._emit("content_part.done", part=deepcopy(part))

    def close(self, *, cut: bool = False) -> None:
        """End the message."""
        self._end_part()
        self._emitter.end_item(self._place, {**self._item, "status": "incomplete" if cut else "completed"})
