"""Events and close codes of realtime sessions."""

from __future__ import annotations

import os
from typing import Any

from modelmesh._engine.gateway import json_codec
from modelmesh._engine.gateway.error_responses import openai_error

BEGAN, ENDED = "response.created", "response.done"

NORMAL, GOING_AWAY, POLICY, FAILED = 1000, 1001, 1008, 1011
_NO_CODE = 1005
_SENDABLE = frozenset({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014})
_OWN = range(3000, 5000)


def response_event(event: str | bytes) -> tuple[str, Any] | None:
    """Return the type and the usage of an event that begins or ends a response, ``None`` for any other event.

    The search for the name costs much less than decoding. Inside of a JSON string, the name would have escaped quotes.
    """
    if isinstance(event, bytes):
        if b'"response.done"' not in event and b'"response.created"' not in event:
            return None
    elif '"response.done"' not in event and '"response.created"' not in event:
        return None
    try:
        decoded = json_codec.decode(event.encode() if isinstance(event, str) else event)
    except ValueError:
        return None
    kind = decoded.get("type") if isinstance(decoded, dict) else None
    if kind not in (BEGAN, ENDED):
        return None
    response = decoded.get("response")
    return kind, response.get("usage") if isinstance(response, dict) else None


def error_event(error: Exception) -> str:
    """Return the event of an error, as OpenAI's interface defines it."""
    content = {"type": "error", "event_id": f"event_{os.urandom(12).hex()}", "error": {**openai_error(error), "event_id": None}}
    return json_codec.encode(content).decode()


def error_code(error: Exception) -> str:
    """Return the code of an error, for the reason of a close frame."""
    return str(openai_error(error)["code"] or "error")


def sendable(code: int | None) -> int:
    """Return a close code that a close frame may contain, for a code that was received."""
    if code is None or code == _NO_CODE:
        return NORMAL
    return code if code in _SENDABLE or code in _OWN else FAILED
