"""A conversation from OpenAI's messages to Mistral's.

Shapes are those of the mistralai package 3.7.0 (``models/assistantmessage.py``, ``usermessage.py``, ``toolmessage.py``,
``audiochunk.py``), read 2026-11-21. Mistral refuses a message with a field that it does not know (BerriAI/litellm#30835) and an
ID of a call that is not nine letters and digits (anomalyco/opencode#1680, nearai/ironclaw#1241; both read 2026-11-21).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from modelmesh_cdk.call_ids import digest, respelled
from modelmesh_connector_mistral.shapes import CHUNKS, text_of

_ID = re.compile(r"[a-zA-Z0-9]{9}")
_SILENT = frozenset({"refusal", "annotations", "audio", "function_call", "name", "reasoning_content", CHUNKS})
"""Of an assistant's message in OpenAI's shape, what Mistral's has no field for."""


def conversation(messages: Any, adapted: list[str]) -> Any:
    """Return the messages as Mistral reads them.

    Args:
        messages: In OpenAI's shape; they are not changed.
        adapted: Takes a line for each change that says something else than before.
    """
    if not isinstance(messages, list):
        return messages  # the vendor says what it thinks of it
    found = [_message(message, adapted) for message in messages]
    return respelled(found, tool_call_id, adapted, "IDs of tool calls spelled in nine letters and digits")


def tool_call_id(given: str) -> str:
    """Return the ID of a call as Mistral takes it."""
    return given if _ID.fullmatch(given) else digest(given, 9)


def _message(message: Any, adapted: list[str]) -> Any:
    if not isinstance(message, Mapping):
        return message
    role = message.get("role")
    if role == "developer":
        adapted.append("the role developer is sent as system")
        message = {**message, "role": "system"}
    if role == "assistant":
        return _assistant(message, adapted) if _SILENT & message.keys() else message
    if isinstance(message.get("content"), list):
        message = {**message, "content": [_part(part) for part in message["content"]]}
    if role != "tool" and "name" in message:
        adapted.append("name of a message dropped: Mistral has no names of participants")
        return {name: value for name, value in message.items() if name != "name"}
    return message


def _part(part: Any) -> Any:
    """Return a part of what is said; sound is text without the name of its format."""
    sound = part.get("input_audio") if isinstance(part, Mapping) and part.get("type") == "input_audio" else None
    data = sound.get("data") if isinstance(sound, Mapping) else None
    return {**part, "input_audio": data} if isinstance(data, str) else part


def _assistant(message: Mapping[str, Any], adapted: list[str]) -> dict[str, Any]:
    kept = {name: value for name, value in message.items() if name not in _SILENT}
    chunks = message.get(CHUNKS)
    native = isinstance(chunks, list) and text_of(chunks) == (message.get("content") or "")  # else the caller changed one
    if native:
        kept["content"] = chunks
    elif not kept.get("content") and message.get("refusal"):
        kept["content"] = message["refusal"]
    lost = [name for name in ("audio", "function_call", "name") if message.get(name)]
    lost += [name for name in ("reasoning_content", CHUNKS) if message.get(name) and not native]
    adapted += [f"{name} of an assistant message dropped: Mistral has no such field" for name in lost]
    return kept
