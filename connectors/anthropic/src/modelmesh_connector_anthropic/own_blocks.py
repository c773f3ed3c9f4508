"""Messages with blocks of Anthropic's SDK among messages in OpenAI's format.

The message rules read tool calls and results in OpenAI's format only. An assistant's blocks stay on the message as
``content_blocks``. :mod:`modelmesh_connector_anthropic.messages` sends them unchanged while they agree with the fields.
Block types are those of the anthropic package 2.11.0 (``types/content_block_param.py``, ``types/beta/beta_content_block.py``),
read 2026-11-30.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh_connector_anthropic.answers import tool_call_from_block

_OF_ASSISTANT = frozenset(
    {
        "thinking", "redacted_thinking", "tool_use", "server_tool_use", "web_search_tool_result", "web_fetch_tool_result",
        "code_execution_tool_result", "bash_code_execution_tool_result", "text_editor_code_execution_tool_result",
        "tool_search_tool_result", "advisor_tool_result", "mcp_tool_use", "mcp_tool_result", "mcp_tool_listing",
        "container_upload", "compaction", "fallback",
    }
)  # fmt: skip
_OF_RESULT = ("is_error", "cache_control", "toolset_name")


def in_openai_fields(messages: list[Any]) -> list[Any]:
    """Return messages with tool calls and results in OpenAI's fields.

    Args:
        messages: Messages in OpenAI's format, some with Anthropic's blocks. They are not changed.
    """
    found: list[Any] = []
    for message in messages:
        content = message.get("content") if isinstance(message, Mapping) else None
        if not isinstance(content, list):
            found.append(message)
            continue
        kinds = {_type(block) for block in content}
        if message.get("role") == "assistant" and kinds & _OF_ASSISTANT and "content_blocks" not in message:
            found.append(_assistant(message, content))
        elif "tool_result" in kinds and message.get("role") == "user":
            found += _results(message, content)
        else:
            found.append(message)
    return found


def _type(block: Any) -> str:
    return str(block.get("type")) if isinstance(block, Mapping) else ""


def _is_own(block: Mapping[str, Any]) -> bool:
    kind = _type(block)
    if kind == "text":
        return isinstance(block.get("text"), str)
    if kind == "tool_use":
        named = all(isinstance(block.get(name), str) and block[name] for name in ("id", "name"))
        return named and isinstance(block.get("input"), Mapping)
    return kind in _OF_ASSISTANT


def _assistant(message: Mapping[str, Any], blocks: list[Any]) -> Mapping[str, Any]:
    known = [block if isinstance(block, Mapping) else {"type": "text", "text": block} for block in blocks]
    if not all(_is_own(block) for block in known):
        return message  # parts of several formats, which the message rules convert
    texts = [block["text"] for block in known if block.get("type") == "text" and isinstance(block.get("text"), str)]
    calls = [tool_call_from_block(block) for block in known if block.get("type") == "tool_use"]
    given = message.get("tool_calls") or []
    made = {**message, "content": "".join(texts) or None, "content_blocks": known}
    return {**made, "tool_calls": [*calls, *given]} if calls else made


def _results(message: Mapping[str, Any], blocks: list[Any]) -> list[Any]:
    found: list[Any] = []
    rest: list[Any] = []
    for block in blocks:
        if not isinstance(block, Mapping) or block.get("type") != "tool_result":
            rest.append(block)
            continue
        result = {"role": "tool", "tool_call_id": block.get("tool_use_id"), "content": block.get("content") or ""}
        found.append(result | {name: block[name] for name in _OF_RESULT if name in block})
    return [*found, {**message, "content": rest}] if rest else found
