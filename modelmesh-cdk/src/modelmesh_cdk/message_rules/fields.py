"""Roles and keys of messages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from modelmesh_cdk.message_rules.drafts import DraftMessage, invalid, is_blank, unsupported
from modelmesh_cdk.message_rules.notes import Notes
from modelmesh_cdk.message_rules.rules import MessageRules

_OPENAI = ("name", "tool_calls", "function_call", "refusal", "audio", "annotations", "tool_call_id")
_NEEDED = ("role", "content")


def with_accepted_roles(drafts: list[DraftMessage], rules: MessageRules, notes: Notes) -> None:
    """Set a role that the vendor accepts in each message.

    Raises:
        ProviderError: The vendor has no equivalent role, or the message has no role.
    """
    for draft in drafts:
        role = draft.role
        if not isinstance(role, str):
            message = f"{draft.where} has no role ({role!r}). Give it one, such as 'user'."
            raise invalid(message)
        if role in rules.replaced_roles:
            draft.fields["role"] = rules.replaced_roles[role]
            notes.add(f"the role {role} is sent as {draft.fields['role']}", draft.where)
        elif rules.roles is not None and role not in rules.roles and (rules.tools or role != "tool"):
            message = f"{draft.where}.role is {role!r}, and {rules.vendor} accepts {', '.join(sorted(rules.roles))}."
            raise unsupported(message)


def without_functions(drafts: list[DraftMessage], rules: MessageRules, notes: Notes) -> None:
    """Convert ``function_call`` and the role ``function`` to tool calls and results, for a vendor without functions."""
    if rules.functions:
        return
    count, names = 0, {}
    for draft in drafts:
        call = draft.fields.get("function_call")
        if draft.role == "assistant" and isinstance(call, Mapping):
            count += 1
            names[str(call.get("name"))] = f"function_call_{count}"
            function = {"name": call.get("name"), "arguments": call.get("arguments")}
            del draft.fields["function_call"]
            draft.fields["tool_calls"] = [
                {"id": f"function_call_{count}", "type": "function", "function": function},
                *draft.calls,
            ]
            notes.add("function_call sent as tool_calls", draft.where)
        elif draft.role == "function":
            name = draft.fields.pop("name", None)
            draft.fields |= {"role": "tool", "tool_call_id": names.get(str(name), f"function_call_{count}")}
            notes.add("the role function is sent as tool", draft.where)


def with_refusals_as_text(drafts: list[DraftMessage], rules: MessageRules) -> None:
    """Use a refusal or an audio transcript as the missing content of an assistant message, if the vendor lacks the field."""
    if rules.refusals:
        return
    for draft in drafts:
        fields = draft.fields
        if draft.role != "assistant" or not is_blank(fields.get("content")):
            continue
        audio = fields.get("audio")
        text = fields.get("refusal") or (audio.get("transcript") if isinstance(audio, Mapping) else None)
        if isinstance(text, str):
            fields["content"] = text
            if text == fields.get("refusal"):
                del fields["refusal"]


def with_accepted_keys(drafts: list[DraftMessage], rules: MessageRules, notes: Notes) -> None:
    """Drop keys without effect and keys that the vendor rejects."""
    for draft in drafts:
        fields = draft.fields
        for name in [name for name in fields if name in _OPENAI and is_empty_value(fields[name])]:
            del fields[name]
        if rules.keys is not None:
            accepted = rules.keys.get(str(draft.role), _NEEDED)
            for name in [name for name in fields if name not in accepted and name not in _NEEDED]:
                value = fields.pop(name)
                if not is_empty_value(value):
                    notes.add(f"{name} of messages left out: {rules.vendor} refuses it", draft.where)
        if draft.calls and rules.call_keys is not None:
            fields["tool_calls"] = [_call(call, rules, notes, draft.where) for call in draft.calls]
        if rules.names is not None and isinstance(fields.get("name"), str):
            name = re.sub(f"[^{rules.names}]", "_", fields["name"])[:64]
            if name != fields["name"]:
                fields["name"] = name
                notes.add(f"name of a message respelled in characters that {rules.vendor} accepts", draft.where)


def _call(call: Any, rules: MessageRules, notes: Notes, where: str) -> Any:
    if not isinstance(call, Mapping) or rules.call_keys is None:
        return call
    for name in call:
        if name not in rules.call_keys and not is_empty_value(call[name]) and name != "index":
            notes.add(f"{name} of tool calls left out: {rules.vendor} refuses it", where)
    return {name: value for name, value in call.items() if name in rules.call_keys}


def is_empty_value(value: Any) -> bool:
    """Return whether a value is ``None``, ``False`` or empty, so that dropping it has no effect."""
    return value is None or value is False or (isinstance(value, (str, list, dict)) and not value)


def as_json_object(arguments: Any) -> tuple[str, bool]:
    """Return the arguments of a tool call as the text of a JSON object, and whether other text had to be wrapped."""
    if arguments is None or (isinstance(arguments, str) and not arguments.strip()):
        return "{}", False
    if isinstance(arguments, Mapping):
        arguments = json.dumps(arguments, ensure_ascii=False)
    if isinstance(arguments, str):
        odd: list[str] = []
        try:
            parsed = json.loads(arguments, parse_constant=odd.append)  # NaN and Infinity: Python's, and not of JSON
        except ValueError:
            parsed = None
        if isinstance(parsed, dict) and not odd:
            return arguments, False
    return json.dumps({"arguments": arguments}, ensure_ascii=False), True
