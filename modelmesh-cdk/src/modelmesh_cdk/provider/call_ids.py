"""IDs of tool calls in the letters and the length that a vendor takes.

A conversation that began at one vendor holds IDs as that one spells them. The spelling here depends on the ID alone, so a
call and its result, this request and the next, have the same.
"""

from __future__ import annotations

import hashlib
import string
from collections.abc import Callable, Mapping
from typing import Any

_LETTERS = string.digits + string.ascii_letters


def digest(given: str, length: int) -> str:
    """Return as many letters and digits that stand for an ID; the same ID always gives the same."""
    number, found = int.from_bytes(hashlib.sha256(given.encode()).digest()), ""
    for _ in range(length):
        number, place = divmod(number, len(_LETTERS))
        found += _LETTERS[place]
    return found


def rewrite_tool_ids(messages: Any, spell: Callable[[str], str], adapted: list[str], note: str) -> Any:
    """Return messages with the IDs of their tool calls rewrite_tool_ids, in calls and results alike.

    Args:
        messages: In OpenAI's shape; they are not changed.
        spell: Gives the ID that the vendor takes; one that it takes already must come back as it is.
        adapted: Takes a line when any ID was changed.
        note: That line.
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


def _with(said: Mapping[str, Any], name: str, spell: Callable[[str], str]) -> Any:
    given = said.get(name)
    if not isinstance(given, str) or (new := spell(given)) == given:
        return said
    return {**said, name: new}
