"""Conversion of a chat completion to a message of Anthropic's API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh._engine.translation.chat_answers import (
    as_count,
    as_list,
    base_id,
    finish_reason,
    first_choice,
    further_fields,
    text_of,
    tool_input,
)
from modelmesh._engine.translation.vendor_state import encode_state, other_state, thinking_state, thought_text

_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
_OWN_REASONS = frozenset(
    {"end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal", "model_context_window_exceeded"}
)
"""Stop reasons of Anthropic, which its connector keeps in the choice."""


def message_of(body: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the message of a complete chat answer.

    Args:
        body: The chat completion.
        request: Body of the caller's request.
    """
    choice = first_choice(body)
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    return {
        **head(body, base_id(body)),
        "content": _blocks(message),
        **ending(choice, request, message.get("refusal"), called=bool(message.get("tool_calls"))),
        "usage": message_usage(body.get("usage")),
    }


def head(body: Mapping[str, Any], base: str) -> dict[str, Any]:
    """Return a message without content: its identity, and the vendor's further fields."""
    return {
        **further_fields(body),
        "id": f"msg_{base.removeprefix('msg_')}",
        "type": "message",
        "role": "assistant",
        "model": body.get("model") or "",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": message_usage(None),
    }


def ending(choice: Mapping[str, Any], request: Mapping[str, Any], refusal: Any, *, called: bool) -> dict[str, Any]:
    """Return the stop reason of a choice, and the sequence that stopped it where the vendor names the sequence.

    Args:
        choice: The choice, or its last chunk.
        request: Body of the caller's request.
        refusal: Text of the refusal, if any.
        called: Whether the choice has tool calls. Some vendors finish them with ``stop``.
    """
    stopped = choice.get("stop_reason")
    own = stopped if isinstance(stopped, str) and stopped in _OWN_REASONS else None
    if own is None and isinstance(stopped, str) and stopped in as_list(request.get("stop_sequences")):
        return {"stop_reason": "stop_sequence", "stop_sequence": stopped}
    made = own or _REASONS.get(finish_reason(choice) or "", "end_turn")
    if made == "end_turn" and called:
        made = "tool_use"
    elif made == "end_turn" and isinstance(refusal, str) and refusal:
        made = "refusal"
    found: dict[str, Any] = {"stop_reason": made, "stop_sequence": choice.get("stop_sequence")}
    if made == "refusal":
        explanation = refusal if isinstance(refusal, str) and refusal else None
        found["stop_details"] = {"type": "refusal", "category": None, "explanation": explanation}
    return found


def _blocks(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    thoughts = thinking_state(message)
    if thoughts:
        blocks.append(thinking_block(thought_text(message)[1], encode_state(thoughts)))
    text = text_of(message.get("content")) + text_of(message.get("refusal"))
    if text:
        blocks.append({"type": "text", "text": text})
    calls = as_list(message.get("tool_calls"))
    blocks += [tool_use(call) for call in calls if isinstance(call, Mapping)]
    state = other_state(message) if calls else None
    if state:
        blocks.append(thinking_block("", encode_state(state)))
    return blocks


def thinking_block(text: str, state: str) -> dict[str, Any]:
    """Return a block with thoughts and the state of their vendor."""
    if not text:
        return {"type": "redacted_thinking", "data": state}
    return {"type": "thinking", "thinking": text, "signature": state}


def tool_use(call: Mapping[str, Any]) -> dict[str, Any]:
    """Return the block of a tool call."""
    function = call.get("function")
    function = function if isinstance(function, Mapping) else {}
    return {
        "type": "tool_use",
        "id": call.get("id") or "",
        "name": function.get("name") or "",
        "input": tool_input(function.get("arguments")),
    }


def message_usage(usage: Any) -> dict[str, Any]:
    """Return usage in Anthropic's format.

    The format requires both totals. A total that the vendor does not report is 0. ``input_tokens`` exclude cached tokens.
    """
    given = usage if isinstance(usage, Mapping) else {}
    details, outputs = given.get("prompt_tokens_details"), given.get("completion_tokens_details")
    read = as_count(details.get("cached_tokens")) if isinstance(details, Mapping) else None
    written = as_count(details.get("cache_write_tokens")) if isinstance(details, Mapping) else None
    prompt = as_count(given.get("prompt_tokens")) or 0
    found: dict[str, Any] = {
        "input_tokens": max(prompt - (read or 0) - (written or 0), 0),
        "output_tokens": as_count(given.get("completion_tokens")) or 0,
    }
    if read is not None:
        found["cache_read_input_tokens"] = read
    if written is not None:
        found["cache_creation_input_tokens"] = written
    thoughts = as_count(outputs.get("reasoning_tokens")) if isinstance(outputs, Mapping) else None
    if thoughts is not None:
        found["output_tokens_details"] = {"thinking_tokens": thoughts}
    return found
