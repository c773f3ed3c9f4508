"""Conversion of OpenAI's messages to Cohere's messages.

Formats are those of the cohere package 7.3.1 (``types/chat_message_v2.py``, ``types/tool_message_v2.py``), read 2026-11-21.
The messages obey :data:`modelmesh_connector_cohere.message_rules.RULES` before this conversion.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh_cdk import invalid_parameter
from modelmesh_connector_cohere.content import convert_content, parts_of
from modelmesh_connector_cohere.message_rules import RULES
from modelmesh_connector_cohere.tools import tool_call


def conversation(payload: Mapping[str, Any], adapted: list[str]) -> list[Any]:
    """Return Cohere's messages.

    Raises:
        ProviderError: Cohere's format cannot represent a message.
    """
    conversion = _Conversion(adapted)
    messages = payload.get("messages")
    if messages == []:
        raise invalid_parameter("messages", "is empty", "[{'role': 'user', 'content': '…'}]")
    for place, message in enumerate(messages or ()):
        conversion.add(message, f"messages[{place}]")
    if messages and not conversion.turns:
        adapted.append(f"a message {RULES.placeholder!r} of the user sent in place of blank ones")
        conversion.turns.append({"role": "user", "content": RULES.placeholder})
    return [*conversion.system(), *conversion.turns]


class _Conversion:
    def __init__(self, adapted: list[str]) -> None:
        self.adapted = adapted
        self.turns: list[Any] = []
        self._system: list[Any] = []

    def add(self, message: Any, where: str) -> None:
        if not isinstance(message, Mapping):
            raise invalid_parameter(where, f"is {type(message).__name__}, not a message", "{'role': 'user', 'content': '…'}")
        role = message.get("role")
        if role in ("system", "developer"):
            self._add_system(message, where)
        elif role == "tool":
            self._add_result(message, where)
        elif role == "assistant":
            self._add_assistant(message, where)
        else:
            self.turns.append({"role": role, "content": convert_content(message.get("content"), f"{where}.content")})

    # -- system -------------------------------------------------------------------------------------------------------

    def _add_system(self, message: Mapping[str, Any], where: str) -> None:
        self._system.append(convert_content(message.get("content"), f"{where}.content"))

    def system(self) -> list[Any]:
        """Return the system message in a list, an empty list without one."""
        if not self._system:
            return []
        content = self._system[0]
        if len(self._system) > 1:
            self.adapted.append("system messages joined: Cohere has one")
            if all(isinstance(part, str) for part in self._system):
                content = "\n\n".join(self._system)
            else:
                content = [part for one in self._system for part in parts_of(one, "system")]
        return [{"role": "system", "content": content}]

    # -- tools --------------------------------------------------------------------------------------------------------

    def _add_result(self, message: Mapping[str, Any], where: str) -> None:
        given = message.get("tool_call_id")
        if not isinstance(given, str) or not given:
            raise invalid_parameter(where, "has no 'tool_call_id'", "the 'id' that the model gave the call")
        self.turns.append(
            {"role": "tool", "tool_call_id": given, "content": convert_content(message.get("content"), f"{where}.content")}
        )

    # -- assistant ----------------------------------------------------------------------------------------------------

    def _add_assistant(self, message: Mapping[str, Any], where: str) -> None:
        turn: dict[str, Any] = {"role": "assistant"}
        calls = self._calls(message, where)
        if calls:
            turn["tool_calls"] = calls
        if message.get("tool_plan"):
            turn["tool_plan"] = message["tool_plan"]
        content = self._content(message, where)
        if content:
            turn["content"] = content
        if message.get("citations"):
            turn["citations"] = _as_sent(message["citations"])
        if calls or content or message.get("tool_plan"):
            self.turns.append(turn)
        else:
            self.adapted.append(f"{where} (assistant) left out: it is empty")

    def _content(self, message: Mapping[str, Any], where: str) -> Any:
        native = message.get("content_blocks")
        if isinstance(native, list) and _blocks_match_message(native, message):
            return native
        content = message.get("content")
        if _is_blank(content):
            content = None
        found = convert_content(content, f"{where}.content") if content else None
        if isinstance(found, list):
            found = [part for part in found if not (_type(part) == "text" and _is_blank(part.get("text")))]
        thoughts = self._thoughts(message)
        return [*thoughts, *(parts_of(found, where) if found else ())] if thoughts else found

    def _thoughts(self, message: Mapping[str, Any]) -> list[Any]:
        """Return Cohere's thinking blocks. Other vendors' thoughts are signed or text."""
        blocks = message.get("thinking_blocks")
        given = _as_sent(blocks) if isinstance(blocks, list) else []
        ours = [block for block in given if _type(block) == "thinking" and block.keys() <= {"type", "thinking"}]
        if len(ours) < len(given) or (message.get("reasoning_content") and not ours):
            self.adapted.append("thoughts that are not Cohere's left out of an assistant message")
        return ours

    def _calls(self, message: Mapping[str, Any], where: str) -> list[Any]:
        calls = message.get("tool_calls") or []
        if not isinstance(calls, list):
            what = f"is {type(calls).__name__}, not a list"
            raise invalid_parameter(where + ".tool_calls", what, "the tool calls of the response, unchanged")
        return [tool_call(call, f"{where}.tool_calls[{place}]") for place, call in enumerate(calls)]


def _as_sent(items: Any) -> Any:
    """Return items as Cohere sent them, without the index of our stream's deltas."""
    if not isinstance(items, list):
        return items
    return [{name: value for name, value in one.items() if name != "index"} if isinstance(one, Mapping) else one for one in items]


def _is_blank(content: Any) -> bool:
    """Return whether content is blank: white space, or a list of blank parts."""
    if isinstance(content, list):
        return all(_type(part) == "text" and _is_blank(part.get("text")) for part in content)
    return content is None or (isinstance(content, str) and not content.strip())


def _type(block: Any) -> Any:
    return block.get("type") if isinstance(block, Mapping) else None


def _blocks_match_message(blocks: list[Any], message: Mapping[str, Any]) -> bool:
    """Return whether the blocks are Cohere's and agree with the message, which the caller may have changed."""
    known = all(_type(block) != "tool_use" and "signature" not in block for block in blocks if isinstance(block, Mapping))
    texts = (block.get("text") for block in blocks if _type(block) == "text")
    return known and "".join(text for text in texts if isinstance(text, str)) == (message.get("content") or "")
