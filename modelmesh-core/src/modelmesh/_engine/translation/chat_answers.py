"""Readers of chat completions for translations: heads, choices and unknown fields."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from modelmesh.contracts.call import Call

_HEAD = frozenset({"id", "object", "created", "model", "choices", "usage", "obfuscation"})

TRUNCATED = frozenset({"length", "content_filter"})
"""Finish reasons of a truncated answer."""


def caller_payload(call: Call) -> Mapping[str, Any]:
    """Return the body of the caller's request: that of ``call.native``, else that of the call itself."""
    return (call.native or call).payload


def base_id(body: Mapping[str, Any]) -> str:
    """Return the part of the answer's ID after its prefix, a new one for an answer without an ID."""
    given = body.get("id")
    text = given.removeprefix("chatcmpl-") if isinstance(given, str) else ""
    return text or uuid4().hex


def first_choice(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the first choice of an answer or a chunk, an empty object without one."""
    choices = body.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and not choice.get("index"):
            return choice
    return {}


def finish_reason(choice: Mapping[str, Any]) -> str | None:
    """Return the finish reason of a choice, ``None`` when it is empty or not text."""
    reason = choice.get("finish_reason")
    return reason if isinstance(reason, str) and reason else None


def index_of(item: Mapping[str, Any], default: int = 0) -> int:
    """Return the index of a choice or a tool call, a default for one without an index."""
    index = item.get("index")
    return index if isinstance(index, int) else default


def further_fields(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an answer or a chunk outside its head, choices and usage."""
    return {name: value for name, value in body.items() if name not in _HEAD and value is not None}


def as_list(value: Any) -> list[Any]:
    """Return a list, an empty one for any other value."""
    return list(value) if isinstance(value, list | tuple) else []


def as_mapping(value: Any) -> Mapping[str, Any]:
    """Return an object, an empty one for any other value."""
    return value if isinstance(value, Mapping) else {}


def as_count(value: Any) -> int | None:
    """Return a token count, ``None`` for any other value."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def text_of(content: Any) -> str:
    """Return the text of content, text or parts."""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text") or "") for part in as_list(content) if isinstance(part, Mapping))


def tool_input(arguments: Any) -> dict[str, Any]:
    """Return the arguments of a tool call as an object. Text that is no object stands under the name ``arguments``."""
    if not arguments:
        return {}
    try:
        value = json.loads(arguments)
    except (TypeError, ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"arguments": arguments}
