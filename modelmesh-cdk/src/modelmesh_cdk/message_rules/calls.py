"""Tool calls and their results: format, arguments, IDs, and calls as text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from modelmesh_cdk.message_rules.drafts import DraftMessage, invalid
from modelmesh_cdk.message_rules.fields import as_json_object
from modelmesh_cdk.message_rules.notes import Notes
from modelmesh_cdk.message_rules.rules import Arguments, CallIds, MessageRules
from modelmesh_cdk.provider.call_ids import digest, rewrite_tool_ids

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def with_proper_calls(drafts: list[DraftMessage], rules: MessageRules, notes: Notes) -> None:
    """Convert each tool call to OpenAI's format, with arguments in the form that the vendor requires.

    Raises:
        ProviderError: An entry of ``tool_calls`` is not a tool call.
    """
    for draft in drafts:
        given = draft.fields.get("tool_calls")
        if isinstance(given, Mapping) and given and draft.role == "assistant":
            draft.fields["tool_calls"] = given = [given]
        for call in given if isinstance(given, list) else [given] if given else ():
            if not isinstance(call, Mapping):
                message = (
                    f"{draft.where}.tool_calls holds {type(call).__name__}, not the call of a tool. Give calls as they came."
                )
                raise invalid(message)
        if draft.calls:
            draft.fields["tool_calls"] = [_call(call, rules, notes, draft.where) for call in draft.calls]


def _call(call: Any, rules: MessageRules, notes: Notes, where: str) -> Any:
    if not isinstance(call, Mapping):
        return call
    made = dict(call)
    function, custom = made.get("function"), made.get("custom")
    if isinstance(custom, Mapping) and not isinstance(function, Mapping) and not rules.custom_calls:
        made.pop("custom")
        made["type"] = "function"
        function = {"name": custom.get("name"), "arguments": {"input": custom.get("input")}}
        notes.add("calls of custom tools sent as calls of functions", where)
    if not isinstance(function, Mapping):
        if made.get("type") == "custom" or "name" not in made:
            return made
        function = {"name": made.pop("name"), "arguments": made.pop("args", made.pop("arguments", None))}  # as LangChain has it
        made["type"] = "function"
    made.setdefault("type", "function")
    function = dict(function)
    name, arguments = function.get("name"), function.get("arguments")
    if rules.arguments is Arguments.JSON_OBJECT:
        function["arguments"], wrapped = as_json_object(arguments)
        if wrapped:
            notes.add("arguments of tool calls that are no JSON object sent within one", where)
    elif not isinstance(arguments, str):
        function["arguments"] = "{}" if arguments is None else json.dumps(arguments, ensure_ascii=False)
    if isinstance(name, str) and not _NAME.fullmatch(name):
        function["name"] = re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:64] or "_"
        notes.add("names of called tools written in letters, digits, _ and -", where)
    made["function"] = function
    return made


def as_text(drafts: list[DraftMessage], notes: Notes) -> None:
    """Convert tool calls and their results to text, for a vendor without tools."""
    for draft in drafts:
        if draft.role == "tool":
            name = draft.fields.get("name") or draft.fields.get("tool_call_id") or "a tool"
            draft.fields = {"role": "user", "content": add_heading(f"Result of {name}: ", draft.content)}
        elif draft.calls:
            texts = [f"Called {_describe_call(call)}." for call in draft.fields.pop("tool_calls")]
            content = draft.content
            if isinstance(content, list):
                draft.fields["content"] = [*content, {"type": "text", "text": "\n".join(texts)}]
            else:
                draft.fields["content"] = "\n".join([content, *texts] if content else texts)
        else:
            continue
        notes.add(f"tool calls and results sent as text: {notes.vendor} has no tools", draft.where)


def _describe_call(call: Any) -> str:
    function = call.get("function") if isinstance(call, Mapping) else None
    inner = function if isinstance(function, Mapping) else {}
    return f"{inner.get('name') or 'a tool'}({inner.get('arguments') or ''})"


def add_heading(head: str, content: Any) -> Any:
    """Return content with a text in front."""
    return [{"type": "text", "text": head}, *content] if isinstance(content, list) else f"{head}{content or ''}"


def rewrite_ids(messages: list[Any], ids: CallIds | None, notes: Notes) -> list[Any]:
    """Return the messages with tool-call IDs in the vendor's spelling, equal in call and result."""
    if ids is None:
        return messages
    made: list[str] = []
    pattern = re.compile(ids.pattern)

    def spell(given: str) -> str:
        return given if pattern.fullmatch(given) else ids.prefix + digest(given, ids.length)

    found: list[Any] = rewrite_tool_ids(messages, spell, made, ids.note)
    for note in made:
        notes.add(note)
    return found
