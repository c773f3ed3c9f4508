"""Conversion of ``system`` and turns of the Messages API to messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from modelmesh._engine.translation.findings import Findings
from modelmesh._engine.translation.messages.blocks import chat_content
from modelmesh._engine.translation.refusals import refused
from modelmesh._engine.translation.vendor_state import decode_state, restore_state

_EXAMPLE = "Give {'role': 'user', 'content': '…'}"
_RESULT_LOST = ("cache_control", "toolset_name")


def messages_of(given: Mapping[str, Any], findings: Findings) -> list[dict[str, Any]]:
    """Return the messages of a conversation.

    Raises:
        BadRequestError: A turn is invalid.
    """
    found: list[dict[str, Any]] = []
    if given.get("system"):
        found.append({"role": "system", "content": chat_content(given["system"], "system", findings)})
    turns = given["messages"]
    if not isinstance(turns, list | tuple):
        raise refused("messages", f"is {type(turns).__name__}, not a list", _EXAMPLE)
    for place, turn in enumerate(turns):
        where = f"messages[{place}]"
        if not isinstance(turn, Mapping):
            raise refused(where, f"is {type(turn).__name__}, not a message", _EXAMPLE)
        content = turn.get("content")
        if turn.get("role") == "assistant" and isinstance(content, list | tuple):
            found.append(_assistant(content, where, findings))
        elif isinstance(content, list | tuple):
            found += _results(content, where, findings)
            rest = [block for block in content if _kind(block) != "tool_result"]
            if rest or not content:
                found.append({"role": turn.get("role"), "content": chat_content(rest, where, findings)})
        else:
            found.append({"role": turn.get("role"), "content": content})
    return found


def _kind(block: Any) -> Any:
    return block.get("type") if isinstance(block, Mapping) else None


def _results(blocks: Any, where: str, findings: Findings) -> list[dict[str, Any]]:
    """Return a tool message for each result. The messages precede the rest of their turn, as OpenAI's format requires."""
    found = []
    for block in blocks:
        if _kind(block) != "tool_result":
            continue
        if not isinstance(block.get("tool_use_id"), str):
            raise refused(where, "has a tool_result without tool_use_id", "Give the id of the tool_use block")
        content = chat_content(block.get("content"), where, findings)
        if block.get("is_error"):
            content = _marked(content)
            findings.convert("is_error of a tool_result sent as the text 'Error:' before its content")
        for name in _RESULT_LOST:
            if block.get(name):
                findings.lose(f"{name} of a tool_result", "a tool message has none")
        found.append({"role": "tool", "tool_call_id": block["tool_use_id"], "content": content})
    return found


def _marked(content: Any) -> Any:
    return [{"type": "text", "text": "Error:"}, *content] if isinstance(content, list) else f"Error: {content}"


def _assistant(blocks: Any, where: str, findings: Findings) -> dict[str, Any]:
    texts, calls, states = [], [], []
    for block in blocks:
        kind = _kind(block)
        if kind in ("thinking", "redacted_thinking"):
            state = decode_state(block.get("signature" if kind == "thinking" else "data"))
            if state is None:
                findings.lose(f"{kind} of {where}", "only Anthropic can read it")
            else:
                states.append((state, str(block.get("thinking") or "")))
        elif kind == "tool_use":
            calls.append(_call(block, where, findings))
        else:
            texts.append(block)
    message: dict[str, Any] = {"role": "assistant", "content": chat_content(texts, where, findings) if texts else None}
    if calls:
        message["tool_calls"] = calls
    for state, text in states:
        restore_state(message, state, text)
    if not texts and not calls and not states:
        message["content"] = ""
    return message


def _call(block: Mapping[str, Any], where: str, findings: Findings) -> dict[str, Any]:
    if not isinstance(block.get("id"), str) or not isinstance(block.get("name"), str):
        raise refused(where, "has a tool_use without id or name", "Pass the blocks of the answer unchanged")
    caller = block.get("caller")
    if isinstance(caller, Mapping) and caller.get("type") != "direct":
        findings.require_native(f"{where}: code that Anthropic ran made the call")
    for name in ("cache_control", "toolset_name"):
        if block.get(name):
            findings.lose(f"{name} of a tool_use", "a tool call has none")
    given = block.get("input")
    arguments = given if isinstance(given, str) else json.dumps({} if given is None else given, ensure_ascii=False)
    return {"id": block["id"], "type": "function", "function": {"name": block["name"], "arguments": arguments}}
