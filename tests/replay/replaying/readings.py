"""Common form of a reader's result."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from attrs import frozen


@frozen
class Reading:
    """A response.

    Attributes:
        text: Text of the assistant.
        calls: ID, name and decoded arguments of each tool call.
        prompt: Tokens of the prompt.
        completion: Tokens of the response with reasoning, or ``None`` if unknown.
        total: All tokens.
        finish: OpenAI's finish reason.
    """

    text: str
    calls: tuple[tuple[str | None, str, Any], ...]
    prompt: int | None
    completion: int | None
    total: int | None
    finish: str | None


def of_completion(answer: Any, *, usage: Any = None) -> Reading:
    """Read a response in OpenAI's format from objects of any package."""
    choice = answer.choices[0]
    calls = [(one.id, one.function.name, one.function.arguments) for one in choice.message.tool_calls or ()]
    return _reading(choice.message.content, calls, usage or answer.usage, choice.finish_reason)


def of_chunks(chunks: Iterable[Any]) -> Reading:
    """Read a stream in OpenAI's format: deltas of one index belong together."""
    text, finish, usage = "", None, None
    calls: dict[int, list[Any]] = {}
    for chunk in chunks:
        own = getattr(chunk, "x_groq", None)
        usage = getattr(chunk, "usage", None) or getattr(own, "usage", None) or usage
        for choice in chunk.choices:
            assert choice.index == 0
            finish = choice.finish_reason or finish
            text += choice.delta.content or ""
            for piece in choice.delta.tool_calls or ():
                assert isinstance(piece.index, int)
                call = calls.setdefault(piece.index, [None, "", ""])
                call[0] = piece.id or call[0]
                call[1] += piece.function.name or ""
                call[2] += piece.function.arguments or ""
    return _reading(text, [tuple(calls[index]) for index in sorted(calls)], usage, finish)


def _reading(text: str | None, calls: Iterable[Any], usage: Any, finish: str | None) -> Reading:
    decoded = tuple((id_, name, json.loads(arguments)) for id_, name, arguments in calls)
    if usage is None:
        return Reading(text or "", decoded, None, None, None, finish)
    return Reading(text or "", decoded, usage.prompt_tokens, usage.completion_tokens, usage.total_tokens, finish)
