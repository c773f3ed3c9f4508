"""Tool calls of a stream, put together from their pieces by index."""

from __future__ import annotations

from typing import Any

from modelmesh._engine.routing.messages import WrongPart, is_custom, wrong_type


class StreamedCalls:
    """The tool calls of one choice. The first piece of a call has its ID, and every piece its index, as OpenAI sends them."""

    __slots__ = ("_calls", "_custom")

    def __init__(self) -> None:
        self._calls: dict[int, dict[str, Any]] = {}
        self._custom: set[int] = set()

    def feed(self, pieces: Any) -> None:
        """Take note of the pieces of one delta.

        Raises:
            WrongPart: A piece, or a part of one, is of the wrong type or missing.
        """
        if pieces.__class__ is not list:
            raise wrong_type("'tool_calls'", pieces, "a list")
        for piece in pieces:
            if piece.__class__ is not dict:
                raise wrong_type("a tool call", piece, "an object")
            index = piece.get("index")
            if index.__class__ is not int or index < 0:
                raise WrongPart("the index of a tool call is no number of a place")
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
        """Return the calls that have JSON arguments."""
        return [call for index, call in self._calls.items() if index not in self._custom]

    def complete(self, delta: dict[str, Any]) -> None:
        """Write the arguments of calls that have none, of functions that take none, into the last delta."""
        for index, call in self._calls.items():
            if index not in self._custom and not call["function"]["arguments"]:
                call["function"]["arguments"] = "{}"
                delta["tool_calls"] = [*(delta.get("tool_calls") or ()), {"index": index, "function": {"arguments": "{}"}}]

    def all(self) -> list[dict[str, Any]]:
        """Return all calls so far; the arguments of the last may be cut."""
        return [call for _, call in sorted(self._calls.items())]


def _function_of(piece: dict[str, Any]) -> tuple[str, str]:
    """Return what a piece adds to the name and the arguments of its call."""
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
