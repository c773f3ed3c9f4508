"""Convert Gemini responses to OpenAI chat completions.

Fields, finish reasons and usage totals are those of google-genai 3.4.0 (``types.GenerateContentResponse``, ``Candidate``,
``FinishReason``, ``GenerateContentResponseUsageMetadata``), read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelmesh.contracts import FailureClass, reported_tokens
from modelmesh_cdk import json_codec, provider_error

FINISH = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "CONTINUATION": "length",  # the limit of one request. The choice contains continuationToken
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "ESCALATION": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
}
NO_REASON = frozenset({"", "FINISH_REASON_UNSPECIFIED"})
"""Value before there is a finish reason: the default of the vendor's enumeration."""

BROKEN = frozenset(
    {
        "MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS",
        "MISSING_THOUGHT_SIGNATURE", "OTHER", "LANGUAGE", "IMAGE_OTHER", "NO_IMAGE", "PUP_LIMITED_DISABLED",
    }
)  # fmt: skip
"""Finish reasons of an answer that the model did not complete."""

_MODALITIES = {"TEXT": "text_tokens", "AUDIO": "audio_tokens", "IMAGE": "image_tokens"}
"""Modalities that OpenAI counts separately, too (``types.MediaModality``)."""

CONVERTED = frozenset({"candidates", "usageMetadata", "modelVersion", "responseId"})
_PLAIN = (
    frozenset({"text", "thought"}),
    frozenset({"text", "thoughtSignature"}),
    frozenset({"functionCall", "thoughtSignature"}),
)
_PLAIN_CALL = frozenset({"id", "name", "args"})


def completion(data: Mapping[str, Any], *, created: int) -> dict[str, Any]:
    """Return an answer in OpenAI's format.

    Args:
        data: The vendor's answer. Fields outside OpenAI's schema stay at the top level or on the choice.
        created: Unix time of receipt.

    Raises:
        ValueError: The response has no candidate, or a candidate without a finish reason.
        ProviderError: A candidate is incomplete.
    """
    candidates = data.get("candidates")
    if not isinstance(candidates, list) or not candidates or not all(isinstance(one, dict) for one in candidates):
        message = "its body is not a Gemini response: it has no candidates"
        raise ValueError(message)
    return {
        **extra_fields(data),
        "id": data.get("responseId"),
        "object": "chat.completion",
        "created": created,
        "model": data.get("modelVersion"),
        "choices": [_choice(one, place, data) for place, one in enumerate(candidates)],
        "usage": usage_of(data.get("usageMetadata")),
    }


def _choice(candidate: Mapping[str, Any], place: int, data: Mapping[str, Any]) -> dict[str, Any]:
    index = index_of(candidate, place)
    parts = parts_in(candidate)
    text, calls = text_and_calls(parts)
    finish = finish_reason(candidate.get("finishReason"), called=bool(calls))
    check_end(candidate.get("finishReason"), data.get("usageMetadata"), has_content=bool(text or calls))
    if finish is None:
        message = "its body is an incomplete Gemini response: a candidate has no finishReason"
        raise ValueError(message)
    return {
        **extra_choice_fields(candidate),
        "index": index,
        "message": {**extra_content_fields(candidate), **message_from_parts(parts, data.get("responseId"), index)},
        "finish_reason": finish,
        "logprobs": logprobs_of(candidate.get("logprobsResult")),
    }


def index_of(candidate: Mapping[str, Any], place: int) -> int:
    """Return the index of a candidate. The vendor omits 0."""
    given = candidate.get("index", place)
    return given if type(given) is int and given >= 0 else place


def check_end(reason: Any, usage: Any, *, has_content: bool) -> None:
    """Check that a candidate with this finish reason is complete.

    Raises:
        ProviderError: The candidate is incomplete, or has an unknown finish reason and no content.
    """
    if not isinstance(reason, str) or reason in NO_REASON or reason in FINISH:
        return
    if reason in BROKEN or not has_content:
        message = f"the provider's response is incomplete (finishReason {reason[:80]})"
        made = provider_error(FailureClass.PROTOCOL, message, code=reason[:80])
        made.usage = usage_of(usage)
        raise made


def extra_fields(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a response outside OpenAI's schema."""
    return {name: value for name, value in data.items() if name not in CONVERTED}


def extra_choice_fields(candidate: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a candidate outside OpenAI's choice. ``finishReason`` is the vendor's value."""
    return {name: value for name, value in candidate.items() if name not in ("content", "index")}


def extra_content_fields(candidate: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a candidate's content outside OpenAI's schema."""
    content = candidate.get("content") or {}
    return {name: value for name, value in content.items() if name not in ("parts", "role")}


def parts_in(candidate: Mapping[str, Any]) -> list[Any]:
    """Return the parts of a candidate, none when a filter removed all of them.

    Raises:
        ValueError: The parts differ from Gemini's documentation.
    """
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    if parts is None and (content is None or isinstance(content, dict)):
        return []
    if not isinstance(parts, list) or not all(isinstance(part, dict) and is_part(part) for part in parts):
        message = "its content is not a list of parts as Gemini documents them"
        raise ValueError(message)
    return parts


def is_part(part: Mapping[str, Any]) -> bool:
    """Return whether a part's text is text, and its call has a name and an object of arguments."""
    if not isinstance(part.get("text", ""), str):
        return False
    if "functionCall" not in part:
        return True
    call = part["functionCall"]
    named = isinstance(call, dict) and isinstance(call.get("name"), str) and bool(call["name"])
    return named and isinstance(call.get("args"), dict | None)


def finish_reason(reason: Any, *, called: bool) -> str | None:
    """Return OpenAI's finish reason, ``None`` while there is none. An unknown reason is ``stop``.

    OpenAI's set is closed. The vendor's value stays on the choice as ``finishReason``. Gemini returns ``STOP`` for tool
    calls as well. :func:`check_end` rejects the reasons of incomplete candidates.
    """
    if not isinstance(reason, str) or reason in NO_REASON:
        return None
    found = FINISH.get(reason, "stop")
    return "tool_calls" if called and found == "stop" else found


def text_and_calls(parts: Sequence[Any]) -> tuple[str, list[Mapping[str, Any]]]:
    """Return the text of parts without thoughts, and their function calls."""
    known = [part for part in parts if isinstance(part, dict)]
    text = "".join(part.get("text") or "" for part in known if not part.get("thought"))
    return text, [part["functionCall"] for part in known if isinstance(part.get("functionCall"), dict)]


def message_from_parts(parts: Sequence[dict[str, Any]], answer: Any, index: int) -> dict[str, Any]:
    """Return the assistant message of parts.

    The next request must contain the message with its ``extra_content`` and ``content_parts``. The latter contains all parts
    unchanged, if OpenAI's fields cannot represent them.
    """
    texts = [part["text"] for part in parts if "text" in part and not part.get("thought")]
    thoughts = [part["text"] for part in parts if "text" in part and part.get("thought")]
    message: dict[str, Any] = {"role": "assistant", "content": "".join(texts) if texts else None}
    called = [part for part in parts if "functionCall" in part]
    if called:
        message["tool_calls"] = [
            tool_call_from_part(part, call_id(part, answer, index, place)) for place, part in enumerate(called)
        ]
    if thoughts:
        message["reasoning_content"] = "".join(thoughts)
    message |= signed(next((part for part in reversed(parts) if "text" in part and "thoughtSignature" in part), {}))
    if not is_plain(parts):
        message["content_parts"] = list(parts)
    return message


def signed(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part's signature in the field of Google's OpenAI-compatible endpoint."""
    signature = part.get("thoughtSignature")
    return {} if signature is None else {"extra_content": {"google": {"thought_signature": signature}}}


def call_id(part: Mapping[str, Any], answer: Any, index: int, place: int) -> str:
    """Return the vendor's ID of a call, else an ID from the response ID and the call's position, as OpenAI requires one."""
    given = part["functionCall"].get("id")
    return str(given) if given else "_".join(str(word) for word in ("call", answer or "gemini", index, place))


def tool_call_from_part(part: Mapping[str, Any], identity: str) -> dict[str, Any]:
    """Return the tool call of a part, with its signature."""
    call = part["functionCall"]
    text = json_codec.encode(call.get("args") or {}).decode()
    return {"id": identity, "type": "function", "function": {"name": call.get("name"), "arguments": text}, **signed(part)}


def is_plain(parts: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether OpenAI's fields can represent these parts: thoughts, then text, then calls.

    A signed text stays a separate part, because a signature belongs to its part.
    """
    rank, texts, signatures = 0, 0, 0
    for part in parts:
        kind = 2 if "functionCall" in part else 0 if part.get("thought") else 1
        if kind < rank or not part.keys() <= _PLAIN[kind] or (kind < 2 and "text" not in part):  # noqa: PLR2004 - a call
            return False
        if kind == 2 and not part["functionCall"].keys() <= _PLAIN_CALL:  # noqa: PLR2004
            return False
        rank, texts = kind, texts + (kind == 1)
        signatures += kind == 1 and "thoughtSignature" in part
    return signatures == 0 or texts == 1


def logprobs_of(result: Any) -> dict[str, Any] | None:
    """Return log probabilities in OpenAI's format, ``None`` when the response has none or an invalid format."""
    chosen = result.get("chosenCandidates") if isinstance(result, dict) else None
    if not isinstance(chosen, list) or not chosen or not all(isinstance(one, dict) for one in chosen):
        return None
    tops = result.get("topCandidates")
    tops = tops if isinstance(tops, list) else []
    content = []
    for place, one in enumerate(chosen):
        others = tops[place].get("candidates") if place < len(tops) and isinstance(tops[place], dict) else None
        kept = [other for other in others if isinstance(other, dict)] if isinstance(others, list) else []
        content.append({**_logprob(one), "top_logprobs": [_logprob(other) for other in kept]})
    return {"content": content, "refusal": None}


def _logprob(token: Mapping[str, Any]) -> dict[str, Any]:
    text = token.get("token")
    known = list(text.encode()) if isinstance(text, str) else None
    return {"token": text, "logprob": token.get("logProbability"), "bytes": known}


def usage_of(usage: Any) -> dict[str, Any] | None:
    """Return usage with OpenAI's fields and the vendor's, ``None`` when the vendor reported no counts.

    Gemini counts thoughts and the results of its tools separately. OpenAI's ``completion_tokens`` and ``prompt_tokens``
    include them. Where the vendor omits the completion count, it is the total without the prompt.
    """
    if not isinstance(usage, dict):
        return None
    found: dict[str, Any] = {}
    prompt, total = reported_tokens(usage.get("promptTokenCount")), reported_tokens(usage.get("totalTokenCount"))
    completion_tokens, thought = (
        reported_tokens(usage.get("candidatesTokenCount")),
        reported_tokens(usage.get("thoughtsTokenCount")),
    )
    if prompt is None and completion_tokens is None and total is None:
        return None
    if prompt is not None:
        found["prompt_tokens"] = prompt = prompt + (reported_tokens(usage.get("toolUsePromptTokenCount")) or 0)
    if completion_tokens is not None:
        found["completion_tokens"] = completion_tokens + (thought or 0)
    elif prompt is not None and total is not None:
        found["completion_tokens"] = max(total - prompt, 0)
    if total is not None:
        found["total_tokens"] = total
    read = _tokens_by_modality(usage, "promptTokensDetails", "toolUsePromptTokensDetails")
    cached = reported_tokens(usage.get("cachedContentTokenCount"))
    if cached is not None:
        read["cached_tokens"] = cached
    written = _tokens_by_modality(usage, "candidatesTokensDetails")
    if thought is not None:
        written["reasoning_tokens"] = thought
    details = {"prompt_tokens_details": read, "completion_tokens_details": written}
    return {**found, **{name: counts for name, counts in details.items() if counts}, **usage}


def _tokens_by_modality(usage: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Sum token counts by modality."""
    found: dict[str, Any] = {}
    for name in names:
        rows = usage.get(name)
        for row in rows if isinstance(rows, list) else ():
            kind, count = (row.get("modality"), row.get("tokenCount")) if isinstance(row, dict) else (None, None)
            if isinstance(kind, str) and kind in _MODALITIES and reported_tokens(count) is not None:
                found[_MODALITIES[kind]] = found.get(_MODALITIES[kind], 0) + count
    return found
