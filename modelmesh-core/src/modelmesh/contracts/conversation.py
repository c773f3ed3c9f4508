"""Whose words a message holds: what a vendor adds to OpenAI's shape is for that vendor alone.

Signed thoughts, plans, blocks of its own: a vendor wants them back with the next request, and another one refuses a request
that holds them, or cannot read them. So a message with more than OpenAI's fields says which connector it came through, and
when it is sent through another, only OpenAI's fields are. The caller's own history keeps all of it, for the day that the
conversation returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PROVENANCE = "connector"
"""Field of an assistant's message: ID of the connector it came through. Not there when OpenAI's fields say everything."""

_MESSAGE = frozenset({"role", "content", "name", "refusal", "annotations", "audio", "function_call", "tool_calls"})
_CALL = frozenset({"index", "id", "type", "function", "custom"})
"""OpenAI's fields (openai 3.52.0, ``ChatCompletionMessage``, ``ChoiceDelta``, their tool calls, read 2026-11-21)."""

_SAYS = ("content", "refusal", "audio", "function_call", "tool_calls")


def tag_answer(body: Mapping[str, Any], connector: str) -> None:
    """Write its origin on each message of a whole answer that holds more than OpenAI's fields."""
    choices = body.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        said = choice.get("message") if isinstance(choice, Mapping) else None
        if isinstance(said, dict) and _has_vendor_fields(said):
            said[PROVENANCE] = connector


class StreamMarker:
    """Writes the origin into a stream: once for each choice, in the first delta that holds more than OpenAI's fields.

    Once, because who puts deltas together strings equal fields to one.
    """

    __slots__ = ("_connector", "_marked")

    def __init__(self, connector: str) -> None:
        self._connector = connector
        self._marked: set[Any] = set()

    def mark(self, chunk: Mapping[str, Any]) -> None:
        """Mark one chunk."""
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            delta = choice.get("delta") if isinstance(choice, dict) else None
            if isinstance(delta, dict) and _has_vendor_fields(delta) and choice.get("index") not in self._marked:
                self._marked.add(choice.get("index"))
                delta[PROVENANCE] = self._connector


def messages_for_connector(connector: str, messages: Any, adapted: list[str]) -> Any:
    """Return a conversation as one connector is to see it.

    Args:
        connector: Its ID.
        messages: The caller's; they are not changed. A message without an origin stays as it is.
        adapted: Takes a line for each message that other vendors' fields were left out of.
    """
    if not isinstance(messages, list) or not any(isinstance(one, Mapping) and PROVENANCE in one for one in messages):
        return messages
    seen = [_for(connector, one, f"messages[{place}]", adapted) for place, one in enumerate(messages)]
    return [one for one in seen if one is not None]


def _for(connector: str, message: Any, where: str, adapted: list[str]) -> Any:
    if not isinstance(message, Mapping) or PROVENANCE not in message or message.get("role") != "assistant":
        return message
    plain = {name: value for name, value in message.items() if name != PROVENANCE}
    if message[PROVENANCE] == connector:
        return plain
    left = [name for name, value in plain.items() if name not in _MESSAGE and value is not None]
    kept = {name: value for name, value in plain.items() if name in _MESSAGE}
    calls = kept.get("tool_calls")
    if isinstance(calls, list):
        left += [f"tool_calls.{name}" for call in calls for name in _vendor_fields(call)]
        kept["tool_calls"] = [_plain_call(call) for call in calls]
    if left:
        adapted.append(f"{', '.join(dict.fromkeys(left))} of {where} left out: they are for {message[PROVENANCE]}")
    return kept if any(kept.get(name) for name in _SAYS) else None  # a picture of another vendor's, and no word


def _has_vendor_fields(said: Mapping[str, Any]) -> bool:
    if not said.keys() <= _MESSAGE and any(value is not None for name, value in said.items() if name not in _MESSAGE):
        return True
    calls = said.get("tool_calls")
    return isinstance(calls, list) and any(_vendor_fields(call) for call in calls)


def _vendor_fields(call: Any) -> list[str]:
    if not isinstance(call, Mapping) or call.keys() <= _CALL:
        return []
    return [name for name, value in call.items() if name not in _CALL and value is not None]


def _plain_call(call: Any) -> Any:
    if not isinstance(call, Mapping):
        return call
    return {name: value for name, value in call.items() if name in _CALL and name != "index"}
