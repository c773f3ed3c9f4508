"""Conversion of chat chunks to the events of ``streamGenerateContent``.

Each event is an answer with further parts. Google sends a call as a whole, so calls wait for the end of their arguments. The last
event has the finish reasons and the usage.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field

from modelmesh._engine.translation.chat_answers import as_list, as_mapping, finish_reason, index_of, text_of
from modelmesh._engine.translation.chat_delta import StreamedCalls, vendor_fields
from modelmesh._engine.translation.generate_content.errors import error_body
from modelmesh._engine.translation.generate_content.reply import candidate, google_signature, head, parts_of, usage
from modelmesh._engine.translation.generate_content.signatures import sign
from modelmesh._engine.translation.vendor_state import THINKING_FIELDS, late_state, merge_fields, thought_text
from modelmesh.contracts.conversation import PROVENANCE

_SENT = frozenset({"text", "thought", "thoughtSignature", "functionCall"})
"""Fields of the parts that were sent when their text arrived, or that follow with the calls."""

_ENDS = frozenset({"finish_reason", "finishReason", "finishMessage"})


@define
class _Candidate:
    """A choice that its chunks complete."""

    calls: StreamedCalls = field(factory=StreamedCalls)
    vendor: dict[str, Any] = field(factory=dict)
    choice: dict[str, Any] | None = None


class ContentEvents:
    """The translation of one stream."""

    def __init__(self) -> None:
        """Start without content."""
        self._candidates: dict[int, _Candidate] = {}
        self._head: dict[str, Any] = {}
        self._usage: Any = None

    def feed(self, chunk: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the events of a chunk: one with the texts, none for a chunk without any."""
        self._head |= head(chunk)
        if chunk.get("usage") is not None:
            self._usage = chunk["usage"]
        found = []
        for place, choice in enumerate(as_list(chunk.get("choices"))):
            if isinstance(choice, dict):
                found += self._read(choice, index_of(choice, place))
        return [{"candidates": found, **self._head}] if found else []

    def end(self) -> list[dict[str, Any]]:
        """Return the last event."""
        found = [self._finished(one, index) for index, one in sorted(self._candidates.items())]
        return [{"candidates": found, **self._head, **usage(self._usage)}]

    def fail(self, error: Exception) -> list[dict[str, Any]]:
        """Return the event with the error."""
        return [error_body(error)]

    def _read(self, choice: dict[str, Any], index: int) -> list[dict[str, Any]]:
        one = self._candidates.setdefault(index, _Candidate())
        delta = as_mapping(choice.get("delta"))
        one.calls.feed(delta.get("tool_calls"))
        fields = vendor_fields(delta)
        merge_fields(one.vendor, fields)
        parts: list[dict[str, Any]] = []
        thoughts = thought_text({name: fields[name] for name in THINKING_FIELDS if name in fields})[1]
        if thoughts:
            parts.append({"text": thoughts, "thought": True})
        text = text_of(delta.get("content")) + text_of(delta.get("refusal"))
        if text or google_signature(delta):
            parts.append({"text": text, **google_signature(delta)})
        if finish_reason(choice) is not None and one.choice is None:
            one.choice = choice
        if not parts:
            return []
        return [candidate({name: value for name, value in choice.items() if name not in _ENDS}, parts, index)]

    def _finished(self, one: _Candidate, index: int) -> dict[str, Any]:
        calls = [call.as_call() for call in one.calls.calls.values()]
        own = one.vendor.get("content_parts")
        if isinstance(own, list):
            parts = [part for part in own if not part.keys() <= _SENT or "functionCall" in part]
        else:
            message = {"tool_calls": calls, **{name: one.vendor[name] for name in (PROVENANCE,) if name in one.vendor}}
            parts = parts_of(message) if calls else []
            if not str(one.vendor.get(PROVENANCE) or "").startswith("google."):
                parts = _signed(parts, one.vendor, calls)
        return candidate(one.choice or {"finish_reason": "stop"}, parts or [{"text": ""}], index)


def _signed(parts: list[dict[str, Any]], vendor: Mapping[str, Any], calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the last parts with the state of the vendor for thoughts that were sent without it."""
    state = late_state({**vendor, "tool_calls": calls})
    if not state:
        return parts
    if parts:
        return [{**parts[0], "thoughtSignature": sign(state)}, *parts[1:]]
    return [{"text": "", "thoughtSignature": sign(state)}]
