"""IDs of tool calls in the alphabet and length that a vendor accepts.

A conversation contains the IDs of the vendor that made the calls. The rewritten ID depends on the original alone, so a call and
its result have the same ID in every request.
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Callable, Mapping
from typing import Any

_LETTERS = string.digits + string.ascii_letters


def digest(given: str, length: int) -> str:
    """Return letters and digits of this length that stand for an ID. The same ID gives the same result."""
    number, found = int.from_bytes(hashlib.sha256(given.encode()).digest()), ""
    for _ in range(length):
        number, place = divmod(number, len(_LETTERS))
        found += _LETTERS[place]
    return found


def rewrite_tool_ids(messages: Any, spell: Callable[[str], str], adapted: list[str], note: str) -> Any:
    """Return messages with rewritten IDs of tool calls, in calls and results alike.

    Args:
        messages: Messages in OpenAI's format. They are not changed.
        spell: Returns the ID for the vendor, an acceptable ID unchanged.
        adapted: Receives ``note`` when an ID changed.
        note: The line.
    """
    if not isinstance(messages, list):
        return messages
    found = [_message(message, spell) for message in messages]
    if all(new is old for new, old in zip(found, messages, strict=True)):
        return messages
    adapted.append(note)
    return found


def _message(message: Any, spell: Callable[[str], str]) -> Any:
    if not isinstance(message, Mapping):
        return message
    found = _with(message, "tool_call_id", spell)
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        new = [_with(call, "id", spell) if isinstance(call, Mapping) else call for call in calls]
        if any(one is not other for one, other in zip(new, calls, strict=True)):
            found = {**found, "tool_calls": new}
    return found


def _with(fields: Mapping[str, Any], name: str, spell: Callable[[str], str]) -> Any:
    given = fields.get(name)
    if not isinstance(given, str) or (new := spell(given)) == given:
        return fields
    return {**fields, name: new}
