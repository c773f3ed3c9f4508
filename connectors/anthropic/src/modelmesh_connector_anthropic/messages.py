"""Conversion of OpenAI's messages to Anthropic's turns and ``system``.

Anthropic's formats are those of the anthropic package 2.11.0 (``message_param.py``, ``tool_result_block_param.py``, read
2026-11-21). The messages obey :data:`modelmesh_connector_anthropic.message_rules.RULES` before this conversion.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh_cdk import invalid_parameter
from modelmesh_connector_anthropic.content import blocks_of
from modelmesh_connector_anthropic.tools import tool_id, tool_use

_RESULT_KEYS = ("is_error", "cache_control", "toolset_name")
_THINKING = ("thinking", "redacted_thinking")


def conversation(payload: Mapping[str, Any], adapted: list[str]) -> tuple[Any, list[Any]]:
    """Return ``system``, ``None`` without one, and the turns.

    Raises:
        ProviderError: Anthropic's format cannot represent a message.
    """
    conversion = _Conversion(adapted)
    if payload.get("system") is not None:
        conversion.system.append(payload["system"])
    messages = payload.get("messages")
    if messages == []:
        raise invalid_parameter("messages", "is empty", "[{'role': 'user', 'content': '…'}]")
    for place, message in enumerate(messages or ()):
        conversion.add(message, f"messages[{place}]")
    conversion.end()
    return conversion.joined_system(), conversion.turns


class _Conversion:
    def __init__(self, adapted: list[str]) -> None:
        self.adapted = adapted
        self.system: list[Any] = []
        self.turns: list[Any] = []
        self._results: list[Any] | None = None
        self._ids: set[str] = set()
        self._renamed: dict[str, str] = {}  # replaced IDs of the latest calls, by the original ID

    def add(self, message: Any, where: str) -> None:
        if not isinstance(message, Mapping):
            raise invalid_parameter(where, f"is {type(message).__name__}, not a message", "{'role': 'user', 'content': '…'}")
        role = message.get("role")
        if role == "tool":
            self._add_result(message, where)
            return
        self._results = None
        if role in ("system", "developer"):
            self._add_system(message, where)
        elif role == "assistant":
            self._add_assistant(message, where)
        else:
            self._add_user(message, where)

    # -- system -------------------------------------------------------------------------------------------------------

    def _add_system(self, message: Mapping[str, Any], where: str) -> None:
        content = message.get("content")
        self.system.append(content if isinstance(content, str) else blocks_of(content, f"{where}.content", self.adapted))

    def joined_system(self) -> Any:
        if len(self.system) <= 1:
            return self.system[0] if self.system else None
        if all(isinstance(part, str) for part in self.system):
            return "\n\n".join(self.system)
        return [block for part in self.system for block in ([{"type": "text", "text": part}] if isinstance(part, str) else part)]

    # -- user and tools -----------------------------------------------------------------------------------------------

    def _add_user(self, message: Mapping[str, Any], where: str) -> None:
        content = message.get("content")
        sent = content if isinstance(content, str) else blocks_of(content, f"{where}.content", self.adapted)
        self.turns.append({"role": message.get("role"), "content": sent})

    def _add_result(self, message: Mapping[str, Any], where: str) -> None:
        given = tool_id(message.get("tool_call_id"), f"{where}.tool_call_id", self.adapted)
        block: dict[str, Any] = {"type": "tool_result", "tool_use_id": self._renamed.get(given, given)}
        content = message.get("content")
        sent = content if isinstance(content, str | None) else blocks_of(content, f"{where}.content", self.adapted)
        if isinstance(sent, str | None):
            block["content"] = sent if sent and sent.strip() else ""
        elif not _is_blank(sent):
            block["content"] = sent
        block |= {name: message[name] for name in _RESULT_KEYS if name in message}
        if self._results is None:  # one user turn contains all results of a turn's calls
            self._results = []
            self.turns.append({"role": "user", "content": self._results})
        self._results.append(block)

    # -- assistant ----------------------------------------------------------------------------------------------------

    def _add_assistant(self, message: Mapping[str, Any], where: str) -> None:
        native = message.get("content_blocks")
        if isinstance(native, list) and _blocks_match_message(native, message):
            self._add_assistant_turn(self._with_unique_ids(_drop_rejected(native, self.adapted)), where)
            return
        content = message.get("content")
        blocks = [] if content is None else blocks_of(content, f"{where}.content", self.adapted)
        thoughts = message.get("thinking_blocks")
        if isinstance(thoughts, list) and not any(_type(block) in _THINKING for block in blocks):
            blocks = [*(_as_sent(block) for block in thoughts), *blocks]
        blocks = _drop_rejected(blocks + self._calls(message, where), self.adapted)
        if blocks == [{"type": "text", "text": content}]:
            self.turns.append({"role": "assistant", "content": content})
        else:
            self._add_assistant_turn(self._with_unique_ids(blocks), where)

    def _calls(self, message: Mapping[str, Any], where: str) -> list[Any]:
        calls = message.get("tool_calls") or []
        if not isinstance(calls, list):
            what = f"is {type(calls).__name__}, not a list"
            raise invalid_parameter(where + ".tool_calls", what, "the tool calls of the response, unchanged")
        return [tool_use(call, f"{where}.tool_calls[{place}]", self.adapted) for place, call in enumerate(calls)]

    def _with_unique_ids(self, blocks: list[Any]) -> list[Any]:
        """Return blocks with unique IDs of tool calls. Anthropic rejects a repeated ID."""
        self._renamed, found = {}, []
        for block in blocks:
            given = block.get("id") if _type(block) == "tool_use" else None
            if isinstance(given, str) and given in self._ids:
                number = 2
                while f"{given}_{number}" in self._ids:
                    number += 1
                self._renamed[given] = f"{given}_{number}"
                block = {**block, "id": self._renamed[given]}  # noqa: PLW2901 - the block that is sent
                self.adapted.append("repeated IDs of tool calls numbered: Anthropic requires unique IDs")
            if isinstance(given, str):
                self._ids.add(block["id"])
            found.append(block)
        return found

    def end(self) -> None:
        """Remove white space at the end of a last assistant turn, and a turn without other content."""
        last = self.turns[-1] if self.turns else {}
        blocks = last.get("content")
        if last.get("role") != "assistant" or not isinstance(blocks, list) or _type(blocks[-1]) != "text":
            return
        text = blocks[-1].get("text")
        if isinstance(text, str) and text != text.rstrip():
            self.adapted.append("white space at the end of the last message left out: Anthropic rejects it")
            blocks[-1] = {**blocks[-1], "text": text.rstrip()}

    def _add_assistant_turn(self, blocks: list[Any], where: str) -> None:
        if blocks:
            self.turns.append({"role": "assistant", "content": blocks})
        else:
            self.adapted.append(f"{where} (assistant) left out: it is empty")


def _is_blank(content: Any) -> bool:
    """Return whether content is blank: white space, or a list of blank parts."""
    if isinstance(content, list):
        return all(_type(block) == "text" and _is_blank(block.get("text")) for block in content)
    return content is None or (isinstance(content, str) and not content.strip())


def _type(block: Any) -> Any:
    return block.get("type") if isinstance(block, Mapping) else None


def _as_sent(thought: Any) -> Any:
    """Return a thinking block as Anthropic sent it, without the index of our stream's deltas."""
    return {name: value for name, value in thought.items() if name != "index"} if isinstance(thought, Mapping) else thought


def lacks_thinking(turns: list[Any]) -> bool:
    """Return whether the turns end in results of tool calls without a thinking block, such as calls of another vendor's model.

    The configuration of thinking is the same from the question to the answer of a turn with tools. With ``enabled``, its messages
    must begin with a thinking block (platform.claude.com thinking-tool-workflows, CopilotKit/CopilotKit#2191, read 2026-11-21).
    """
    last = next((turn for turn in reversed(turns) if turn.get("role") == "assistant"), None)
    blocks = last["content"] if last is not None and isinstance(last.get("content"), list) else []
    results = turns[-1].get("content") if turns and isinstance(turns[-1], Mapping) else None
    waiting = isinstance(results, list) and any(_type(block) == "tool_result" for block in results)
    return waiting and bool(blocks) and _type(blocks[0]) not in _THINKING


def _drop_rejected(blocks: list[Any], adapted: list[str]) -> list[Any]:
    """Drop blocks that Anthropic rejects: blank text, and thoughts without its signature."""
    found = []
    for block in blocks:
        kind = _type(block)
        if kind == "text" and _is_blank(block.get("text")):
            continue
        if kind in _THINKING and not block.get("signature" if kind == "thinking" else "data"):
            adapted.append("a thinking block without a signature left out")
            continue
        found.append(block)
    return found


def _blocks_match_message(blocks: list[Any], message: Mapping[str, Any]) -> bool:
    """Return whether blocks and message agree. A caller may have changed only one of them."""
    text = "".join(block["text"] for block in blocks if _type(block) == "text" and isinstance(block.get("text"), str))
    called = [block.get("id") for block in blocks if _type(block) == "tool_use"]
    calls = [call.get("id") for call in message.get("tool_calls") or () if isinstance(call, Mapping)]
    return text == (message.get("content") or "") and called == calls
