"""Conversion of ``systemInstruction`` and ``contents`` to messages.

Google's calls need no ID. A result then belongs to the first open call of its name, and the call receives an ID of the mesh.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from modelmesh._engine.translation.findings import Findings
from modelmesh._engine.translation.generate_content.parts import chat_content
from modelmesh._engine.translation.generate_content.signatures import signed_state
from modelmesh._engine.translation.refusals import refused
from modelmesh._engine.translation.vendor_state import restore_state

_EXAMPLE = "Give contents=[{'role': 'user', 'parts': [{'text': '…'}]}]"
_RESULT_LOST = ("scheduling", "willContinue")


def messages_of(given: Mapping[str, Any], findings: Findings) -> list[dict[str, Any]]:
    """Return the messages of a conversation.

    Args:
        given: The request, names in camel case.
        findings: Receives the losses.

    Raises:
        BadRequestError: A turn is invalid.
    """
    turns = _Turns(findings)
    if given.get("systemInstruction"):
        turns.messages.append(
            {"role": "system", "content": chat_content(parts_of(given["systemInstruction"], "systemInstruction"), "", findings)}
        )
    contents = given.get("contents")
    if isinstance(contents, str | Mapping):
        contents = [contents]
    if not isinstance(contents, list | tuple) or not contents:
        raise refused("contents", "is missing, empty or not a list", _EXAMPLE)
    parts: list[Any] = []
    for place, turn in enumerate(contents):
        parts += parts_of(turn, f"contents[{place}]")
        if not (_is_model(turn) and place + 1 < len(contents) and _is_model(contents[place + 1])):  # a turn for each event
            turns.add(parts, f"contents[{place}]", is_model=_is_model(turn))
            parts = []
    return turns.messages


def _is_model(turn: Any) -> bool:
    return isinstance(turn, Mapping) and turn.get("role") == "model"


def parts_of(content: Any, where: str) -> list[Any]:
    """Return the parts of a content.

    Raises:
        BadRequestError: The content is invalid.
    """
    if isinstance(content, str):
        return [{"text": content}]
    parts = content.get("parts") if isinstance(content, Mapping) else None
    if isinstance(parts, Mapping):
        return [parts]
    if not isinstance(parts, list | tuple):
        raise refused(where, "has no list of parts", _EXAMPLE)
    return list(parts)


class _Turns:
    def __init__(self, findings: Findings) -> None:
        self.messages: list[dict[str, Any]] = []
        self._findings = findings
        self._open: list[tuple[str, str]] = []  # name and ID of the calls without a result
        self._made = 0

    def add(self, parts: list[Any], where: str, *, is_model: bool) -> None:
        if is_model:
            self.messages.append(self._assistant(parts, where))
            return
        for part in parts:
            if isinstance(part, Mapping) and isinstance(part.get("functionResponse"), Mapping):
                self.messages.append(self._result(part["functionResponse"], where))
        rest = [part for part in parts if not (isinstance(part, Mapping) and "functionResponse" in part)]
        if rest or not parts:
            self.messages.append({"role": "user", "content": chat_content(rest, where, self._findings)})

    def _result(self, result: Mapping[str, Any], where: str) -> dict[str, Any]:
        for name in _RESULT_LOST:
            if result.get(name):
                self._findings.lose(f"{name} of a functionResponse", "a tool message has none")
        response: Any = result.get("response")
        if isinstance(response, Mapping) and response.keys() == {"output"} and isinstance(response["output"], str):
            content: Any = response["output"]
        else:
            content = json.dumps({} if response is None else response, ensure_ascii=False)
        if result.get("parts"):
            media = chat_content(_media_of(result["parts"]), where, self._findings)
            content = [{"type": "text", "text": content}, *media] if isinstance(media, list) else content
        return {"role": "tool", "tool_call_id": self._answered(result, where), "content": content}

    def _answered(self, result: Mapping[str, Any], where: str) -> str:
        """Return the ID of the call that a result answers."""
        name, given = result.get("name"), result.get("id")
        for place, (called, identity) in enumerate(self._open):
            if identity == given or (not given and called == name):
                return self._open.pop(place)[1]
        if isinstance(given, str) and given:
            return given
        raise refused(
            where, f"has a functionResponse {str(name)[:100]!r} without a functionCall before it", "Send the call first"
        )

    def _assistant(self, parts: list[Any], where: str) -> dict[str, Any]:
        calls, rest, states, thoughts, has_unreadable = [], [], [], "", False
        self._open = []
        for part in parts:
            state = signed_state(part)
            if state is not None:
                states.append(state)
            if isinstance(part, Mapping) and isinstance(part.get("functionCall"), Mapping):
                calls.append(self._call(part["functionCall"], where))
            elif isinstance(part, Mapping) and part.get("thought"):
                thoughts += str(part.get("text") or "") if state is not None else ""
                has_unreadable = has_unreadable or state is None
            elif not (isinstance(part, Mapping) and part.keys() <= {"text", "thoughtSignature"} and not part.get("text")):
                rest.append(part)
        if has_unreadable and not states:
            self._findings.lose(f"a thought of {where}", "only Google can read it")
        message: dict[str, Any] = {"role": "assistant", "content": chat_content(rest, where, self._findings) if rest else None}
        if calls:
            message["tool_calls"] = calls
        for place, state in enumerate(states):
            restore_state(message, state, "" if place else thoughts)
        if not rest and not calls and not states:
            message["content"] = ""
        return message

    def _call(self, call: Mapping[str, Any], where: str) -> dict[str, Any]:
        name = call.get("name")
        if not isinstance(name, str) or not name:
            raise refused(where, "has a functionCall without a name", "Pass the parts of the answer unchanged")
        given = call.get("id")
        if not isinstance(given, str) or not given:
            given = f"call_{self._made}"
            self._made += 1
        self._open.append((name, given))
        arguments = json.dumps({} if call.get("args") is None else call["args"], ensure_ascii=False)
        return {"id": given, "type": "function", "function": {"name": name, "arguments": arguments}}


def _media_of(parts: Any) -> list[Any]:
    return [part for part in parts if isinstance(part, Mapping)] if isinstance(parts, list | tuple) else []
