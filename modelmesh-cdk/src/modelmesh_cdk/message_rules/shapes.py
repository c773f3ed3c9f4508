"""Messages of other formats, as saved histories contain them, converted to OpenAI's chat format.

The formats are items of OpenAI's Responses API, messages of LangChain (``type: human``, ``messages_to_dict`` and ``dumpd``),
Gemini's ``parts``, and LibreChat's stored messages. :mod:`modelmesh_cdk.message_rules.blocks` converts content blocks of
Anthropic and of the Responses API inside a message.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from modelmesh_cdk.message_rules.drafts import DraftMessage
from modelmesh_cdk.message_rules.notes import Notes

ROLE_NAMES = {"human": "user", "ai": "assistant", "model": "assistant", "bot": "assistant"}
"""OpenAI's names of the roles of other formats."""

_ROLES = {**ROLE_NAMES, **{name: name for name in ("system", "developer", "user", "assistant", "tool", "function")}}
_CLASSES = {
    "HumanMessage": "human", "AIMessage": "ai", "SystemMessage": "system", "ToolMessage": "tool", "FunctionMessage": "function",
    "HumanMessageChunk": "human", "AIMessageChunk": "ai",
}  # fmt: skip
_TYPES = ("human", "ai", "system", "tool", "function")


def in_openai_format(drafts: list[DraftMessage], notes: Notes) -> list[DraftMessage]:
    """Return the conversation with each message in OpenAI's format.

    Args:
        drafts: The conversation.
        notes: Receives a note for each message of another format.
    """
    found: list[DraftMessage] = []
    for draft in drafts:
        role = draft.role
        proper = _ROLES.get(role.lower()) if isinstance(role, str) else None
        if proper is not None and proper != role:
            draft.fields["role"] = proper
            notes.add(f"role {role} sent as {proper}", draft.where)
        reader = _reader(draft.fields)
        if reader is None:
            found.append(draft)
            continue
        name, read = reader
        notes.add(f"message in the format of {name} sent in OpenAI's", draft.where)
        for fields in read(draft.fields):
            last = found[-1].fields if found else {}
            if fields.pop("_joins", False) and last.get("role") == "assistant" and _made(last) is not None:
                found[-1].fields["tool_calls"] = [*_made(last), *fields["tool_calls"]]  # type: ignore[misc]
            else:
                found.append(DraftMessage(fields, draft.where))
    return found


def _made(fields: Mapping[str, Any]) -> list[Any] | None:
    calls = fields.get("tool_calls")
    return list(calls) if isinstance(calls, list) else ([] if calls is None else None)


def _reader(fields: Mapping[str, Any]) -> tuple[str, Callable[[dict[str, Any]], list[dict[str, Any]]]] | None:
    kind = fields.get("type")
    if "role" in fields:
        if isinstance(fields.get("parts"), list) and "content" not in fields:
            return "Gemini", _gemini
        return ("the Responses API", _item) if kind == "message" and "content" in fields else None
    if kind in ("function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output", "reasoning"):
        return "the Responses API", _item
    if kind == "constructor" and isinstance(fields.get("kwargs"), Mapping):
        return "LangChain", _langchain
    if kind in _TYPES and ("content" in fields or isinstance(fields.get("data"), Mapping)):
        return "LangChain", _langchain
    if "isCreatedByUser" in fields and ("text" in fields or "content" in fields):
        return "LibreChat", _librechat
    return None


def _item(fields: dict[str, Any]) -> list[dict[str, Any]]:
    kind = fields["type"]
    if kind == "message":
        return [{"role": fields["role"], "content": fields["content"]}]
    if kind in ("function_call", "custom_tool_call"):
        given = fields.get("arguments") if kind == "function_call" else json.dumps({"input": fields.get("input")})
        function = {"name": fields.get("name"), "arguments": given}
        call = {"id": fields.get("call_id") or fields.get("id"), "type": "function", "function": function}
        return [{"role": "assistant", "content": None, "tool_calls": [call], "_joins": True}]
    if kind.endswith("_output"):
        return [{"role": "tool", "tool_call_id": fields.get("call_id"), "content": fields.get("output")}]
    return []  # thoughts of the Responses API: encrypted, and for the account that made them


def _langchain(fields: dict[str, Any]) -> list[dict[str, Any]]:
    kind: Any = fields["type"]
    inner: Mapping[str, Any] = fields
    if kind == "constructor":
        path = fields.get("id")
        inner = fields["kwargs"]
        kind = _CLASSES.get(str(path[-1]) if isinstance(path, list) and path else "", inner.get("type"))
    elif isinstance(fields.get("data"), Mapping):
        inner = fields["data"]
    role = ROLE_NAMES.get(kind, "user" if kind == "human" else kind)
    made: dict[str, Any] = {"role": role, "content": inner.get("content")}
    if inner.get("name"):
        made["name"] = inner["name"]
    more = inner.get("additional_kwargs")
    calls = inner.get("tool_calls") or (more.get("tool_calls") if isinstance(more, Mapping) else None)
    if role == "assistant" and calls:
        made["tool_calls"] = calls
    if role == "assistant" and isinstance(more, Mapping) and more.get("function_call") and not calls:
        made["function_call"] = more["function_call"]
    if role == "tool":
        made["tool_call_id"] = inner.get("tool_call_id")
    return [made]


def _gemini(fields: dict[str, Any]) -> list[dict[str, Any]]:
    content: list[Any] = []
    calls: list[Any] = []
    results: list[dict[str, Any]] = []
    for part in fields["parts"]:
        if not isinstance(part, Mapping):
            content.append({"type": "text", "text": str(part)})
        elif isinstance(part.get("functionCall"), Mapping):
            call = part["functionCall"]
            function = {"name": call.get("name"), "arguments": call.get("args") or {}}
            calls.append({"id": call.get("id"), "type": "function", "function": function})
        elif isinstance(part.get("functionResponse"), Mapping):
            result = part["functionResponse"]
            content_of = json.dumps(result.get("response"), ensure_ascii=False)
            results.append({"role": "tool", "tool_call_id": result.get("id"), "name": result.get("name"), "content": content_of})
        elif isinstance(part.get("inlineData"), Mapping):
            data = part["inlineData"]
            url = f"data:{data.get('mimeType')};base64,{data.get('data')}"
            content.append({"type": "image_url", "image_url": {"url": url}})
        elif not part.get("thought") and isinstance(part.get("text"), str):
            content.append({"type": "text", "text": part["text"]})
    if all(part["type"] == "text" for part in content):
        joined: Any = "".join(part["text"] for part in content)
    else:
        joined = content
    made: dict[str, Any] = {"role": fields["role"], "content": joined or None}
    if calls:
        made["tool_calls"] = calls
    return [*results, *([made] if joined or calls or not results else [])]


def _librechat(fields: dict[str, Any]) -> list[dict[str, Any]]:
    text = fields.get("text") or fields.get("content")
    return [{"role": "user" if fields["isCreatedByUser"] else "assistant", "content": text}]
