"""Content blocks of Anthropic, Cohere, OpenAI's Responses API and the AI SDK.

Anthropic's blocks are those of the anthropic package 2.11.0 (``types/*_block_param.py``). Those of the Responses API are from
the openai package 3.52.0 (``types/responses/``). Both were read 2026-11-21.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from modelmesh_cdk.message_rules.drafts import DraftMessage
from modelmesh_cdk.message_rules.notes import Notes

THOUGHTS = ("thinking", "redacted_thinking", "reasoning", "reasoning_text", "summary_text", "reasoning.text", "reasoning_content")
_TEXTS = ("input_text", "output_text")
_OF_THE_VENDOR = re.compile(
    r"(server_tool|mcp_tool)_use|(?!tool_result)\w+_tool_result|mcp_list_tools|compaction|step-(start|finish)|source(-\w+)?"
)
"""Blocks of tools that the vendor ran itself, and markers without text. Another vendor has no use for them."""


def without_foreign_blocks(drafts: list[DraftMessage], notes: Notes, kept: Mapping[str, Any]) -> list[DraftMessage]:
    """Return the conversation with OpenAI's content parts, tool calls and tool results in place of other blocks.

    Args:
        drafts: The conversation.
        notes: Receives a note for each kind of block that was converted or dropped.
        kept: Part types by role that the vendor accepts unchanged.
    """
    found: list[DraftMessage] = []
    for draft in drafts:
        found += _split(draft, notes, kept.get(str(draft.role), ())) if isinstance(draft.content, list) else [draft]
    return found


def _split(draft: DraftMessage, notes: Notes, kept: Any) -> list[DraftMessage]:
    parts: list[Any] = []
    calls: list[Any] = []
    results: list[DraftMessage] = []
    for block in draft.content:
        kind = block.get("type") if isinstance(block, Mapping) else None
        if isinstance(block, str):
            parts.append({"type": "text", "text": block})
        elif not isinstance(block, Mapping) or (kind in kept and not _is_anthropics(block)):
            parts.append(block)
        elif kind in THOUGHTS:
            notes.add(f"{kind} blocks left out: {notes.vendor} does not take another vendor's thoughts", draft.where)
        elif kind in ("tool_use", "tool-call"):
            calls.append(_call(block))
            notes.add(f"{kind} blocks sent as tool_calls", draft.where)
        elif kind in ("tool_result", "tool-result"):
            results.append(DraftMessage(_result(block), draft.where))
            notes.add(f"{kind} blocks sent as messages of the role tool", draft.where)
        elif isinstance(kind, str) and _OF_THE_VENDOR.fullmatch(kind):
            notes.add(f"{kind} blocks left out: they are of the vendor that ran the tool", draft.where)
        else:
            converted = _part(block)
            if converted is not block and converted.get("type") != "text":
                notes.add(f"{kind} blocks sent as {converted.get('type')}", draft.where)
            parts.append(converted)
    return _joined(draft, parts, calls, results)


def _joined(draft: DraftMessage, parts: list[Any], calls: list[Any], results: list[DraftMessage]) -> list[DraftMessage]:
    if not calls and not results:
        draft.fields["content"] = parts
        return [draft]
    draft.fields["content"] = parts or None
    rest = [draft] if parts or (calls and draft.role == "assistant") else []
    if calls:
        caller = draft if draft.role == "assistant" else DraftMessage({"role": "assistant", "content": None}, draft.where)
        given = caller.fields.get("tool_calls")
        caller.fields["tool_calls"] = [*(given if isinstance(given, list) else ()), *calls]
        rest += [caller] if caller is not draft else []
    return [*results, *rest]


def _is_anthropics(block: Mapping[str, Any]) -> bool:
    kind = block.get("type")
    if kind in ("image", "document"):
        return "source" in block or isinstance(block.get("image"), str)
    return kind == "redacted_thinking" or (kind == "thinking" and isinstance(block.get("thinking"), str))


def _call(block: Mapping[str, Any]) -> dict[str, Any]:
    """Return Anthropic's ``tool_use`` or the AI SDK's ``tool-call`` as a tool call."""
    given = block.get("input", block.get("args")) or {}
    function = {"name": block.get("name") or block.get("toolName"), "arguments": json.dumps(given, ensure_ascii=False)}
    return {"id": block.get("id") or block.get("toolCallId"), "type": "function", "function": function}


def _result(block: Mapping[str, Any]) -> dict[str, Any]:
    """Return Anthropic's ``tool_result`` or the AI SDK's ``tool-result`` as a message."""
    made = {"role": "tool", "tool_call_id": block.get("tool_use_id") or block.get("toolCallId")}
    if block["type"] == "tool-result":
        return {**made, "content": _output(block)}
    content = block.get("content")
    if isinstance(content, list):
        content = [_part(one) if isinstance(one, Mapping) else {"type": "text", "text": str(one)} for one in content]
    return {**made, "content": "" if content is None else content}


def _output(block: Mapping[str, Any]) -> Any:
    """Return the content of a result in the format of Vercel's AI SDK (ai 6, ``ToolResultPart``, read 2026-11-30)."""
    output = block.get("output", block.get("result"))
    if isinstance(output, Mapping) and "value" in output and isinstance(output.get("type"), str):
        output = output["value"]
    return output if isinstance(output, str) else json.dumps(output, ensure_ascii=False, default=str)


def _part(block: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return OpenAI's part for a block, else the block."""
    kind = block.get("type")
    if kind in _TEXTS:
        return {"type": "text", "text": block.get("text")}
    if kind == "input_image" and block.get("image_url"):
        url = block["image_url"]
        detail = {"detail": block["detail"]} if block.get("detail") else {}
        return {"type": "image_url", "image_url": {"url": url, **detail} if isinstance(url, str) else url}
    if kind == "input_file":
        return {"type": "file", "file": {name: value for name, value in block.items() if name != "type"}}
    if kind == "document" and isinstance(block.get("document"), Mapping):  # Cohere's, in results of tools
        data = block["document"].get("data")
        return {"type": "text", "text": data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, default=str)}
    if kind == "image" and isinstance(block.get("image"), str):  # the AI SDK's
        data, media = block["image"], block.get("mediaType") or block.get("mimeType") or "image/png"
        url = data if data.startswith(("data:", "http:", "https:")) else f"data:{media};base64,{data}"
        return {"type": "image_url", "image_url": {"url": url}}
    source = block.get("source")
    if kind == "image" and isinstance(source, Mapping):
        url = source.get("url") or f"data:{source.get('media_type')};base64,{source.get('data')}"
        return {"type": "image_url", "image_url": {"url": url}}
    if kind == "document" and isinstance(source, Mapping):
        return _document(block, source)
    return block


def _document(block: Mapping[str, Any], source: Mapping[str, Any]) -> Mapping[str, Any]:
    if source.get("type") == "text":
        return {"type": "text", "text": source.get("data")}
    if source.get("type") == "base64":
        file = {
            "filename": block.get("title") or "document.pdf",
            "file_data": f"data:{source.get('media_type')};base64,{source.get('data')}",
        }
        return {"type": "file", "file": file}
    return block
