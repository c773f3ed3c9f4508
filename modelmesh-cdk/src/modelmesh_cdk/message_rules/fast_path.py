"""Fast check for the usual conversation, which every vendor accepts unchanged."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from modelmesh_cdk.message_rules.rules import Arguments, ContentWithCalls, MessageRules

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def needs_no_change(messages: Sequence[Any], rules: MessageRules) -> bool:
    """Return whether the rules change nothing: texts of alternating roles, and tool calls followed by their results."""
    if rules.reasoning_field is not None:
        return False
    last, waiting = "assistant", set[str]()
    for place, message in enumerate(messages):
        if message.__class__ is not dict and not isinstance(message, Mapping):
            return False
        role, content = message.get("role"), message.get("content")
        if waiting:
            answered = message.get("tool_call_id")
            if role != "tool" or len(message) != 3 or str(answered) not in waiting or not _is_text(content):  # noqa: PLR2004
                return False
            waiting.discard(str(answered))
            last = "tool"
            continue
        if role == "assistant" and "tool_calls" in message:
            waiting = _ids(message, rules) if last != "assistant" else set()
            if not waiting:
                return False
        elif len(message) != 2 or not _is_text(content) or not _may_follow(role, last, place, rules):  # noqa: PLR2004
            return False
        if role != "system":
            last = str(role)
    return not waiting and last in ("user", "tool")


def _is_text(content: Any) -> bool:
    return isinstance(content, str) and not content.isspace() and content != ""


def _may_follow(role: Any, last: str, place: int, rules: MessageRules) -> bool:
    if role == "system":
        return place == 0
    if role == "user":
        return last == "assistant" or (last == "tool" and rules.bridge is None)
    return role == "assistant" and last != "assistant"


def _ids(message: Mapping[str, Any], rules: MessageRules) -> set[str]:
    """Return the call IDs of a message, or an empty set if the message may need a change."""
    content, calls = message.get("content"), message["tool_calls"]
    silent = content is None and "content" in message and rules.content_with_calls is not ContentWithCalls.EMPTY
    if not rules.tools or len(message) != 3 or not isinstance(calls, list) or not (silent or _is_text(content)):  # noqa: PLR2004
        return set()
    found = {call["id"] for call in calls if _is_plain_call(call, rules)}
    return found if len(found) == len(calls) else set()


def _is_plain_call(call: Any, rules: MessageRules) -> bool:
    function = call.get("function") if isinstance(call, dict) and len(call) == 3 else None  # noqa: PLR2004
    if not isinstance(function, dict) or len(function) != 2 or call.get("type") != "function":  # noqa: PLR2004
        return False
    given, name, arguments = call.get("id"), function.get("name"), function.get("arguments")
    if not isinstance(given, str) or not given or not isinstance(name, str) or not isinstance(arguments, str):
        return False
    if rules.call_ids is not None and not re.fullmatch(rules.call_ids.pattern, given):
        return False
    return bool(_NAME.fullmatch(name)) and (rules.arguments is Arguments.TEXT or _is_object(arguments))


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict) and "NaN" not in text and "Infinity" not in text
    except ValueError:
        return False
