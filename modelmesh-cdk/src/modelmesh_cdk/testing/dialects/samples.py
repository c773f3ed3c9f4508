"""Sample responses in OpenAI's format, which a dialect converts to the vendor's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelmesh_cdk.testing.upstream import chunk, completion

CALLS: tuple[dict[str, Any], ...] = (
    {"id": "call_a", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Köln"}'}},
    {"id": "call_b", "type": "function", "function": {"name": "clock", "arguments": "{}"}},
)
"""Two parallel calls, the second without arguments."""

USAGE = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}
WORDS = ("Grüß", " ", "dich, ", "🌍", "!\n", "data: ")
"""Text that breaks careless parsers: multi-byte characters, a line break, the name of a field."""

VECTORS = ([0.5, -1.0, 0.25], [2.0, 0.0, -0.125], [-0.5, 1.5, 0.0])
"""Three different embeddings of 32-bit floats."""

USAGE_OF_EMBEDDINGS = {"prompt_tokens": 9, "total_tokens": 9}


def text_answer(content: str | None = "".join(WORDS), **fields: Any) -> dict[str, Any]:
    """Return a response with text and usage."""
    return {**completion(content), "usage": dict(USAGE), **fields}


def tool_answer() -> dict[str, Any]:
    """Return a response with two tool calls."""
    return {**completion(None, tool_calls=[dict(call) for call in CALLS]), "usage": dict(USAGE)}


def text_chunks(words: Sequence[str] = WORDS, finish: str | None = "stop", *, usage: bool = True) -> list[dict[str, Any]]:
    """Return the chunks of a streamed answer."""
    chunks = [chunk({"role": "assistant", "content": ""}), *(chunk({"content": word}) for word in words)]
    if finish is not None:
        chunks.append(chunk({}, finish=finish))
    if usage:
        chunks.append({**chunk({}), "choices": [], "usage": dict(USAGE)})
    return chunks


def tool_chunks() -> list[dict[str, Any]]:
    """Return the chunks of two tool calls with alternating deltas of their arguments."""
    heads = [{"index": n, **call, "function": {**call["function"], "arguments": ""}} for n, call in enumerate(CALLS)]
    halves = [[text[: len(text) // 2], text[len(text) // 2 :]] for text in (call["function"]["arguments"] for call in CALLS)]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": None, "tool_calls": [heads[0]]}, {"tool_calls": [heads[1]]}]
    deltas += [
        {"tool_calls": [{"index": n, "function": {"arguments": halves[n][part]}}]} for part in (0, 1) for n in range(len(CALLS))
    ]
    return [*(chunk(delta) for delta in deltas), chunk({}, finish="tool_calls")]


def embedding_answer(vectors: Sequence[Sequence[float]] = VECTORS, *, usage: bool = True) -> dict[str, Any]:
    """Return an embedding response, with or without usage."""
    rows = [{"object": "embedding", "index": place, "embedding": list(vector)} for place, vector in enumerate(vectors)]
    more: Mapping[str, Any] = {"usage": dict(USAGE_OF_EMBEDDINGS)} if usage else {}
    return {"object": "list", "data": rows, "model": "test-model", **more}
