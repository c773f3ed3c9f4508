"""Tool calls of answers and streams: each call gets a unique index and ID.

Servers of OpenAI's format put two calls under one ``index`` (Gemini's compatible endpoints, su-kaka/gcli2api#406), omit ``id``
(GLM on Mistral, Ollama: anomalyco/opencode#47954, continuedev/continue#13235), send ``index: null`` or repeat ID and name in each
chunk, all read 2026-11-30. A client that joins deltas by index would join the arguments of two calls.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from modelmesh_cdk.provider.call_ids import digest


class _Call:
    """A call of a stream: its index, the server's index and ID, the tool, and the arguments received so far."""

    __slots__ = ("arguments", "given", "id", "name", "place")

    def __init__(self, place: int, given: Any, name: Any) -> None:
        self.place = place
        self.given = given
        self.id: Any = None
        self.name = name
        self.arguments = ""

    def is_complete(self) -> bool:
        """Return whether the arguments are a complete JSON value. Then another piece begins another call."""
        try:
            json.loads(self.arguments)
        except ValueError:
            return False
        return True


class ToolCallIndexer:
    """Assigns indices to the tool calls of one stream in the order of their first pieces."""

    __slots__ = ("_choices",)

    def __init__(self) -> None:
        self._choices: dict[Any, list[_Call]] = {}

    def assign_indices(self, chunk: Mapping[str, Any]) -> None:
        """Set the index of each tool call in a chunk, and the ID of its first piece. Changes the chunk."""
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            delta = choice.get("delta") if isinstance(choice, dict) else None
            pieces = delta.get("tool_calls") if isinstance(delta, dict) else None
            if isinstance(pieces, list):
                index = choice.get("index")
                calls = self._choices.setdefault(index if isinstance(index, int) else 0, [])
                for piece in pieces:
                    if isinstance(piece, dict) and isinstance(piece.get("index"), int | None):  # the mesh rejects others
                        _place(piece, calls, str(chunk.get("id")))


def _place(piece: dict[str, Any], calls: list[_Call], answer: str) -> None:
    function = piece.get("function")
    inner = function if isinstance(function, dict) else {}
    name = inner.get("name")
    call = _found(piece, name, calls)
    if call is None:
        call = _Call(len(calls), piece.get("index"), name)
        calls.append(call)
        call.id = piece.get("id") or None
        if call.id is None:
            piece["id"] = call.id = new_id(answer, call.place)
        piece.setdefault("type", "function")
    else:
        call.name = call.name or name
        _leave_out_repeated(piece, inner, call)
    piece["index"] = call.place
    if isinstance(inner.get("arguments"), str):
        call.arguments += inner["arguments"]


def _found(piece: Mapping[str, Any], name: Any, calls: list[_Call]) -> _Call | None:
    """Return the call that a piece continues, ``None`` when the piece begins a call."""
    given, index = piece.get("id"), piece.get("index")
    if given:
        return next((call for call in calls if call.id == given), None)
    same = [call for call in calls if call.given == index] if index is not None else calls
    last = same[-1] if same else None
    if last is None or not name or (name == last.name and not last.is_complete()):
        return last
    return None if last.name else last


def _leave_out_repeated(piece: dict[str, Any], inner: dict[str, Any], call: _Call) -> None:
    """Remove what the first piece of a call contained, because clients concatenate texts."""
    for part, key in ((piece, "id"), (piece, "type"), (inner, "name")):
        if key in part and (key != "name" or part[key] == call.name):
            del part[key]


def new_id(answer: str, place: int) -> str:
    """Return an ID for a call without one. The same call of the same answer gets the same ID."""
    return f"call_{digest(f'{answer}/{place}', 24)}"


def complete_calls(answer: Mapping[str, Any]) -> bool:
    """Complete the tool calls of an answer. Return whether that changed the answer."""
    choices, changed = answer.get("choices"), False
    for choice in choices if isinstance(choices, list) else ():
        message = choice.get("message") if isinstance(choice, dict) else None
        if isinstance(message, dict) and message.get("tool_calls"):
            changed = complete_message(message, str(answer.get("id"))) or changed
    return changed


def complete_message(message: Any, answer: str) -> bool:
    """Set the missing ``content`` of a message, and the missing or repeated IDs and types of its tool calls.

    Args:
        message: A message of a complete answer, which is changed. Groq omits ``content`` where the message calls tools.
        answer: The answer's ID.

    Returns:
        Whether the message was changed.
    """
    calls = message.get("tool_calls") if isinstance(message, dict) else None
    if not isinstance(calls, list) or not calls:
        return False
    changed, seen = "content" not in message, set()
    message.setdefault("content", None)
    for place, call in enumerate(calls):
        if not isinstance(call, dict):
            continue
        given = call.get("id")
        if given in (None, "") or (isinstance(given, str) and given in seen):
            call["id"], changed = new_id(answer, place), True
        if isinstance(call.get("function"), dict) and "type" not in call:
            call["type"], changed = "function", True
        seen.add(str(call["id"]))
    return changed
