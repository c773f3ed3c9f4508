"""A chatbot with tools that changes the vendor within a conversation, for every pair of the thirteen."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from fakevendors import VENDORS, Account, Street
from opening import Opening

PAIRS = list(permutations(VENDORS, 2))
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"Return the {name}.",
            "parameters": {"type": "object", "properties": {key: {"type": kind} for key in keys}, "required": list(keys)},
        },
    }
    for name, keys, kind in (("weather", ("city",), "string"), ("difference", ("a", "b"), "number"))
]


class Chatbot:
    """The code of an application: a list of messages, tools, and a loop."""

    def __init__(self, client: Any, pool: str, *, stream: bool) -> None:
        self.client, self.pool, self.stream = client, pool, stream
        self.messages: list[Any] = [{"role": "system", "content": "You are brief."}]

    def turn(self) -> dict[str, Any]:
        """Send the conversation, and append the answer and the results of its tool calls."""
        reply = self.client.chat.completions.create(model=self.pool, messages=self.messages, tools=TOOLS, stream=self.stream)
        message = collected(reply) if self.stream else reply.choices[0].message.model_dump()
        self.messages.append(message)
        for call in message.get("tool_calls") or ():
            self.messages.append({"role": "tool", "tool_call_id": call["id"], "content": '{"celsius": 3}'})
        return message


def collected(stream: Any) -> dict[str, Any]:
    """Join the deltas of a stream."""
    text, calls = "", {}
    for chunk in stream:
        if not chunk.choices:
            continue
        delta = chunk.choices[0].delta
        text += delta.content or ""
        for one in delta.tool_calls or ():
            call = calls.setdefault(one.index, {"id": "", "type": "function", "function": {"name": "", "arguments": ""}})
            call["id"] = one.id or call["id"]
            call["function"]["name"] += one.function.name or ""
            call["function"]["arguments"] += one.function.arguments or ""
    message: dict[str, Any] = {"role": "assistant", "content": text or None}
    return {**message, "tool_calls": list(calls.values())} if calls else message


def only(up: Account, down: Account) -> None:
    up.way, down.way = "", "error"


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(("first", "second"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
def test_tool_chat_changing_vendors_is_never_refused(first: str, second: str, stream: bool, street: Street) -> None:
    one, other = street.account(first), street.account(second)
    opening = Opening.of(one, other)
    with opening.sync() as client:
        bot = Chatbot(client, opening.pool, stream=stream)
        bot.messages.append({"role": "user", "content": "Which is warmer, Oslo or Rome?"})
        only(one, other)
        assert len(bot.turn()["tool_calls"]) == 2
        only(other, one)
        assert len(bot.turn()["tool_calls"]) == 1
        assert bot.turn()["content"].startswith(f"{second} answers.")
        bot.messages.append({"role": "user", "content": "And which is colder?"})
        assert len(bot.turn()["tool_calls"]) == 2
        only(one, other)
        assert len(bot.turn()["tool_calls"]) == 1
        assert bot.turn()["content"].startswith(f"{first} answers.")
        bot.messages.append({"role": "user", "content": "Thank you."})
        only(other, one)
        assert bot.turn()["content"].startswith(f"{second} answers.")
    assert (one.refused, other.refused) == ([], [])
