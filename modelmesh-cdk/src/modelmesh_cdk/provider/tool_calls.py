"""Tool calls of answers and streams: each call has an index and an ID of its own, whatever the server numbers.

Servers of OpenAI's format put two calls under one ``index`` (Gemini's compatible endpoints, su-kaka/gcli2api#406), leave ``id``
out (GLM on Mistral, Ollama: anomalyco/opencode#47954, continuedev/continue#13235), send ``index: null`` or repeat ID and name in
each chunk; all read 2026-11-30. A client that joins deltas by index would join the arguments of two calls.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from modelmesh_cdk.provider.call_ids import digest


class _Call:
    """A call of a stream: its place, the server's index and ID, its tool, and its arguments so far."""

    __slots__ = ("arguments", "given", "id", "name", "place")

    def __init__(self, place: int, given: Any, name: Any) -> None:
        self.place = place
        self.given = given
        self.id: Any = None
        self.name = name
        self.arguments = ""

    def is_complete(self) -> bool:
        """Return whether its arguments are a whole JSON value, so that another piece begins another call."""
        try:
            json.loads(self.arguments)
        except ValueError:
            return False
        return True


class ToolCallIndexer:
    """Numbers the tool calls of one stream in the order in which they begin."""

    __slots__ = ("_choices",)

    def __init__(self) -> None:
        self._choices: dict[Any, list[_Call]] = {}

    def assign_indices(self, chunk: Mapping[str, Any]) -> None:
        """Give each tool call in a chunk its index, and the first piece of each an ID; the chunk is changed."""
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            delta = choice.get("delta") if isinstance(choice, dict) else None
            pieces = delta.get("tool_calls") if isinstance(delta, dict) else None
            if isinstance(pieces, list):
                index = choice.get("index")
                calls = self._choices.setdefault(index if isinstance(index, int) else 0, [])
                for piece in pieces:
                    if isinstance(piece, dict) and isinstance(piece.get("index"), int | None):  # else for the mesh to refuse
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
    """Return the call that a piece goes on with; ``None`` when it begins one."""
    given, index = piece.get("id"), piece.get("index")
    if given:
        return next((call for call in calls if call.id == given), None)
    same = [call for call in calls if call.given == index] if index is not None else calls
    last = same[-1] if same else None
    if last is None or not name or (name == last.name and not last.is_complete()):
        return last
    return None if last.name else last


def _leave_out_repeated(piece: dict[str, Any], inner: dict[str, Any], call: _Call) -> None:
    """Leave out what the first piece of a call contained: clients join texts."""
    for part, said in ((piece, "id"), (piece, "type"), (inner, "name")):
        if said in part and (said != "name" or part[said] == call.name):
            del part[said]


def new_id(answer: str, place: int) -> str:
    """Return an ID for a call that came without one; the same call of the same answer always gets the same."""
    return f"call_{digest(f'{answer}/{place}', 24)}"


def complete_calls(answer: Mapping[str, Any]) -> None:
    """Complete the messages of a whole answer that call tools; the answer is changed."""
    choices = answer.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict):
            complete_message(choice.get("message"), str(answer.get("id")))


def complete_message(message: Any, answer: str) -> None:
    """Give a whole message ``content``, and each of its tool calls an ID of its own and a type; the message is changed.

    Args:
        message: Of a whole answer; Groq leaves ``content`` out of one that calls tools.
        answer: The answer's ID.
    """
    calls = message.get("tool_calls") if isinstance(message, dict) else None
    if not isinstance(calls, list) or not calls:
        return
    message.setdefault("content", None)
    seen = set()
    for place, call in enumerate(calls):
        if not isinstance(call, dict):
            continue
        given = call.get("id")
        if given in (None, "") or (isinstance(given, str) and given in seen):
            call["id"] = new_id(answer, place)
        if isinstance(call.get("function"), dict):
            call.setdefault("type", "function")
        seen.add(str(call["id"]))
