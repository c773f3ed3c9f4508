"""Messages with parts of Google's SDK among messages in OpenAI's format.

The message rules read tool calls and results in OpenAI's format only. A model's parts stay on the message as
``content_parts``. :mod:`modelmesh_connector_google.contents` sends them unchanged while they agree with the fields.
Formats are those of google-genai 3.4.0 (``types.Content``, ``types.Part``), read 2026-11-21.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from modelmesh_connector_google.answers import is_part, text_and_calls, tool_call_from_part


def in_openai_fields(messages: list[Any]) -> list[Any]:
    """Return messages with tool calls and results in OpenAI's fields.

    Args:
        messages: Messages in OpenAI's format, or Gemini's turns. They are not changed.
    """
    found: list[Any] = []
    names: dict[Any, str] = {}
    for place, message in enumerate(messages):
        if not isinstance(message, Mapping):
            found.append(message)
        elif message.get("role") == "tool" and isinstance(message.get("content"), Mapping):
            found.append({**message, "content": json.dumps(message["content"], ensure_ascii=False, default=str)})
        elif not isinstance(message.get("parts"), list) or "content" in message or _are_typed(message["parts"]):
            found.append(message)
        elif message.get("role") in ("model", "assistant"):
            found.append(_model(message["parts"], place, names))
        else:
            found += _user(message["parts"], names)
    return found


def _are_typed(parts: list[Any]) -> bool:
    """Return whether parts have a ``type``. Gemini's parts have none."""
    return any(isinstance(part, Mapping) and isinstance(part.get("type"), str) for part in parts)


def _model(parts: list[Any], place: int, names: dict[Any, str]) -> dict[str, Any]:
    parts = [part for part in parts if isinstance(part, dict) and part and is_part(part)]
    text, _ = text_and_calls(parts)
    called = [part for part in parts if isinstance(part, Mapping) and isinstance(part.get("functionCall"), Mapping)]
    made: dict[str, Any] = {"role": "assistant", "content": text or None, **({"content_parts": parts} if parts else {})}
    calls = []
    for number, part in enumerate(called):
        identity = part["functionCall"].get("id") or f"call_{place}_{number}"
        names[part["functionCall"].get("name")] = identity
        calls.append(tool_call_from_part(part, identity))
    return {**made, "tool_calls": calls} if calls else made


def _user(parts: list[Any], names: dict[Any, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    rest: list[Any] = []
    for part in parts:
        result = part.get("functionResponse") if isinstance(part, Mapping) else None
        if not isinstance(result, Mapping):
            rest.append(part)
            continue
        name = result.get("name")
        given = result.get("id") or names.get(name)
        content = json.dumps(result.get("response") or {}, ensure_ascii=False, default=str)
        found.append({"role": "tool", "tool_call_id": given, "name": name, "content": content})
    return [*found, {"role": "user", "content": rest}] if rest or not found else found
