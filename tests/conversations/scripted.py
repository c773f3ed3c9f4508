"""Base of the scripted vendors: a model's part in a conversation with tools, and a server on the loopback interface.

A question (it ends in "?") makes the model call two tools at once. With both results it calls a third tool, and with that
result it answers. It acknowledges everything else. A vendor rejects with 400 what the real one is known to reject, and
remembers what it signed, so that altered, missing or foreign content is rejected.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar, NoReturn, Self

from attrs import field, frozen

from modelmesh_cdk.testing import Received, Script, Upstream


@frozen
class Say:
    """Next response of the model: reasoning, then text or calls."""

    thought: str
    text: str = ""
    calls: list[tuple[str, dict[str, Any]]] = field(factory=list)


class RefusedError(Exception):
    """The vendor's 400."""


def refuse(why: str) -> NoReturn:
    raise RefusedError(why)


def expect(holds: Any, why: str) -> None:
    if not holds:
        refuse(why)


class Vendor:
    """A vendor. A context manager.

    Attributes:
        bodies: Every accepted request, in order.
        status: Status with which every request is rejected, or 0.
    """

    name: ClassVar[str]
    connector: ClassVar[str]
    model: ClassVar[str]

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.status = 0
        self.made = 0
        self.upstream = Upstream().always(self._answer)

    def __enter__(self) -> Self:
        self.upstream.__enter__()
        return self

    def __exit__(self, *rest: object) -> None:
        self.upstream.__exit__(*rest)

    @property
    def settings(self) -> dict[str, Any]:
        return {"connector": self.connector, "api_key": "test", "base_url": self.upstream.url, "models": [self.model]}

    # -- what a format says for itself --------------------------------------------------------------------------------

    def asked(self, body: dict[str, Any]) -> tuple[str, int]:
        """Check a request. Return the last user text and the number of tool results after it."""
        raise NotImplementedError

    def whole(self, say: Say) -> dict[str, Any]:
        raise NotImplementedError

    def events(self, answer: dict[str, Any]) -> list[Any]:
        """Return the response as a stream: events as data or as ``(name, data)``."""
        raise NotImplementedError

    def streams(self, received: Received) -> bool:
        return bool(received.json.get("stream"))

    # -- the model ----------------------------------------------------------------------------------------------------

    def _answer(self, received: Received) -> Script:
        if self.status:
            return _refusal(self.status, "not now")
        try:
            asked, results = self.asked(received.json)
        except RefusedError as error:
            return _refusal(400, str(error))
        self.bodies.append(received.json)
        answer = self.whole(_next(asked, results))
        if not self.streams(received):
            return Script(body=json.dumps(answer).encode())
        return Script(body=[_event(one) for one in self.events(answer)], content_type="text/event-stream")

    def number(self) -> int:
        self.made += 1
        return self.made


def _next(asked: str, results: int) -> Say:
    if not asked.endswith("?"):
        return Say("They are done.", text="You are welcome.")
    if results == 0:
        return Say("Two lookups.", calls=[("weather", {"city": "Oslo"}), ("weather", {"city": "Rome"})])
    if results == 2:
        return Say("Now compare.", calls=[("difference", {"a": 3, "b": 21})])
    return Say("That is all.", text="Rome is 18 degrees warmer.")


def _refusal(status: int, why: str) -> Script:
    return Script(status, json.dumps({"error": {"message": why, "type": "scripted", "code": None}, "message": why}).encode())


def _event(one: Any) -> bytes:
    name, data = one if isinstance(one, tuple) else (None, one)
    text = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()


def unknown_keys(given: dict[str, Any], known: str, where: str) -> None:
    extra = sorted(given.keys() - set(known.split()))
    expect(not extra, f"{where}: extra inputs are not permitted: {extra}")


def answered_calls(messages: list[dict[str, Any]]) -> None:
    """Check messages in OpenAI's format: each call is directly followed by its result, and each result has a call."""
    waiting: list[str] = []
    for place, message in enumerate(messages):
        if message["role"] == "tool":
            expect(
                message.get("tool_call_id") in waiting, f"messages[{place}]: tool_call_id {message.get('tool_call_id')!r} unknown"
            )
            waiting.remove(message["tool_call_id"])
            continue
        expect(not waiting, f"messages[{place}]: no result for {waiting}")
        waiting = [call["id"] for call in message.get("tool_calls") or ()]
    expect(not waiting, f"no result for {waiting}")


def last_asked(messages: list[dict[str, Any]]) -> tuple[str, int]:
    """Return the last user text of messages in OpenAI's format, and the number of results after it."""
    places = [place for place, message in enumerate(messages) if message["role"] == "user"]
    content = messages[places[-1]]["content"]
    text = content if isinstance(content, str) else content[-1]["text"]
    return text, sum(message["role"] == "tool" for message in messages[places[-1] :])
