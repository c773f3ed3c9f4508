"""Conversion of a chat completion to a response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelmesh._engine.translation.chat_answers import (
    TRUNCATED,
    as_count,
    as_list,
    as_mapping,
    base_id,
    finish_reason,
    first_choice,
    further_fields,
)
from modelmesh._engine.translation.responses.native import TRANSLATED
from modelmesh._engine.translation.responses.tools import response_tools
from modelmesh._engine.translation.vendor_state import encode_state, other_state, thinking_state, thought_text

_ECHOED = (
    "background", "conversation", "max_output_tokens", "max_tool_calls", "previous_response_id", "prompt", "prompt_cache_key",
    "prompt_cache_options", "prompt_cache_retention", "reasoning", "safety_identifier", "service_tier", "temperature",
    "top_logprobs", "top_p", "user",
)  # fmt: skip
"""Parameters that a response repeats as they were given."""

_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


def response_of(body: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the response of a complete chat answer.

    Args:
        body: The chat completion.
        request: Body of the caller's request.
    """
    base = base_id(body)
    choice = first_choice(body)
    message = choice.get("message")
    reason = finish_reason(choice)
    items = output_items(message if isinstance(message, dict) else {}, base, choice.get("logprobs"), cut=reason in TRUNCATED)
    return {**head(body, base, request), **ending(reason), "output": items, "usage": response_usage(body.get("usage"))}


def head(body: Mapping[str, Any], base: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return a response in progress: its identity, the parameters of the request, and the vendor's further fields."""
    return {
        **further_fields(body),
        "id": f"resp_{TRANSLATED}{base}",
        "object": "response",
        "created_at": body.get("created") or 0,
        "model": body.get("model") or "",
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "instructions": request.get("instructions"),
        "metadata": request.get("metadata") or {},
        "output": [],
        "parallel_tool_calls": request.get("parallel_tool_calls") is not False,
        "text": {"format": {"type": "text"}, **as_mapping(request.get("text"))},
        "tool_choice": request.get("tool_choice") or "auto",
        "tools": response_tools(request.get("tools")),
        "truncation": request.get("truncation") or "disabled",
        "usage": None,
        **{name: request[name] for name in _ECHOED if request.get(name) is not None},
        **({"service_tier": body["service_tier"]} if body.get("service_tier") is not None else {}),
        **({"moderation": _moderation(body["moderation"])} if isinstance(body.get("moderation"), Mapping) else {}),
    }


def _moderation(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return moderation results in the format of a response, which has one result for the input and one for the output."""
    found = {}
    for name, value in given.items():
        results = as_list(value.get("results")) if isinstance(value, Mapping) else []
        found[name] = results[0] if results else value
    return found


def ending(reason: Any) -> dict[str, Any]:
    """Return the status of a response by the finish reason."""
    if reason in _INCOMPLETE:
        return {"status": "incomplete", "incomplete_details": {"reason": _INCOMPLETE[reason]}}
    return {"status": "completed"}


def response_usage(usage: Any) -> dict[str, Any] | None:
    """Return usage in the format of a response with the vendor's further counts, ``None`` where a total is unknown.

    The format requires counts of cached and reasoning tokens. A count that the vendor does not report is 0.
    """
    if not isinstance(usage, Mapping):
        return None
    prompt, answer = as_count(usage.get("prompt_tokens")), as_count(usage.get("completion_tokens"))
    if prompt is None or answer is None:
        return None
    total = as_count(usage.get("total_tokens"))
    known = ("prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details", "completion_tokens_details")
    return {
        **{name: value for name, value in usage.items() if name not in known and value is not None},
        "input_tokens": prompt,
        "input_tokens_details": _details(usage.get("prompt_tokens_details"), ("cached_tokens", "cache_write_tokens")),
        "output_tokens": answer,
        "output_tokens_details": _details(usage.get("completion_tokens_details"), ("reasoning_tokens",)),
        "total_tokens": prompt + answer if total is None else total,
    }


def _details(details: Any, required: Sequence[str]) -> dict[str, Any]:
    given = {name: value for name, value in details.items() if value is not None} if isinstance(details, Mapping) else {}
    return {**dict.fromkeys(required, 0), **given}


# -- output items -----------------------------------------------------------------------------------------------------


def output_items(message: Mapping[str, Any], base: str, logprobs: Any, *, cut: bool) -> list[dict[str, Any]]:
    """Return the items of a message: thoughts, text or refusal, calls, and the vendor's further fields.

    Args:
        message: The message of the chat answer.
        base: Part of the IDs after their prefix.
        logprobs: Log probabilities of the choice.
        cut: Whether the answer was truncated, so that its last item is incomplete.
    """
    items = []
    thoughts = thinking_state(message)
    if thoughts:
        items.append(reasoning_item(base, 0, thought_text(message)[1], encode_state(thoughts)))
    parts = _parts(message, logprobs)
    if parts:
        items.append(message_item(base, 0, parts))
    items += [call_item(base, place, call) for place, call in enumerate(_calls(message))]
    if not items:
        items.append(message_item(base, 0, [text_part("")]))
    if cut:
        items[-1]["status"] = "incomplete"
    state = other_state(message)
    if state:
        items.append(reasoning_item(base, 1, "", encode_state(state)))
    return items


def _parts(message: Mapping[str, Any], logprobs: Any) -> list[dict[str, Any]]:
    parts, text, refusal = [], message.get("content"), message.get("refusal")
    if isinstance(text, list):
        text = "".join(str(part.get("text") or "") for part in text if isinstance(part, Mapping))
    if text:
        given = as_list(logprobs.get("content")) if isinstance(logprobs, Mapping) else []
        parts.append(text_part(text, annotations_of(message), given))
    if refusal:
        parts.append({"type": "refusal", "refusal": refusal})
    return parts


def _calls(message: Mapping[str, Any]) -> list[Any]:
    calls = [call for call in as_list(message.get("tool_calls")) if isinstance(call, Mapping)]
    called = message.get("function_call")
    return [*calls, {"id": None, "type": "function", "function": called}] if isinstance(called, Mapping) else calls


def text_part(text: str, annotations: list[Any] | None = None, logprobs: Sequence[Any] = ()) -> dict[str, Any]:
    """Return a part with text."""
    return {
        "type": "output_text",
        "text": text,
        "annotations": annotations or [],
        "logprobs": [token_logprob(token) for token in logprobs if isinstance(token, Mapping)],
    }


def annotations_of(message: Mapping[str, Any]) -> list[Any]:
    """Return the annotations of a message in the flat format of responses."""
    found = []
    for one in as_list(message.get("annotations")):
        inner = one.get(str(one.get("type"))) if isinstance(one, Mapping) else None
        found.append({"type": one["type"], **inner} if isinstance(inner, Mapping) else one)
    return found


def token_logprob(token: Mapping[str, Any]) -> dict[str, Any]:
    """Return the log probability of a token with the fields that a response requires."""
    tops = [{**one, "bytes": one.get("bytes") or []} for one in as_list(token.get("top_logprobs")) if isinstance(one, Mapping)]
    return {**token, "bytes": token.get("bytes") or [], "top_logprobs": tops}


def reasoning_item(base: str, number: int, text: str, state: str | None) -> dict[str, Any]:
    """Return an item with the thoughts of the model and the state of their vendor."""
    summary = [{"type": "summary_text", "text": text}] if text else []
    return {"id": item_id("rs", base, number), "type": "reasoning", "summary": summary, "encrypted_content": state}


def message_item(base: str, number: int, parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a message of the assistant."""
    made = {"id": item_id("msg", base, number), "type": "message", "role": "assistant", "status": "completed"}
    return {**made, "content": parts}


def call_item(base: str, number: int, call: Mapping[str, Any]) -> dict[str, Any]:
    """Return a call of a function or a custom tool."""
    identity = item_id("fc", base, number)
    made = {"id": identity, "call_id": call.get("id") or identity, "status": "completed"}
    custom = call.get("custom")
    if isinstance(custom, Mapping):
        return {
            "id": item_id("ctc", base, number),
            "call_id": made["call_id"],
            "type": "custom_tool_call",
            "name": custom.get("name") or "",
            "input": custom.get("input") or "",
        }
    function = call.get("function")
    function = function if isinstance(function, Mapping) else {}
    return {**made, "type": "function_call", "name": function.get("name") or "", "arguments": function.get("arguments") or ""}


def item_id(prefix: str, base: str, number: int) -> str:
    """Return the ID of an item, unique in its response."""
    return f"{prefix}_{TRANSLATED}{base}" + (f"_{number}" if number else "")
