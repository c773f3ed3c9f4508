"""The official SDKs' Responses API and Messages API over each shipped vendor, native or translated."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import anthropic
import openai
import pytest
from anthropic import Anthropic
from fakevendors import VENDORS, Account, Street
from openai import BadRequestError, OpenAI
from opening import Opening

import modelmesh
from modelmesh._engine.plugins.known_distributions import variables

QUESTION = "Which is warmer, Oslo or Rome?"
SCHEMAS = {
    name: {"type": "object", "properties": {key: {"type": kind} for key in keys}, "required": list(keys)}
    for name, keys, kind in (("weather", ("city",), "string"), ("difference", ("a", "b"), "number"))
}
RESULT = '{"celsius": 3}'
NATIVE = {
    "responses": {name for name, vendor in VENDORS.items() if "responses" in vendor.further},
    "messages": {name for name, vendor in VENDORS.items() if "messages" in vendor.further or vendor.dialect == "anthropic"},
}
PAIRS = [
    *permutations(("openai", "anthropic", "mistral"), 2),
    *permutations(("openai", "groq"), 2),
    *permutations(("openai", "google"), 2),
]
"""Vendors with native responses, with native messages, and with neither."""


class ResponsesBot:
    """An application on ``responses``: a list of items, tools, and a loop."""

    path = "responses"

    def __init__(self, client: OpenAI, pool: str, *, stream: bool) -> None:
        self.client, self.pool, self.stream = client, pool, stream
        self.items: list[Any] = []
        self.tools: Any = [
            {"type": "function", "name": name, "description": f"Return the {name}.", "parameters": schema, "strict": None}
            for name, schema in SCHEMAS.items()
        ]

    def say(self, text: str) -> None:
        self.items.append({"role": "user", "content": text})

    def turn(self) -> tuple[str, list[Any]]:
        """Send the conversation, and append the output and the results of its calls."""
        asked: dict[str, Any] = {"model": self.pool, "input": self.items, "instructions": "You are brief.", "tools": self.tools}
        if self.stream:
            with self.client.responses.stream(**asked) as stream:
                response: Any = stream.get_final_response()
        else:
            response = self.client.responses.create(**asked)
        assert all("@" in item.id or "mesh" in item.id for item in response.output if item.type == "reasoning")
        assert response.status == "completed"
        assert response.usage.total_tokens > 0
        calls = [item for item in response.output if item.type == "function_call"]
        self.items += [item.to_dict() for item in response.output]
        for item in self.items:
            item.pop("parsed_arguments", None)
        self.items += [{"type": "function_call_output", "call_id": call.call_id, "output": RESULT} for call in calls]
        return response.output_text, [json.loads(call.arguments) for call in calls]


class MessagesBot:
    """An application on ``messages``."""

    path = "messages"

    def __init__(self, client: Anthropic, pool: str, *, stream: bool) -> None:
        self.client, self.pool, self.stream = client, pool, stream
        self.turns: list[Any] = []
        self.tools: Any = [
            {"name": name, "description": f"Return the {name}.", "input_schema": schema} for name, schema in SCHEMAS.items()
        ]

    def say(self, text: str) -> None:
        self.turns.append({"role": "user", "content": text})

    def turn(self) -> tuple[str, list[Any]]:
        """Send the conversation, and append the answer and the results of its calls."""
        asked: dict[str, Any] = {"model": self.pool, "max_tokens": 100, "messages": self.turns, "system": "You are brief."}
        asked["tools"] = self.tools
        if self.stream:
            with self.client.messages.stream(**asked) as stream:
                message: Any = stream.get_final_message()
        else:
            message = self.client.messages.create(**asked)
        calls = [block for block in message.content if block.type == "tool_use"]
        assert message.stop_reason == ("tool_use" if calls else "end_turn")
        assert message.usage.output_tokens > 0
        self.turns.append({"role": "assistant", "content": [block.to_dict() for block in message.content]})
        if calls:
            results = [{"type": "tool_result", "tool_use_id": call.id, "content": RESULT} for call in calls]
            self.turns.append({"role": "user", "content": results})
        return "".join(block.text for block in message.content if block.type == "text"), [call.input for call in calls]


Bot = ResponsesBot | MessagesBot


def bot_over(kind: type[Bot], client: Any, pool: str, *, stream: bool) -> Bot:
    if kind is ResponsesBot:
        return ResponsesBot(client.as_openai(), pool, stream=stream)
    return MessagesBot(client.as_anthropic(), pool, stream=stream)


@pytest.fixture(params=[ResponsesBot, MessagesBot], ids=["responses", "messages"])
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(params=[False, True], ids=["plain", "stream"])
def stream(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_tool_chat_over_each_vendor(vendor: str, kind: type[Bot], stream: bool, street: Street) -> None:
    account = street.account(vendor)
    opening = Opening.of(account)
    with opening.sync() as client:
        bot = bot_over(kind, client, opening.pool, stream=stream)
        bot.say(QUESTION)
        assert bot.turn() == ("", [{"city": "Oslo"}, {"city": "Rome"}])
        assert bot.turn() == ("", [{"a": 3, "b": 21}])
        text, calls = bot.turn()
    assert (text.startswith(f"{vendor} answers."), calls, account.refused) == (True, [], [])
    native = {path.endswith(f"/{kind.path}") for path, _ in account.calls}
    assert native == {vendor in NATIVE[kind.path]}


def only(up: Account, down: Account) -> None:
    up.way, down.way = "", "error"


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_a_tool_chat_that_changes_between_native_and_translated(first: str, second: str, kind: type[Bot], street: Street) -> None:
    stream = first < second
    one, other = street.account(first), street.account(second)
    opening = Opening.of(one, other)
    with opening.sync() as client:
        bot = bot_over(kind, client, opening.pool, stream=stream)
        bot.say(QUESTION)
        only(one, other)
        assert len(bot.turn()[1]) == 2
        only(other, one)
        assert len(bot.turn()[1]) == 1
        only(one, other)
        assert bot.turn()[0].startswith(f"{first} answers.")
        bot.say("Thank you.")
        only(other, one)
        assert bot.turn()[0].startswith(f"{second} answers.")
    assert (one.refused, other.refused) == ([], [])


@pytest.mark.parametrize(
    "state", [{"previous_response_id": "resp_1"}, {"tools": [{"type": "web_search"}]}], ids=["state", "tool"]
)
def test_what_only_a_native_vendor_can_serve_goes_there_or_is_refused(state: dict[str, Any], street: Street) -> None:
    native, other = street.account("openai"), street.account("deepseek")
    asked = {"model": "chat-completion", "input": "Say pong.", **state}
    with Opening.of(other).sync() as client, pytest.raises(BadRequestError, match=next(iter(state))):
        client.as_openai().responses.create(**asked)
    with Opening.of(other, native).sync() as client:
        assert client.as_openai().responses.create(**asked).output_text.startswith("openai answers.")
    assert (len(native.calls), other.calls) == (1, [])


def test_a_translated_stream_that_breaks_off_raises_the_error_of_the_sdk(street: Street) -> None:
    account = street.account("deepseek", "cut", cut_at=3)
    asked: dict[str, Any] = {"model": "chat-completion", "stream": True}
    with Opening.of(account).sync() as client:
        turns: Any = [{"role": "user", "content": "Say pong."}]
        with pytest.raises(openai.APIError, match="broke off its answer"):
            list(client.as_openai().responses.create(input="Say pong.", **asked))
        with pytest.raises(anthropic.APIStatusError, match="broke off its answer"):
            list(client.as_anthropic().messages.create(messages=turns, max_tokens=50, **asked))
        with pytest.raises(openai.APIError, match="broke off its answer"):
            list(client.as_openai().completions.create(prompt="Say pong.", **asked))
    assert len(account.calls) == 3


def test_a_strict_pool_sends_what_a_translation_would_lose_to_native_vendors_only(street: Street) -> None:
    native, other = street.account("openai"), street.account("deepseek")
    entries = {one.vendor.name: {"connector": variables()[one.vendor.variable], **one.settings} for one in (other, native)}
    pools = {
        "both": {"models": ["deepseek-flash", "gpt-6-luna"], "adaptation": "strict"},
        "chat": {"models": ["deepseek-flash"], "adaptation": "strict"},
    }
    asked: dict[str, Any] = {"input": "Say pong.", "metadata": {"a": "b"}}
    with modelmesh.create(config={"providers": entries, "pools": pools}) as client:
        responses = client.as_openai().responses
        assert responses.create(model="both", **asked).output_text.startswith("openai answers.")
        with pytest.raises(BadRequestError, match="strict.*metadata dropped"):
            responses.create(model="chat", **asked)
        assert responses.create(model="chat", input="Say pong.").output_text.startswith("deepseek answers.")
