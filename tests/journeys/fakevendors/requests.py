"""Values and errors common to all dialects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from attrs import field, frozen


class RefusedError(Exception):
    """A vendor's 4xx: a status and the vendor's error text."""

    def __init__(self, why: str, status: int = 400) -> None:
        super().__init__(why)
        self.status = status


@frozen
class Request:
    """An HTTP request as a vendor receives it, with header names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]


@frozen
class Asked:
    """The contents of a valid request.

    Attributes:
        model: The vendor's name of the model.
        prompt: All text of the prompt.
        stream: Whether the answer is to be streamed.
        usage: Whether the answer states its usage.
        limit: Maximum tokens of the answer, or ``None``.
        last: Text of the last user's message.
        results: Tool results that followed it.
        tools: Names of the tools that may be called.
    """

    model: str
    prompt: str
    stream: bool
    limit: int | None
    last: str = ""
    results: int = 0
    usage: bool = True
    tools: tuple[str, ...] = ()


@frozen
class Answer:
    """The answer of a model.

    Attributes:
        text: Empty for tool calls.
        calls: Name and arguments of each call.
        finish: ``stop``, ``length`` or ``tool_calls``.
        prompt: Tokens of the prompt, as the vendor bills them.
        completion: Tokens of the answer, as the vendor bills them.
        number: Counts the answers of an account.
    """

    text: str
    prompt: int
    completion: int
    number: int
    finish: str = "stop"
    calls: list[tuple[str, dict[str, Any]]] = field(factory=list)

    @property
    def pieces(self) -> list[str]:
        """The text in the pieces of a stream."""
        words = self.text.split(" ")
        return [word if place == len(words) - 1 else f"{word} " for place, word in enumerate(words)] if self.text else []


def refuse(why: str, status: int = 400) -> NoReturn:
    """Refuse a request."""
    raise RefusedError(why, status)


def expect(holds: Any, why: str, status: int = 400) -> None:
    """Refuse a request unless a rule holds."""
    if not holds:
        refuse(why, status)


def only(given: Mapping[str, Any], known: str, where: str, status: int = 400) -> None:
    """Refuse keys that a vendor does not know."""
    extra = sorted(given.keys() - set(known.split()))
    expect(not extra, f"{where}: Extra inputs are not permitted: {', '.join(extra)}", status)


def texts(content: Any, where: str) -> str:
    """Return the text of a content: a string, or parts of type ``text``."""
    if isinstance(content, str) or content is None:
        return content or ""
    expect(isinstance(content, list), f"{where}: content must be a string or an array")
    return " ".join(part.get("text") or "" for part in content if isinstance(part, dict))
