"""Tables of the message rules that connectors state, with source and date of each rule."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from connector_facts import connectors
from markdown import table

from modelmesh.contracts import Kind
from modelmesh_cdk.message_rules import CallIds, MessageRules

LABELS = {
    "roles": "accepted roles",
    "replaced_roles": "roles sent under another name",
    "functions": "function calls before tools",
    "custom_calls": "calls of custom tools",
    "refusals": "`refusal` and `audio` of the assistant",
    "keys": "accepted keys of a message",
    "call_keys": "accepted keys of a tool call",
    "parts": "accepted content parts",
    "refused_parts": "refused content parts",
    "part_keys": "accepted keys of a content part",
    "untyped_parts": "keys of content parts without a type",
    "text_only_roles": "roles with one text as content",
    "joined_text_roles": "roles with joined texts",
    "blank": "blank content",
    "content_with_calls": "content next to tool calls",
    "null_content": "`content: null` without tool calls",
    "trims_last_assistant": "white space at the end of the last assistant message",
    "system": "place of system messages",
    "system_alone": "conversation of system messages only",
    "alternating": "alternating user and assistant",
    "opening": "first message of the user, added if missing",
    "bridge": "message between a tool result and the user",
    "last_assistant": "assistant message at the end",
    "paired": "pairs of calls and results",
    "arguments": "arguments of tool calls",
    "call_ids": "IDs of tool calls",
    "names": "characters in `name`",
    "images": "accepted images",
    "remote_images": "images by URL",
    "tools": "tool calls and results",
    "reasoning_field": "reasoning field of assistant messages",
    "accepts_blank_stops": "blank stop sequences",
    "max_stop_sequences": "maximum number of stop sequences",
    "ranges": "ranges of parameters",
    "unsupported": "dropped parameters",
    "single_choice": "single choice (`n`)",
}


def vendors(_: str) -> str:
    """Return a section for each provider that states rules."""
    found = [one for one in connectors() if one.kind is Kind.PROVIDER and getattr(one.cls, "message_rules", None) is not None]
    stated = {one.id: _rules_of(one.cls) for one in found}
    sections = [f"### {rules.vendor}: `{name}`\n\n{_table_of(rules)}" for name, rules in stated.items() if rules.explicit_rules()]
    return "\n".join(sections)


def _rules_of(cls: Any) -> MessageRules:
    rules: MessageRules = cls.message_rules
    return rules


def _table_of(rules: MessageRules) -> str:
    rows = [
        f"| {LABELS[name]} | {_shown(value)} | {_source(rules, name)} |" for name, value in rules.explicit_rules().items()
    ]  # a rule without a label fails here
    return table(("rule", "value", "source"), rows)


def _source(rules: MessageRules, name: str) -> str:
    source = rules.sources.get(name)
    return "" if source is None else f"{_escaped(source.text)}, {source.read}".replace("; ", " · ")


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, CallIds):
        return f"`{_escaped(value.pattern)}`"
    if isinstance(value, Mapping):
        return "<br>".join(f"{name}: {_inner(inner)}" for name, inner in value.items())
    if isinstance(value, (tuple, list, set, frozenset)):
        return ", ".join(f"`{one}`" for one in value)
    return f"`{_escaped(str(value))}`"


def _inner(value: Any) -> str:
    if isinstance(value, tuple) and len(value) == 2 and not any(isinstance(one, str) for one in value):  # noqa: PLR2004 - a range
        return " to ".join("…" if one is None else f"{one:g}" for one in value)
    return _shown(value) if not isinstance(value, str) else f"`{value}`"


def _escaped(text: str) -> str:
    return text.replace("|", r"\|")
