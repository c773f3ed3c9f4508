"""Fields of a vendor in a conversation of another format, as opaque text.

A chat message may have fields that its vendor requires in the next request, such as signed thoughts
(:mod:`modelmesh.contracts.conversation`). The Responses API and the Messages API have a place for opaque text of the server:
``encrypted_content``, ``signature`` and ``data``. A translated answer carries the fields there, and clients return the text
unchanged. The text is not encrypted: it contains nothing that the caller did not receive.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from modelmesh.contracts.conversation import CALL_FIELDS, MESSAGE_FIELDS, PROVENANCE

_PREFIX = "modelmesh.v1."

THINKING_FIELDS = frozenset({"reasoning_content", "reasoning", "reasoning_details", "thinking_blocks"})
"""Fields of a message with the thoughts of a model."""

_TEXTS = ("reasoning_content", "reasoning")


def thought_text(message: Mapping[str, Any]) -> tuple[str, str]:
    """Return the name of the field with the text of the thoughts, and the text. Both are empty without one."""
    for name in _TEXTS:
        text = message.get(name)
        if isinstance(text, str) and text:
            return name, text
    return "", ""


def thinking_state(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state of the thoughts of a message, without their text. Empty for a message without thoughts."""
    fields = {name: value for name, value in message.items() if name in THINKING_FIELDS and value not in (None, "", [])}
    if not fields:
        return {}
    name, text = thought_text(message)
    state: dict[str, Any] = {"fields": {one: value for one, value in fields.items() if one != name}}
    if text:
        state["text"] = name
    return _tagged(state, message)


def other_state(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state of the vendor's further fields of a message and of its tool calls. Empty without such fields."""
    known = MESSAGE_FIELDS | THINKING_FIELDS | {PROVENANCE}
    fields = {name: value for name, value in message.items() if name not in known and value is not None}
    calls = {}
    for call in _calls(message):
        extra = {name: value for name, value in call.items() if name not in CALL_FIELDS and value is not None}
        if extra:
            calls[str(call.get("id"))] = extra
    if not fields and not calls:
        return {}
    return _tagged({"fields": fields, **({"calls": calls} if calls else {})}, message)


def late_state(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state of the fields that a stream contained after the thoughts had ended. Empty without such fields."""
    late = {name: value for name, value in message.items() if name in THINKING_FIELDS and value not in (None, "", [])}
    state = other_state(message)
    if not late:
        return state
    return _tagged({**state, "fields": {**late, **state.get("fields", {})}}, message)


def _tagged(state: dict[str, Any], message: Mapping[str, Any]) -> dict[str, Any]:
    return {**state, PROVENANCE: message[PROVENANCE]} if PROVENANCE in message else state


def encode_state(state: Mapping[str, Any]) -> str:
    """Return a state as opaque text."""
    text = json.dumps(state, separators=(",", ":"), ensure_ascii=False, default=str)
    return _PREFIX + base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode()


def is_state(text: Any) -> bool:
    """Return whether a text is a state of :func:`encode_state`."""
    return isinstance(text, str) and text.startswith(_PREFIX)


def decode_state(text: Any) -> dict[str, Any] | None:
    """Return the state of a text, ``None`` for text of a vendor and for damaged text."""
    if not is_state(text):
        return None
    try:
        state = json.loads(base64.urlsafe_b64decode(text[len(_PREFIX) :]).decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return None
    return state if isinstance(state, dict) and isinstance(state.get("fields"), dict) else None


def restore_state(message: dict[str, Any], state: Mapping[str, Any], text: str = "") -> None:
    """Add the fields of a state to an assistant message.

    Args:
        message: The message. It must have its tool calls already.
        state: The decoded state.
        text: Text of the thoughts.
    """
    merge_fields(message, state["fields"])
    if text and isinstance(state.get("text"), str):
        message[state["text"]] = (message.get(state["text"]) or "") + text
    if isinstance(state.get(PROVENANCE), str):
        message[PROVENANCE] = state[PROVENANCE]
    calls = state.get("calls")
    for call in _calls(message):
        extra = calls.get(call.get("id")) if isinstance(calls, dict) else None
        if isinstance(extra, dict):
            call.update({name: value for name, value in extra.items() if name not in CALL_FIELDS})


def merge_fields(target: dict[str, Any], fields: Mapping[str, Any]) -> None:
    """Merge fields of a later part of a message into it: texts and lists are joined, other values replaced."""
    for name, value in fields.items():
        if value is None:
            continue
        if isinstance(value, list):
            value = [_without_index(one) for one in value]  # noqa: PLW2901 - the value that is kept
        known = target.get(name)
        if name == PROVENANCE:
            target.setdefault(name, value)
        elif isinstance(known, str) and isinstance(value, str):
            target[name] = known + value
        elif isinstance(known, list) and isinstance(value, list):
            target[name] = [*known, *value]
        else:
            target[name] = value


def _calls(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    calls = message.get("tool_calls")
    return [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []


def _without_index(item: Any) -> Any:
    if isinstance(item, dict) and "index" in item and "type" in item:
        return {name: value for name, value in item.items() if name != "index"}
    return item
