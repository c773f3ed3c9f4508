"""How a vendor's wire is written down and read back, so that one check serves every vendor that speaks it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from modelmesh_cdk.testing.upstream import Received, chunk, completion, event


class Dialect(Protocol):
    """What the kit asks of a wire dialect. All in and out is in OpenAI's shape but the bytes.

    Attributes:
        path: Path of a chat below the API's root.
        codes: Whether an error body has a code of the vendor's own for these kinds.
    """

    path: str

    def key(self, received: Received) -> str | None:
        """Return the key that a request carries, ``None`` when it has none where the vendor looks."""
        ...

    def question(self, received: Received) -> dict[str, Any]:
        """Return the chat that a request asks for."""
        ...

    def answer(self, body: Mapping[str, Any]) -> bytes:
        """Write a whole answer."""
        ...

    def events(self, chunks: Sequence[Mapping[str, Any]], *, done: bool = True) -> list[bytes]:
        """Write the events of a stream, the vendor's last word after them."""
        ...

    def error(self, message: str, code: str | None, kind: str) -> dict[str, Any]:
        """Return an error body."""
        ...


class OpenAIDialect:
    """OpenAI's chat completions; field names are those of the openai package 3.52.0 (read 2026-11-21)."""

    path = "/chat/completions"

    def key(self, received: Received) -> str | None:
        """Return what stands after ``Bearer``."""
        scheme, _, key = received.headers.get("authorization", "").partition(" ")
        return key if scheme == "Bearer" else None

    def question(self, received: Received) -> dict[str, Any]:
        """Return the body: it is in this shape already."""
        body = received.json
        assert isinstance(body, dict), "the body of a chat is a JSON object"
        return body

    def answer(self, body: Mapping[str, Any]) -> bytes:
        """Write JSON."""
        return json.dumps(body, ensure_ascii=False).encode()

    def events(self, chunks: Sequence[Mapping[str, Any]], *, done: bool = True) -> list[bytes]:
        """Write one event a chunk, and ``[DONE]``."""
        return [event(json.dumps(one, ensure_ascii=False)) for one in chunks] + ([event("[DONE]")] if done else [])

    def error(self, message: str, code: str | None, kind: str) -> dict[str, Any]:
        """Return the object that the error class of the openai package reads."""
        return {"error": {"message": message, "type": kind, "param": None, "code": code}}


DIALECTS: dict[str, Dialect] = {"openai": OpenAIDialect()}

CALLS: tuple[dict[str, Any], ...] = (
    {"id": "call_a", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Köln"}'}},
    {"id": "call_b", "type": "function", "function": {"name": "clock", "arguments": "{}"}},
)
"""Two calls at once, the second without arguments."""

USAGE = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}
WORDS = ("Grüß", " ", "dich, ", "🌍", "!\n", "data: ")
"""Text that breaks careless readers: several bytes a character, a line break, the name of a field."""


def text_answer(content: str | None = "".join(WORDS), **fields: Any) -> dict[str, Any]:
    """Return a whole answer with the kit's usage."""
    return {**completion(content), "usage": dict(USAGE), **fields}


def tool_answer() -> dict[str, Any]:
    """Return an answer that calls two tools at once."""
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
    """Return the chunks of two tool calls whose arguments come in turns."""
    heads = [{"index": n, **call, "function": {**call["function"], "arguments": ""}} for n, call in enumerate(CALLS)]
    halves = [[text[: len(text) // 2], text[len(text) // 2 :]] for text in (call["function"]["arguments"] for call in CALLS)]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": None, "tool_calls": [heads[0]]}, {"tool_calls": [heads[1]]}]
    deltas += [
        {"tool_calls": [{"index": n, "function": {"arguments": halves[n][part]}}]} for part in (0, 1) for n in range(len(CALLS))
    ]
    return [*(chunk(delta) for delta in deltas), chunk({}, finish="tool_calls")]
