"""Tool calls of a stream, put together from their pieces, each under an index of its own."""

from __future__ import annotations

from typing import Any

from modelmesh.routing.messages import WrongPart, is_custom, is_json, made_id, wrong_type


class StreamedCalls:
    """The tool calls of one choice.

    OpenAI numbers the calls and sends an ID with the first piece of each. Other servers send several calls under one index,
    pieces without an index, or calls without an ID (Gemini's compatible endpoint, Ollama, GLM; read 2026-11-30). Callers put
    pieces together by index, so every call gets an index of its own and an ID.
    """

    __slots__ = ("_calls", "_custom", "_last")

    def __init__(self) -> None:
        self._calls: list[dict[str, Any]] = []
        self._custom: set[int] = set()
        self._last: dict[Any, int] = {}

    def feed(self, pieces: Any, answer_id: Any) -> None:
        """Take note of the pieces of one delta, and number them.

        Raises:
            WrongPart: A piece, or a part of one, is of the wrong type.
        """
        if pieces.__class__ is not list:
            raise wrong_type("'tool_calls'", pieces, "a list")
        for piece in pieces:
            if piece.__class__ is not dict:
                raise wrong_type("a tool call", piece, "an object")
            self._feed_piece(piece, answer_id)

    def _feed_piece(self, piece: dict[str, Any], answer_id: Any) -> None:
        number, id_, function = piece.get("index"), piece.get("id"), piece.get("function")
        if number is not None and (number.__class__ is not int or number < 0):
            raise WrongPart("the index of a tool call is no number of a place")
        if id_ is not None and id_.__class__ is not str:
            raise wrong_type("the ID of a tool call", id_, "text")
        if function is None:
            name = arguments = ""
        elif function.__class__ is not dict:
            raise wrong_type("the function of a tool call", function, "an object")
        else:
            name, arguments = function.get("name") or "", function.get("arguments") or ""
            for value in (function.get("name"), function.get("arguments")):
                if value is not None and value.__class__ is not str:
                    raise wrong_type("a part of a tool call", value, "text")
        place = self._place_of(number, id_, name)
        if place is None:
            place = self._begin(number, piece, answer_id)
        call = self._calls[place]
        call["function"]["name"] += name
        call["function"]["arguments"] += arguments
        if piece.get("index") != place:
            piece["index"] = place

    def _place_of(self, number: Any, id_: str | None, name: str) -> int | None:
        """Return which call a piece goes on with, ``None`` when it begins one."""
        if id_:
            known = next((place for place, call in enumerate(self._calls) if call["id"] == id_), None)
            if known is not None:
                return known
        place = self._last.get(number) if number is not None else len(self._calls) - 1
        if place is None or place < 0 or id_:
            return None
        function = self._calls[place]["function"]
        return None if name and function["name"] and is_json(function["arguments"]) else place

    def _begin(self, number: Any, piece: dict[str, Any], answer_id: Any) -> int:
        place = len(self._calls)
        if not piece.get("id"):
            piece["id"] = made_id(answer_id, place)
        self._calls.append({"id": piece["id"], "type": "function", "function": {"name": "", "arguments": ""}})
        if is_custom(piece):
            self._custom.add(place)
        if number is not None:
            self._last[number] = place
        return place

    def functions(self) -> list[dict[str, Any]]:
        """Return the calls that have JSON arguments."""
        return [call for place, call in enumerate(self._calls) if place not in self._custom]

    def complete(self, delta: dict[str, Any]) -> None:
        """Write the arguments of calls that have none, of functions that take none, into the last delta."""
        for place, call in enumerate(self._calls):
            if place not in self._custom and not call["function"]["arguments"]:
                call["function"]["arguments"] = "{}"
                pieces = [*(delta.get("tool_calls") or ()), {"index": place, "function": {"arguments": "{}"}}]
                delta["tool_calls"] = pieces

    def all(self) -> list[dict[str, Any]]:
        """Return all calls so far; the arguments of the last may be cut."""
        return list(self._calls)
