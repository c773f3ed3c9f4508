"""Answers and chunks of wrong types, derived from correct ones: tables of name, change, and expected result."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

FALLBACK, ANSWER, INTERRUPTED, EITHER = "fallback", "answer", "interrupted", "either"
Chunks = list[dict[str, Any]]
Row = tuple[str, Callable[[Any], Any]]


def at(path: str, value: Any) -> Callable[[Any], Any]:
    """Return a change that sets the value at a dotted path. ``...`` removes it."""

    def change(body: Any) -> Any:
        *way, last = [int(step) if step.isdecimal() else step for step in path.split(".")]
        place = body = copy.deepcopy(body)
        for step in way:
            place = place[step]
        if value is ...:
            place.pop(last, None)
        else:
            place[last] = value
        return body

    return change


MESSAGE = "choices.0.message"
PLAIN_SHAPES: dict[str, Row] = {
    "choices-text": (FALLBACK, at("choices", "HELLO")),
    "choices-map": (FALLBACK, at("choices", {"0": {}})),
    "choices-of-null": (FALLBACK, at("choices", [None])),
    "choice-empty": (FALLBACK, at("choices", [{}])),
    "choice-index-text": (FALLBACK, at("choices.0.index", "0")),
    "message-null": (FALLBACK, at(MESSAGE, None)),
    "message-text": (FALLBACK, at(MESSAGE, "text")),
    "message-list": (FALLBACK, at(MESSAGE, [])),
    "message-empty": (FALLBACK, at(MESSAGE, {})),
    "content-number": (FALLBACK, at(f"{MESSAGE}.content", 5)),
    "content-map": (FALLBACK, at(f"{MESSAGE}.content", {"text": "HELLO WORLD"})),
    "content-of-texts": (FALLBACK, at(f"{MESSAGE}.content", ["HELLO WORLD"])),
    "content-parts": (ANSWER, at(f"{MESSAGE}.content", [{"type": "text", "text": one} for one in ("HELLO ", "WORLD")])),
    "role-number": (FALLBACK, at(f"{MESSAGE}.role", 5)),
    "refusal-list": (FALLBACK, at(f"{MESSAGE}.refusal", [])),
    "tool-calls-text": (FALLBACK, at(f"{MESSAGE}.tool_calls", "say")),
    "tool-calls-of-null": (FALLBACK, at(f"{MESSAGE}.tool_calls", [None])),
    "tool-calls-null": (ANSWER, at(f"{MESSAGE}.tool_calls", None)),
    "finish-empty": (FALLBACK, at("choices.0.finish_reason", "")),
    "finish-null": (FALLBACK, at("choices.0.finish_reason", None)),
    "finish-list": (FALLBACK, at("choices.0.finish_reason", ["stop"])),
    "usage-text": (ANSWER, at("usage", "lots")),
    "usage-list": (ANSWER, at("usage", [1])),
    "usage-of-texts": (ANSWER, at("usage", {"prompt_tokens": "3", "completion_tokens": "2"})),
    "usage-negative": (ANSWER, at("usage", {"prompt_tokens": -3, "completion_tokens": 2})),
    "usage-fraction": (ANSWER, at("usage", {"prompt_tokens": 3.5, "completion_tokens": 2})),
    "usage-huge": (ANSWER, at("usage.prompt_tokens", 10**40)),
    "usage-details-text": (ANSWER, at("usage.prompt_tokens_details", "x")),
    "old-completion": (FALLBACK, at("choices", [{"index": 0, "text": "HELLO WORLD", "finish_reason": "stop"}])),
    "a-chunk": (FALLBACK, at("choices", [{"index": 0, "delta": {"content": "HELLO WORLD"}, "finish_reason": "stop"}])),
}


def each(change: Callable[[Any], Any]) -> Callable[[Chunks], Chunks]:
    """Return a change of every chunk."""
    return lambda chunks: [change(chunk) for chunk in chunks]


def one(place: int, change: Callable[[Any], Any]) -> Callable[[Chunks], Chunks]:
    """Return a change of one chunk: 0 is the role, 1 and 2 the content, 3 the finish."""
    return lambda chunks: [change(chunk) if at_ == place else chunk for at_, chunk in enumerate(chunks)]


def between(place: int, extra: Any) -> Callable[[Chunks], Any]:
    """Return a change that inserts an item before a chunk."""
    return lambda chunks: [*chunks[:place], extra, *chunks[place:]]


CHOICE, DELTA = "choices.0", "choices.0.delta"
STREAM_SHAPES: dict[str, Row] = {
    "chunk-choices-text": (FALLBACK, one(0, at("choices", "HELLO"))),
    "chunk-choices-text-late": (INTERRUPTED, one(2, at("choices", "HELLO"))),
    "chunk-choices-map-late": (INTERRUPTED, one(2, at("choices", {"0": {}}))),
    "chunk-choice-null-late": (INTERRUPTED, one(2, at("choices", [None]))),
    "chunk-delta-text": (FALLBACK, one(0, at(DELTA, "text"))),
    "chunk-delta-text-late": (INTERRUPTED, one(2, at(DELTA, "text"))),
    "chunk-delta-null": (ANSWER, one(0, at(DELTA, None))),
    "chunk-delta-null-finish": (ANSWER, one(3, at(DELTA, None))),
    "chunk-delta-missing-finish": (ANSWER, one(3, at(DELTA, ...))),
    "chunk-message": (FALLBACK, one(0, at(CHOICE, {"index": 0, "message": {"content": "x"}}))),
    "chunk-old-text-late": (INTERRUPTED, one(2, at(CHOICE, {"index": 0, "text": "x"}))),
    "chunk-index-text-late": (INTERRUPTED, one(2, at(f"{CHOICE}.index", "0"))),
    "chunk-index-null": (ANSWER, each(at(f"{CHOICE}.index", None))),
    "chunk-index-missing": (ANSWER, each(at(f"{CHOICE}.index", ...))),
    "chunk-content-number": (FALLBACK, one(0, at(f"{DELTA}.content", 5))),
    "chunk-content-number-late": (INTERRUPTED, one(2, at(f"{DELTA}.content", 5))),
    "chunk-role-number": (FALLBACK, one(0, at(f"{DELTA}.role", 5))),
    "chunk-reasoning-map-late": (INTERRUPTED, one(2, at(f"{DELTA}.reasoning_content", {}))),
    "chunk-tools-text-late": (INTERRUPTED, one(2, at(f"{DELTA}.tool_calls", "x"))),
    "chunk-tools-of-null-late": (INTERRUPTED, one(2, at(f"{DELTA}.tool_calls", [None]))),
    "chunk-finish-empty": (ANSWER, lambda chunks: [*each(at(f"{CHOICE}.finish_reason", ""))(chunks[:3]), chunks[3]]),
    "chunk-finish-empty-cut": (INTERRUPTED, lambda chunks: each(at(f"{CHOICE}.finish_reason", ""))(chunks[:2])),
    "chunk-finish-list-cut": (INTERRUPTED, lambda chunks: each(at(f"{CHOICE}.finish_reason", ["stop"]))(chunks[:2])),
    "role-finish-empty-cut": (FALLBACK, lambda chunks: each(at(f"{CHOICE}.finish_reason", ""))(chunks[:1])),
    "chunk-usage-text": (ANSWER, one(3, at("usage", "lots"))),
    "chunk-usage-of-texts": (ANSWER, one(3, at("usage", {"prompt_tokens": "3"}))),
    "chunk-usage-list-early": (ANSWER, each(at("usage", [1]))),
    "usage-chunk-text": (ANSWER, between(4, {"choices": [], "usage": "lots"})),
    "ping": (
        ANSWER,
        lambda chunks: [{"type": "ping"}, chunks[0], {}, *chunks[1:3], {"choices": None}, chunks[3], {"choices": []}],
    ),
    "empty-deltas-then-error": (
        FALLBACK,
        lambda chunks: [*[at(DELTA, {"content": ""})(chunks[0])] * 100, {"error": {"message": "no", "code": 500}}],
    ),
    "empty-deltas": (ANSWER, lambda chunks: [*[at(DELTA, {"content": ""})(chunks[0])] * 100, *chunks]),
    "error-after-finish": (ANSWER, between(4, {"error": {"message": "no", "code": 500}})),
    "blank-data": (ANSWER, lambda chunks: [b"data:\n\n", chunks[0], b"data: \n\n", *chunks[1:3], b"data\n\n", chunks[3]]),
    "error-by-name": (FALLBACK, between(1, b'event: error\ndata: {"message": "overloaded", "code": 503}\n\n')),
    "error-by-name-late": (INTERRUPTED, between(2, b'event: error\ndata: {"message": "overloaded", "code": 503}\n\n')),
    "error-by-name-in-words": (INTERRUPTED, between(2, b"event: error\ndata: overloaded\n\n")),
    "event-2-mib": (ANSWER, one(1, at("note", "x" * 2_000_000))),
}
"""Replacements for the chunks of a stream. Bytes are sent unchanged."""

CALL = f"{DELTA}.tool_calls.0"
TOOL_SHAPES: dict[str, Row] = {
    "call-index-null": (ANSWER, lambda chunks: one(2, at(f"{CALL}.index", None))(one(1, at(f"{CALL}.index", None))(chunks))),
    "call-index-missing": (ANSWER, one(2, at(f"{CALL}.index", ...))),
    "call-index-text": (FALLBACK, one(1, at(f"{CALL}.index", "0"))),
    "call-id-number": (FALLBACK, one(1, at(f"{CALL}.id", 5))),
    "call-id-missing": (ANSWER, one(1, at(f"{CALL}.id", ...))),
    "call-function-text": (FALLBACK, one(1, at(f"{CALL}.function", "say"))),
    "call-name-missing": (INTERRUPTED, one(1, at(f"{CALL}.function.name", ...))),
    "call-name-number": (FALLBACK, one(1, at(f"{CALL}.function.name", 5))),
    "call-arguments-map": (FALLBACK, one(1, at(f"{CALL}.function.arguments", {"word": "x"}))),
    "call-arguments-cut": (INTERRUPTED, lambda chunks: [*chunks[:2], chunks[3]]),
    "call-arguments-missing": (
        INTERRUPTED,
        lambda chunks: [chunks[0], at(f"{CALL}.function.arguments", ...)(chunks[1]), chunks[3]],
    ),
}


def events(shaped: Any) -> list[bytes]:
    """Return the events of a shaped stream."""
    return [piece if isinstance(piece, bytes) else b"data: " + json.dumps(piece).encode() + b"\n\n" for piece in shaped]
