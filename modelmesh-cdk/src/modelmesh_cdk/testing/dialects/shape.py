"""Fields of OpenAI's format, and functions that dialects share."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

KNOWN: Mapping[str, frozenset[str]] = {
    "answer": frozenset({"id", "object", "created", "model", "choices", "usage"}),
    "choice": frozenset({"index", "message", "delta", "finish_reason", "logprobs"}),
    "message": frozenset({"role", "content", "tool_calls"}),
    "usage": frozenset({"prompt_tokens", "completion_tokens", "total_tokens"}),
}
"""Known fields by part of a response. A chunk has those of a response, and a delta those of a message."""


def extra_fields(part: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return the fields of a part that OpenAI's format does not define."""
    return {name: value for name, value in part.items() if name not in KNOWN[kind]}


def without(part: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return a copy without some fields."""
    return {name: value for name, value in part.items() if name not in names}


def choices_of(chunks: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Return each choice of a stream with its chunk."""
    return [(chunk, choice) for chunk in chunks for choice in chunk.get("choices") or ()]


def usage_in(chunks: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the usage of a stream, or ``None``."""
    return next((chunk["usage"] for chunk in chunks if chunk.get("usage")), None)


def calls_in(chunks: Sequence[Mapping[str, Any]]) -> list[tuple[dict[str, Any], list[str]]]:
    """Return the tool calls of a stream in order, each with the deltas of its arguments."""
    calls: dict[int, tuple[dict[str, Any], list[str]]] = {}
    for _, choice in choices_of(chunks):
        for piece in choice["delta"].get("tool_calls") or ():
            call, pieces = calls.setdefault(piece["index"], ({}, []))
            function = piece.get("function") or {}
            call |= without(piece, "index", "function") | without(function, "arguments")
            if function.get("arguments"):
                pieces.append(function["arguments"])
    return [calls[index] for index in sorted(calls)]


def written(data: Any) -> bytes:
    """Return JSON with unescaped characters, as vendors write it."""
    return json.dumps(data, ensure_ascii=False).encode()


def named_event(name: str, data: Any) -> bytes:
    """Return a named server-sent event."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), written(data))


def packed(vector: Sequence[float]) -> str:
    """Return an embedding in OpenAI's encoding: base64 of little-endian 32-bit floats."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def unpacked(text: str) -> list[float]:
    """Return the embedding of such a text."""
    raw = base64.b64decode(text, validate=True)
    return list(struct.unpack(f"<{len(raw) // 4}f", raw))


def replace_blank_text(messages: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return messages with a placeholder for blank user text, which some vendors reject."""
    blank = [one.get("role") == "user" and isinstance(one.get("content"), str) and not one["content"].strip() for one in messages]
    return [{**one, "content": "(empty)"} if empty else one for one, empty in zip(messages, blank, strict=True)]
