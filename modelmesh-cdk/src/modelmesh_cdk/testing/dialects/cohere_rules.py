"""Check of a request against the rules of Cohere's ``/v2/chat``.

The check is independent of the connector, and its sources are those of the connector's ``message_rules``: the examples of
Cohere's page "Errors" (docs.cohere.com/v2/reference/errors, read 2026-11-21), kwaroran/Risuai#504 (read 2026-11-30), and types
of the cohere package 7.3.1 (read 2026-11-21).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_KEYS = {
    "system": {"role", "content"},
    "user": {"role", "content"},
    "assistant": {"role", "content", "tool_calls", "tool_plan", "citations"},
    "tool": {"role", "content", "tool_call_id"},
}
_PARTS = {
    "system": ("text",),
    "user": ("text", "image_url"),
    "assistant": ("text", "thinking"),
    "tool": ("text", "document"),
}
_MOST_STOPS = 5


def cohere_violations(body: Mapping[str, Any]) -> list[str]:
    """Return the rules that a request breaks, one line each. A valid request has an empty list."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(one, Mapping) for one in messages):
        return ["messages is not a list of messages"]
    found = [line for place, one in enumerate(messages) for line in _message(one, f"messages[{place}]")]
    stops = body.get("stop_sequences")
    if stops is not None and (not isinstance(stops, list) or not stops or len(stops) > _MOST_STOPS or "" in stops):
        found.append(f"stop_sequences is {stops!r}")
    return [*found, *_order(messages)]


def _message(fields: Mapping[str, Any], where: str) -> Iterator[str]:  # noqa: C901 - one line a rule
    role, content = str(fields.get("role")), fields.get("content")
    if role not in _KEYS:
        yield f"{where}: role {role!r}"
        return
    if extra := sorted(set(fields) - _KEYS[role]):
        yield f"{where}: keys {extra}"
    if role == "assistant" and content is None and not fields.get("tool_calls") and not fields.get("tool_plan"):
        yield f"{where}: an empty turn"
    if isinstance(content, str) and not content.strip():
        yield f"{where}: blank text"
    elif content is None and role != "assistant":
        yield f"{where}: no content"
    elif content is not None and not isinstance(content, str | list):
        yield f"{where}: content of type {type(content).__name__}"
    for part in content if isinstance(content, list) else ():
        if not isinstance(part, Mapping) or part.get("type") not in _PARTS[role]:
            yield f"{where}: a part {str(part)[:60]}"
        elif part["type"] == "text" and not str(part.get("text") or "").strip():
            yield f"{where}: blank text"
    for call in fields.get("tool_calls") or ():
        yield from _call(call, where)


def _call(call: Mapping[str, Any], where: str) -> Iterator[str]:
    function = call.get("function")
    if not isinstance(function, Mapping) or not call.get("id") or not function.get("name"):
        yield f"{where}: a call without ID or name"
        return
    try:
        arguments = json.loads(function.get("arguments") or "")
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        yield f"{where}: arguments {function.get('arguments')!r}"


def _order(messages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    roles = [one.get("role") for one in messages]
    if "system" in roles[1:]:
        yield "a system message after others"
    if roles == ["system"]:
        yield "only a system message"
    waiting: list[Any] = []
    for place, fields in enumerate(messages):
        if fields.get("role") == "tool":
            if fields.get("tool_call_id") in waiting:
                waiting.remove(fields["tool_call_id"])
            else:
                yield f"messages[{place}]: a result without its call"
            continue
        if waiting:
            yield f"messages[{place}]: calls {waiting} without results"
        waiting = [call.get("id") for call in fields.get("tool_calls") or ()]
    if waiting:
        yield f"the last calls {waiting} have no results"
