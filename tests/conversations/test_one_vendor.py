"""Three turns with tools at one vendor: the vendor gets its own fields back, however the caller stored them."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from callers import DEVELOPER, WAYS, Caller
from sdk_types import check

VENDORS = ("openai", "anthropic", "gemini", "cohere", "mistral")


def config_of(*vendors: Any, **pool: Any) -> dict[str, Any]:
    return {"providers": {one.name: one.settings for one in vendors}, "pools": {"chat-completion": pool}}


def converse(caller: Caller) -> None:
    """A question, two calls, results, a call, its result, an answer, thanks."""
    assert caller.results(caller.ask()) == 2
    assert caller.results(caller.ask()) == 1
    assert caller.ask()["content"] == "Rome is 18 degrees warmer."
    caller.says("Thank you.")
    assert caller.ask()["content"] == "You are welcome."


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", VENDORS)
def test_conversation_of_three_turns_with_tools_succeeds(name: str, way: str, vendor: Any) -> None:
    played = vendor(name)
    with Caller(way, config_of(played)) as caller:
        converse(caller)  # the vendor refuses what was altered, is missing or is unknown
        assert [attempt.outcome for attempt in caller.reply.attempts] == ["answered"]
    assert len(played.bodies) == 4
    for body in played.bodies:
        check(name, body)
        assert PARAMETERS[name](body) == EXPECTED[name]


PARAMETERS = {
    "openai": lambda body: (body["max_completion_tokens"], body["reasoning_effort"], body["messages"][0]),
    "anthropic": lambda body: (body["max_tokens"], body["output_config"], body["system"]),
    "gemini": lambda body: (
        body["generationConfig"]["maxOutputTokens"],
        body["generationConfig"]["thinkingConfig"],
        body["systemInstruction"],
    ),
    "cohere": lambda body: (body["max_tokens"], body["thinking"], body["messages"][0]),
    "mistral": lambda body: (body["max_tokens"], body["reasoning_effort"], body["messages"][0]),
}
TEXT = DEVELOPER["content"]
EXPECTED: dict[str, Any] = {
    "openai": (4096, "high", DEVELOPER),
    "anthropic": (4096, {"effort": "high"}, TEXT),
    "gemini": (4096, {"thinkingLevel": "HIGH"}, {"parts": [{"text": TEXT}]}),
    "cohere": (4096, {"type": "enabled"}, {"role": "system", "content": TEXT}),
    "mistral": (4096, "high", {"role": "system", "content": TEXT}),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", VENDORS)
def test_reasoning_is_in_its_message_field(name: str, way: str, vendor: Any) -> None:
    played = vendor(name)
    with Caller(way, config_of(played)) as caller:
        message = caller.ask()
    beyond = set(message) - {"role", "content", "refusal", "annotations", "tool_calls", "audio", "function_call"}
    assert beyond == FIELDS[name]
    assert ("connector" in message) is (name != "openai")
    if name != "openai":
        assert message["connector"] == played.connector
        assert message.get("reasoning_content") == "Two lookups."


FIELDS = {
    "openai": set(),
    "anthropic": {"connector", "reasoning_content", "thinking_blocks"},
    "gemini": {"connector", "reasoning_content"},
    "cohere": {"connector", "reasoning_content", "thinking_blocks", "tool_plan"},
    "mistral": {"connector", "reasoning_content", "content_chunks"},
}


@pytest.mark.parametrize("name", ["anthropic", "gemini", "cohere", "mistral"])
def test_scripted_vendor_rejects_altered_reasoning(name: str, vendor: Any) -> None:
    """The scripted vendors detect altered reasoning."""
    import modelmesh

    played = vendor(name)
    with Caller("model_dump", config_of(played)) as caller:
        message = caller.ask()
        caller.results(message)
        ALTER[name](message)
        with pytest.raises(modelmesh.BadRequestError, match=NOTICED[name]):
            caller.ask()


def _thought(message: dict[str, Any]) -> None:
    message["thinking_blocks"][0]["thinking"] = "Something else."


def _signature(message: dict[str, Any]) -> None:
    message["tool_calls"][0]["extra_content"]["google"]["thought_signature"] = "YWx0ZXJlZA=="


def _chunk(message: dict[str, Any]) -> None:
    message["content_chunks"][0]["signature"] = "YWx0ZXJlZA=="


ALTER: dict[str, Any] = {"anthropic": _thought, "gemini": _signature, "cohere": _thought, "mistral": _chunk}
NOTICED = {"anthropic": "signature", "gemini": "signature", "cohere": "not the message of this model", "mistral": "altered"}


@pytest.mark.parametrize("name", VENDORS)
def test_history_of_caller_is_not_changed(name: str, vendor: Any) -> None:
    with Caller("object", config_of(vendor(name))) as caller:
        caller.results(caller.ask())
        before = copy.deepcopy([dict(message) for message in caller.messages])
        caller.ask()
        assert [dict(message) for message in caller.messages[:-1]] == before
