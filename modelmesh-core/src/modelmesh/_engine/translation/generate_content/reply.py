"""Conversion of a chat completion to an answer of ``generateContent``.

Google's connector keeps the vendor's own fields on the choice, on the message and in the usage, so that its answers lose nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh._engine.translation.chat_answers import (
    as_count,
    as_list,
    as_mapping,
    finish_reason,
    further_fields,
    index_of,
    text_of,
    tool_input,
)
from modelmesh._engine.translation.generate_content.signatures import sign
from modelmesh._engine.translation.vendor_state import other_state, thinking_state, thought_text
from modelmesh.contracts.conversation import PROVENANCE

_REASONS = {
    "stop": "STOP",
    "tool_calls": "STOP",
    "function_call": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
}
_OPENAI_USAGE = frozenset(
    {"prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details", "completion_tokens_details"}
)
_OPENAI_CHOICE = frozenset({"index", "message", "delta", "finish_reason", "logprobs", "content"})


def answer_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer of a complete chat answer."""
    choices = [choice for choice in as_list(body.get("choices")) if isinstance(choice, Mapping)]
    candidates = [
        candidate(choice, parts_of(as_mapping(choice.get("message"))), index_of(choice, place))
        for place, choice in enumerate(choices)
    ]
    return {"candidates": candidates, **head(body), **usage(body.get("usage"))}


def head(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the model and the ID of an answer, with the vendor's further fields."""
    named = {"modelVersion": body.get("model"), "responseId": body.get("id")}
    return {**further_fields(body), **{name: value for name, value in named.items() if value}}


def candidate(choice: Mapping[str, Any], parts: list[dict[str, Any]], index: int) -> dict[str, Any]:
    """Return a candidate with its parts. A choice without a finish reason is one of a stream."""
    found: dict[str, Any] = {"content": {"parts": parts, "role": "model"}}
    reason = finish_reason(choice)
    if reason is not None:
        found["finishReason"] = _REASONS.get(reason, "OTHER")
    found |= {name: value for name, value in choice.items() if name not in _OPENAI_CHOICE and value is not None}
    found["index"] = index
    logprobs = choice.get("logprobs")
    if isinstance(logprobs, Mapping) and "logprobsResult" not in found:
        found["logprobsResult"] = _logprobs(as_list(logprobs.get("content")))
    return found


def parts_of(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the parts of a message."""
    own = message.get("content_parts")
    if isinstance(own, list):
        return own
    native = _is_google(message)
    parts: list[dict[str, Any]] = []
    thoughts = thought_text(message)[1]
    state = None if native else thinking_state(message)
    if thoughts or state:
        parts.append({"text": thoughts, "thought": True, **({"thoughtSignature": sign(state)} if state else {})})
    text = text_of(message.get("content")) + text_of(message.get("refusal"))
    if text:
        parts.append({"text": text, **google_signature(message)})
    calls = [call for call in as_list(message.get("tool_calls")) if isinstance(call, Mapping)]
    parts += [call_part(call) for call in calls]
    if calls and not native:
        parts[-len(calls)]["thoughtSignature"] = sign(other_state(message) or {"fields": {}})
    return parts or [{"text": ""}]


def _is_google(message: Mapping[str, Any]) -> bool:
    return str(message.get(PROVENANCE) or "").startswith("google.") or "extra_content" in message


def google_signature(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return Google's signature of a message or a call, empty without one."""
    signature = as_mapping(as_mapping(item.get("extra_content")).get("google")).get("thought_signature")
    return {"thoughtSignature": signature} if isinstance(signature, str) else {}


def call_part(call: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a tool call."""
    function = as_mapping(call.get("function") or call.get("custom"))
    given = function.get("arguments", function.get("input"))
    made = {"name": function.get("name") or "", "args": tool_input(given)}
    identity = call.get("id")
    return {"functionCall": {"id": identity, **made} if identity else made, **google_signature(call)}


def _logprobs(tokens: list[Any]) -> dict[str, Any]:
    known = [token for token in tokens if isinstance(token, Mapping)]
    tops = [{"candidates": [_logprob(one) for one in as_list(token.get("top_logprobs"))]} for token in known]
    return {"chosenCandidates": [_logprob(token) for token in known], "topCandidates": tops}


def _logprob(token: Any) -> dict[str, Any]:
    token = as_mapping(token)
    return {"token": token.get("token"), "logProbability": token.get("logprob")}


def usage(reported: Any) -> dict[str, Any]:
    """Return ``usageMetadata``, empty without reported counts. Google counts thoughts apart from the answer."""
    given = as_mapping(reported)
    if any(name in given for name in ("promptTokenCount", "totalTokenCount")):
        return {"usageMetadata": {name: value for name, value in given.items() if name not in _OPENAI_USAGE}}
    prompt, completion = as_count(given.get("prompt_tokens")), as_count(given.get("completion_tokens"))
    thoughts = as_count(as_mapping(given.get("completion_tokens_details")).get("reasoning_tokens"))
    cached = as_count(as_mapping(given.get("prompt_tokens_details")).get("cached_tokens"))
    total = as_count(given.get("total_tokens"))
    if total is None and prompt is not None and completion is not None:
        total = prompt + completion
    counts = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": None if completion is None else max(completion - (thoughts or 0), 0),
        "totalTokenCount": total,
        "thoughtsTokenCount": thoughts or None,
        "cachedContentTokenCount": cached or None,
    }
    found = {name: count for name, count in counts.items() if count is not None}
    return {"usageMetadata": found} if found else {}
