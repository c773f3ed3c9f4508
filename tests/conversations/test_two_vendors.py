"""Conversations with tools that move from one vendor to another and back."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from callers import Caller
from sdk_types import check

VENDORS = ("openai", "anthropic", "gemini", "cohere", "mistral")
PAIRS = list(permutations(VENDORS, 2))


def config_of(*vendors: Any, **pool: Any) -> dict[str, Any]:
    return {"providers": {one.name: one.settings for one in vendors}, "pools": {"chat-completion": pool}}


@pytest.mark.parametrize("way", ["object", "model_dump", "deltas", "deltas by the SDK", "async deltas"])
@pytest.mark.parametrize(("first", "second"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
def test_conversation_moves_to_another_vendor_and_back(first: str, second: str, way: str, vendor: Any) -> None:
    one, other = vendor(first), vendor(second)
    with Caller(way, config_of(one, other)) as caller:
        assert caller.results(caller.ask()) == 2
        assert served_by(caller) == [(first, "answered")]

        one.status = 500
        assert caller.results(caller.ask()) == 1
        assert served_by(caller) == [(first, "failed"), (second, "answered")]
        assert caller.ask()["content"] == "Rome is 18 degrees warmer."

        one.status, other.status = 0, 503
        caller.says("And in which is it colder?")
        assert caller.results(caller.ask()) == 2
        assert served_by(caller)[-1] == (first, "answered")
        assert caller.results(caller.ask()) == 1
        assert caller.ask()["content"] == "Rome is 18 degrees warmer."

        one.status, other.status = 500, 0
        caller.says("Thank you.")
        assert caller.ask()["content"] == "You are welcome."
        assert served_by(caller)[-1] == (second, "answered")
    assert (len(one.bodies), len(other.bodies)) == (4, 3)
    for body in one.bodies:
        check(first, body)
    for body in other.bodies:
        check(second, body)


def served_by(caller: Caller) -> list[tuple[str, str]]:
    return [(attempt.provider_id, attempt.outcome) for attempt in caller.reply.attempts]


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
def test_rate_limit_in_mid_turn_fails_over(first: str, second: str, vendor: Any) -> None:
    one, other = vendor(first), vendor(second)
    with Caller("object", config_of(one, other)) as caller:
        caller.results(caller.ask())
        one.status = 429
        assert caller.results(caller.ask()) == 1
        assert served_by(caller) == [(first, "failed"), (second, "answered")]
        assert caller.reply.attempts[0].failure == "throttle"
        assert caller.ask()["content"] == "Rome is 18 degrees warmer."
    for body in other.bodies:
        check(second, body)


SAID = {  # what a vendor adds to its message, in the words of its wire
    "anthropic": ("Two lookups.", "'signature'", "c2lnbmVk"),
    "gemini": ("Two lookups.", "c2lnbmF0dXJl"),
    "cohere": ("Two lookups.", "I will look that up."),
    "mistral": ("Two lookups.", "'signature'", "c2lu"),
}
THOUGHTFUL = [pair for pair in PAIRS if pair[0] in SAID]


@pytest.mark.parametrize(("first", "second"), THOUGHTFUL, ids=["-".join(pair) for pair in THOUGHTFUL])
def test_private_fields_are_dropped_and_noted(first: str, second: str, vendor: Any) -> None:
    one, other = vendor(first), vendor(second)
    with Caller("model_dump", config_of(one, other)) as caller:
        caller.results(caller.ask())
        one.status = 500
        caller.ask()
        adapted = caller.reply.attempts[-1].adapted
    told = str(other.bodies[0]["messages" if second != "gemini" else "contents"])
    assert not [word for word in (*SAID[first], one.connector) if word in told]
    left = [line for line in adapted if line.endswith(f"of messages[2] dropped: specific to {one.connector}")]
    assert len(left) == 1
    assert "reasoning_content" in left[0]


@pytest.mark.parametrize("second", ["anthropic", "gemini", "cohere", "mistral"])
def test_strict_pool_keeps_vendor_with_reasoning(second: str, vendor: Any) -> None:
    """A strict pool rejects an adaptation for another vendor."""
    import modelmesh

    one, other = vendor("anthropic" if second != "anthropic" else "cohere"), vendor(second)
    with Caller("object", config_of(one, other)) as caller:
        caller.results(caller.ask())
    strict = config_of(one, other, adaptation="strict")
    one.status = 500
    history = caller.messages
    with modelmesh.create(config=strict) as client, pytest.raises(modelmesh.ModelMeshError, match="dropped"):
        client.chat.completions.create(model="chat-completion", messages=history)
    assert other.bodies == []


def test_google_signatures_of_tool_calls_are_correct(vendor: Any) -> None:
    google, cohere = vendor("gemini"), vendor("cohere")
    with Caller("deltas", config_of(google, cohere)) as caller:
        caller.results(caller.ask())
        google.status = 500
        caller.results(caller.ask())
        google.status, cohere.status = 0, 500
        caller.ask()
    parts = [part for content in google.bodies[-1]["contents"] for part in content["parts"] if "functionCall" in part]
    signatures = [part.get("thoughtSignature") for part in parts]
    assert signatures[0].startswith("c2lnbmF0dXJl")
    assert signatures[1:] == [None, "skip_thought_signature_validator"]


def test_call_ids_are_stable_across_requests(vendor: Any) -> None:
    cohere, mistral = vendor("cohere"), vendor("mistral")
    with Caller("object", config_of(cohere, mistral)) as caller:
        caller.results(caller.ask())
        cohere.status = 500
        caller.results(caller.ask())
        caller.ask()
    first, second = ([call["id"] for one in body["messages"] for call in one.get("tool_calls") or ()] for body in mistral.bodies)
    assert len(set(first)) == 2
    assert second[:2] == first
    assert [one["tool_call_id"] for one in mistral.bodies[1]["messages"] if one["role"] == "tool"] == second
