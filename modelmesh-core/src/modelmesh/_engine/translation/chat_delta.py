"""Parts of a chat chunk, and the message that the chunks so far contain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field

from modelmesh._engine.translation.chat_answers import index_of
from modelmesh._engine.translation.vendor_state import merge_fields
from modelmesh.contracts.conversation import CALL_FIELDS, MESSAGE_FIELDS


@define
class StreamedCall:
    """A tool call that deltas complete.

    Attributes:
        index: Index in the deltas.
        id: ID of the call.
        kind: ``function`` or ``custom``.
        name: Name of the tool.
        pieces: Parts of the arguments so far, or of the free text of a custom tool.
        extra: Fields of the vendor.
    """

    index: int
    id: str = ""
    kind: str = "function"
    name: str = ""
    pieces: list[str] = field(factory=list)
    extra: dict[str, Any] = field(factory=dict)

    def feed(self, delta: Mapping[str, Any]) -> str:
        """Add a delta and return its part of the arguments."""
        if isinstance(delta.get("id"), str) and not self.id:
            self.id = delta["id"]
        custom, function = delta.get("custom"), delta.get("function")
        if isinstance(custom, Mapping):
            self.kind = "custom"
        inner = custom if isinstance(custom, Mapping) else function if isinstance(function, Mapping) else {}
        if isinstance(inner.get("name"), str) and not self.name:
            self.name = inner["name"]
        piece = inner.get("input" if self.kind == "custom" else "arguments")
        piece = piece if isinstance(piece, str) else ""
        self.pieces.append(piece)
        merge_fields(self.extra, {name: value for name, value in delta.items() if name not in CALL_FIELDS})
        return piece

    @property
    def arguments(self) -> str:
        """Arguments so far."""
        return "".join(self.pieces)

    def as_call(self) -> dict[str, Any]:
        """Return the call as in a complete message."""
        field_name = "input" if self.kind == "custom" else "arguments"
        made = {"id": self.id, "type": self.kind, self.kind: {"name": self.name, field_name: self.arguments}}
        return {**made, **self.extra}


@define
class StreamedCalls:
    """Tool calls of a stream by their index. A delta without an index belongs to its position in the list."""

    calls: dict[int, StreamedCall] = field(factory=dict)

    def feed(self, deltas: Any) -> list[tuple[StreamedCall, str, bool]]:
        """Add deltas and return for each the call, its part of the arguments, and whether the call is new."""
        found = []
        for place, delta in enumerate(deltas if isinstance(deltas, list) else ()):
            if not isinstance(delta, Mapping):
                continue
            index = index_of(delta, place)
            new = index not in self.calls
            call = self.calls[index] if not new else self.calls.setdefault(index, StreamedCall(index))
            found.append((call, call.feed(delta), new))
        return found


def vendor_fields(delta: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a delta outside OpenAI's format."""
    return {name: value for name, value in delta.items() if name not in MESSAGE_FIELDS and value is not None}
