"""Assembly of the tool calls of a stream from their pieces."""

from __future__ import annotations

from typing import Any

from modelmesh._engine.routing.message_check import InvalidPart, is_custom, wrong_type


class StreamedCalls:
    """Tool calls of one choice. The first piece of a call contains its ID, and every piece its index, as in OpenAI's format."""

    __slots__ = ("_calls", "_custom")

    def __init__(self) -> None:
        self._calls: dict[int, dict[str, Any]] = {}
        self._custom: set[int] = set()

    def feed(self, pieces: Any) -> None:
        """Add the pieces of one delta.

        Raises:
            InvalidPart: A part of a piece is missing or of the wrong type.
        """
        if pieces.__class__ is not list:
            raise wrong_type("'tool_calls'", pieces, "a list")
        for piece in pieces:
            if piece.__class__ is not dict:
                raise wrong_type("a tool call", piece, "an object")
            index = piece.get("index")
            if index.__class__ is not int or index < 0:
                raise InvalidPart("the index of a tool call is not a non-negative integer")
            name, arguments = _function_of(piece)
            call = self._calls.get(index) or self._begin(index, piece)
            call["function"]["name"] += name
            call["function"]["arguments"] += arguments

    def _begin(self, index: int, piece: dict[str, Any]) -> dict[str, Any]:
        id_ = piece.get("id")
        if not isinstance(id_, str) or not id_:
            raise wrong_type("the ID of a tool call", id_, "text")
        call = self._calls[index] = {"id": id_, "type": "function", "function": {"name": "", "arguments": ""}}
        if is_custom(piece):
            self._custom.add(index)
        return call

    def functions(self) -> list[dict[str, Any]]:
        """Return the calls with JSON arguments."""
        return [call for index, call in self._calls.items() if index not in self._custom]

    def complete(self, delta: dict[str, Any]) -> None:
        """Write an empty object into the last delta as the arguments of calls without any."""
        for index, call in self._calls.items():
            if index not in self._custom and not call["function"]["arguments"]:
                call["function"]["arguments"] = "{}"
                delta["tool_calls"] = [*(delta.get("tool_calls") or ()), {"index": index, "function": {"arguments": "{}"}}]

    def all(self) -> list[dict[str, Any]]:
        """Return all calls so far. The arguments of the last one may be incomplete."""
        return [call for _, call in sorted(self._calls.items())]


def _function_of(piece: dict[str, Any]) -> tuple[str, str]:
    """Return the parts of the name and the arguments that a piece adds."""
    function = piece.get("function")
    if function is None:
        return "", ""
    if function.__class__ is not dict:
        raise wrong_type("the function of a tool call", function, "an object")
    name, arguments = function.get("name"), function.get("arguments")
    for value in (name, arguments, piece.get("id")):
        if value is not None and value.__class__ is not str:
            raise wrong_type("a part of a tool call", value, "text")
    return name or "", arguments or ""
