"""Conversion between OpenAI's and Mistral's formats: parameter names, service tiers and content chunks.

Names and types are those of the mistralai package 3.7.0 (``models/chatcompletionrequest.py``, ``embeddingrequest.py``,
``thinkchunk.py``, ``chatcompletionchoice.py``, ``requestedservicetier.py``), read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RENAMED = {
    "chat.completions": {"seed": "random_seed", "max_completion_tokens": "max_tokens"},
    "embeddings": {"dimensions": "output_dimension"},
}
CHUNKS = "content_chunks"
"""Message field with the content chunks of a response. Chunks that the caller returns are sent unchanged."""

FINISH = {"model_length": "length"}

_NO_TIER = ("flex", "scale", "priority", "fast")
"""OpenAI's service tiers that Mistral rejects."""


def to_mistral(payload: dict[str, Any], operation: str, adapted: list[str]) -> dict[str, Any]:
    """Return the request body in Mistral's format.

    Args:
        payload: The body in OpenAI's format. Its values are shared and must not change.
        operation: Name of the operation.
        adapted: Receives one line for each change.
    """
    for theirs, ours in RENAMED.get(operation, {}).items():
        if theirs in payload:
            payload.setdefault(ours, payload[theirs])
            del payload[theirs]
            adapted.append(f"{theirs} is sent as {ours}")
    tier = payload.get("service_tier")
    if tier == "default":
        payload["service_tier"] = "standard_only"
        adapted.append("service_tier 'default' sent as 'standard_only'")
    elif tier in _NO_TIER:
        del payload["service_tier"]
        adapted.append(f"service_tier {tier!r} dropped: Mistral has auto and standard_only")
    options = payload.get("stream_options")
    if isinstance(options, Mapping) and set(options) <= {"include_usage"}:
        del payload["stream_options"]  # the last chunk of every stream has the usage
    return payload


def flatten_choice(choice: Any, part: str) -> None:
    """Replace a list of content chunks by its text and keep the list in ``content_chunks``.

    Args:
        choice: One choice of a response or of a stream chunk. It is changed in place.
        part: ``message`` or ``delta``.
    """
    if not isinstance(choice, dict):
        return
    reason = choice.get("finish_reason")
    if reason in FINISH:
        choice |= {"finish_reason": FINISH[reason], "native_finish_reason": reason}
    message = choice.get(part)
    chunks = message.get("content") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(chunks, list):
        return
    message["content"] = text_of(chunks) or None
    thought = "".join(_thought(chunk) for chunk in chunks)
    if thought:
        message["reasoning_content"] = thought
    message[CHUNKS] = chunks


def text_of(chunks: Any) -> str:
    """Return the joined text of content chunks, without reasoning."""
    return "".join(_text(chunk, "text") for chunk in chunks)


def _text(chunk: Any, kind: str) -> str:
    return str(chunk.get("text") or "") if isinstance(chunk, Mapping) and chunk.get("type") == kind else ""


def _thought(chunk: Any) -> str:
    if not isinstance(chunk, Mapping) or chunk.get("type") != "thinking":
        return ""
    thought = chunk.get("thinking")
    return "".join(_text(part, "text") for part in thought) if isinstance(thought, list) else str(thought or "")
