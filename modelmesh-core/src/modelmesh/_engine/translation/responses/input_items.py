"""Conversion of the input items of the Responses API to messages.

Consecutive items of the assistant (thoughts, text, calls) are one message, as in a chat completion.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh._engine.translation.chat_answers import as_list, as_mapping
from modelmesh._engine.translation.findings import Findings
from modelmesh._engine.translation.refusals import refused
from modelmesh._engine.translation.responses.content import chat_content
from modelmesh._engine.translation.vendor_state import decode_state, is_state, restore_state

_CALLS = {"function_call": ("function", "arguments"), "custom_tool_call": ("custom", "input")}
_OUTPUTS = ("function_call_output", "custom_tool_call_output")
_EXAMPLE = (
    "Pass the items of the response unchanged, and {'type': 'function_call_output', 'call_id': …, 'output': …} for a result"
)


def messages_of(given: Mapping[str, Any], findings: Findings) -> list[dict[str, Any]]:
    """Return the messages of ``instructions`` and ``input``.

    Raises:
        BadRequestError: An item is invalid.
    """
    conversion = _Conversion(findings)
    instructions, items = given.get("instructions"), given.get("input")
    if instructions:
        conversion.add_instructions(instructions)
    if isinstance(items, str):
        conversion.messages.append({"role": "user", "content": items})
    elif isinstance(items, list | tuple):
        for place, item in enumerate(items):
            conversion.add(item, f"input[{place}]")
    elif items is not None:
        raise refused(
            "input", f"is {type(items).__name__}, neither text nor a list of items", "Give input='…' or a list of items"
        )
    conversion.end_turn()
    return conversion.messages


class _Conversion:
    def __init__(self, findings: Findings) -> None:
        self.messages: list[dict[str, Any]] = []
        self._findings = findings
        self._turn: dict[str, Any] | None = None
        self._states: list[tuple[dict[str, Any], str]] = []

    def add_instructions(self, instructions: Any) -> None:
        if isinstance(instructions, str):
            self.messages.append({"role": "system", "content": instructions})
            return
        for place, item in enumerate(as_list(instructions)):
            self.add(item, f"instructions[{place}]")

    def add(self, item: Any, where: str) -> None:
        """Add one item."""
        if not isinstance(item, Mapping):
            raise refused(where, f"is {type(item).__name__}, not an item", "Give {'role': 'user', 'content': '…'}")
        kind = str(item.get("type") or "message")
        if kind == "message":
            self._add_message(item, where)
        elif kind in _CALLS:
            self._add_call(item, kind, where)
        elif kind in _OUTPUTS:
            self._add_output(item, where)
        elif kind == "reasoning":
            self._add_reasoning(item, where)
        elif kind == "item_reference":
            self._findings.require_native(f"{where}: the item of a reference is stored at one account")
        else:
            self._findings.require_native(f"{where}: an item {kind!r} belongs to the Responses API")

    # -- messages -----------------------------------------------------------------------------------------------------

    def _add_message(self, item: Mapping[str, Any], where: str) -> None:
        role = item.get("role")
        content = chat_content(item.get("content"), f"{where}.content", self._findings)
        if item.get("phase") is not None:
            self._findings.lose("phase of a message", "chat completions have none")
        if role != "assistant":
            self.end_turn()
            self.messages.append({"role": role, "content": content})
            return
        if (
            self._turn is not None
            and "tool_calls" not in self._turn
            and (self._turn["content"] is not None or "refusal" in self._turn)
        ):
            self.end_turn()
        turn = self._open_turn()
        if isinstance(content, list) and len(content) == 1 and as_mapping(content[0]).get("type") == "refusal":
            turn["refusal"] = content[0].get("refusal")
        elif turn["content"] is None:
            turn["content"] = content
        else:  # a text after calls, whose results must follow their message
            turn["content"] = [*_as_parts(turn["content"]), *_as_parts(content)]

    def _open_turn(self) -> dict[str, Any]:
        if self._turn is None:
            self._turn = {"role": "assistant", "content": None}
        return self._turn

    # -- calls and results --------------------------------------------------------------------------------------------

    def _add_call(self, item: Mapping[str, Any], kind: str, where: str) -> None:
        name, field = _CALLS[kind]
        if not isinstance(item.get("call_id"), str) or not isinstance(item.get("name"), str):
            raise refused(where, "has no call_id or no name", _EXAMPLE)
        caller = item.get("caller")
        if isinstance(caller, Mapping) and caller.get("type") != "direct":
            self._findings.require_native(f"{where}: a program of the Responses API made the call")
        if item.get("namespace"):
            self._findings.require_native(f"{where}: chat completions have no namespaces of tools")
        made = {"name": item["name"], field: item.get(field) or ""}
        self._open_turn().setdefault("tool_calls", []).append({"id": item["call_id"], "type": name, name: made})

    def _add_output(self, item: Mapping[str, Any], where: str) -> None:
        if not isinstance(item.get("call_id"), str):
            raise refused(where, "has no call_id", _EXAMPLE)
        self.end_turn()
        content = chat_content(item.get("output"), f"{where}.output", self._findings)
        self.messages.append({"role": "tool", "tool_call_id": item["call_id"], "content": content})

    # -- thoughts -----------------------------------------------------------------------------------------------------

    def _add_reasoning(self, item: Mapping[str, Any], where: str) -> None:
        encrypted = item.get("encrypted_content")
        if encrypted and not is_state(encrypted):
            self._findings.require_native(f"{where}: only the account that encrypted the reasoning can read it")
            return
        state = decode_state(encrypted)
        if state is None:
            self._findings.lose(f"reasoning of {where}", "it does not name its vendor")
            return
        parts = [*as_list(item.get("summary")), *as_list(item.get("content"))]
        text = "".join(str(part.get("text") or "") for part in parts if isinstance(part, Mapping))
        self._open_turn()
        self._states.append((state, text))

    def end_turn(self) -> None:
        """End the message of the assistant."""
        turn, states = self._turn, self._states
        self._turn, self._states = None, []
        if turn is None:
            return
        for state, text in states:
            restore_state(turn, state, text)
        self.messages.append(turn)


def _as_parts(content: Any) -> list[Any]:
    return content if isinstance(content, list) else [{"type": "text", "text": content}]
