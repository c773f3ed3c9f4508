"""Provenance of messages: fields that a vendor adds to OpenAI's format go back to that vendor only.

A vendor requires its signed thoughts, plans and content blocks in the next request, and other vendors reject a request that
contains them. A message with more than OpenAI's fields therefore names its connector. Another connector receives OpenAI's fields
only. The caller's own history keeps all fields, so that a conversation can return to the first vendor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PROVENANCE = "connector"
"""Field of an assistant message: ID of the connector that returned it. Absent from a message with OpenAI's fields only."""

MESSAGE_FIELDS = frozenset({"role", "content", "name", "refusal", "annotations", "audio", "function_call", "tool_calls"})
CALL_FIELDS = frozenset({"index", "id", "type", "function", "custom"})
"""OpenAI's fields (openai 3.52.0, ``ChatCompletionMessage``, ``ChoiceDelta``, their tool calls, read 2026-11-21)."""

_CONTENT = ("content", "refusal", "audio", "function_call", "tool_calls")


def tag_answer(body: Mapping[str, Any], connector: str) -> None:
    """Add the provenance to each message of a complete answer that has more than OpenAI's fields."""
    choices = body.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        message = choice.get("message") if isinstance(choice, dict) else None
        if isinstance(message, dict) and has_vendor_fields(message):
            message[PROVENANCE] = connector


class StreamMarker:
    """Adds the provenance to a stream: once for each choice, in the first delta with more than OpenAI's fields.

    Code that merges deltas concatenates strings, so a repeated field would be corrupted.
    """

    __slots__ = ("_connector", "_marked")

    def __init__(self, connector: str) -> None:
        self._connector = connector
        self._marked: set[Any] = set()

    def mark(self, chunk: Mapping[str, Any]) -> None:
        """Add the provenance to one chunk where it is due."""
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            delta = choice.get("delta") if isinstance(choice, dict) else None
            if isinstance(delta, dict) and choice.get("index") not in self._marked and has_vendor_fields(delta):
                self._marked.add(choice.get("index"))
                delta[PROVENANCE] = self._connector


def messages_for_connector(connector: str, messages: Any, adapted: list[str]) -> Any:
    """Return the messages of a conversation as one connector may receive them.

    Args:
        connector: ID of the connector.
        messages: The caller's messages, which are not modified. A message without provenance is returned unchanged.
        adapted: Receives a line for each message from which fields of another vendor were dropped.
    """
    if not isinstance(messages, list):
        return messages
    for one in messages:
        if (one.__class__ is dict or isinstance(one, Mapping)) and PROVENANCE in one:
            break
    else:
        return messages
    seen = [_for(connector, one, f"messages[{place}]", adapted) for place, one in enumerate(messages)]
    return [one for one in seen if one is not None]


def _for(connector: str, message: Any, where: str, adapted: list[str]) -> Any:
    if not isinstance(message, Mapping) or PROVENANCE not in message or message.get("role") != "assistant":
        return message
    plain = {name: value for name, value in message.items() if name != PROVENANCE}
    if message[PROVENANCE] == connector:
        return plain
    dropped = [name for name, value in plain.items() if name not in MESSAGE_FIELDS and value is not None]
    kept = {name: value for name, value in plain.items() if name in MESSAGE_FIELDS}
    calls = kept.get("tool_calls")
    if isinstance(calls, list):
        dropped += [f"tool_calls.{name}" for call in calls for name in _vendor_fields(call)]
        kept["tool_calls"] = [_plain_call(call) for call in calls]
    if dropped:
        names = ", ".join(dict.fromkeys(dropped))
        adapted.append(f"{names} of {where} dropped: specific to {message[PROVENANCE]}")
    return kept if any(kept.get(name) for name in _CONTENT) else None  # the message had content of another vendor only


def has_vendor_fields(message: Mapping[str, Any]) -> bool:
    """Return whether a message or delta has more than OpenAI's fields."""
    if not message.keys() <= MESSAGE_FIELDS and any(
        value is not None for name, value in message.items() if name not in MESSAGE_FIELDS
    ):
        return True
    calls = message.get("tool_calls")
    return isinstance(calls, list) and any(_vendor_fields(call) for call in calls)


def _vendor_fields(call: Any) -> list[str]:
    if not isinstance(call, Mapping) or call.keys() <= CALL_FIELDS:
        return []
    return [name for name, value in call.items() if name not in CALL_FIELDS and value is not None]


def _plain_call(call: Any) -> Any:
    if not isinstance(call, Mapping):
        return call
    return {name: value for name, value in call.items() if name in CALL_FIELDS and name != "index"}
