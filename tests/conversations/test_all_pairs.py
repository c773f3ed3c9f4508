"""Conversations with tools that move from any vendor to any other, for all ordered pairs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from callers import Caller
from scripted_dialect import CONNECTORS

from modelmesh_cdk.testing.histories import HISTORIES

VENDORS = ("openai", "anthropic", "gemini", "cohere", "mistral", *CONNECTORS)


def config_of(*vendors: Any) -> dict[str, Any]:
    return {"providers": {one.name: one.settings for one in vendors}, "pools": {"chat-completion": {}}}


@pytest.mark.parametrize("first", VENDORS)
def test_conversation_continues_at_each_other_vendor(first: str, vendor: Callable[[str], Any]) -> None:
    one = vendor(first)
    with Caller("model_dump", config_of(one)) as caller:
        caller.results(caller.ask())
        begun = json.loads(json.dumps(caller.messages))  # as an application saves it
    failed = {}
    for second in VENDORS:
        if second == first:
            continue
        other = vendor(second)
        with Caller("model_dump", config_of(other)) as caller:
            caller.messages = json.loads(json.dumps(begun))
            try:
                assert caller.results(caller.ask()) == 1
                assert caller.ask()["content"] == "Rome is 18 degrees warmer."
                caller.says("Thank you.")
                assert caller.ask()["content"] == "You are welcome."
            except Exception as error:
                failed[second] = f"{type(error).__name__}: {error}"
    assert failed == {}


@pytest.mark.parametrize("second", ["anthropic", "mistral", "deepseek", "groq", "ollama"])
@pytest.mark.parametrize("first", ["openai", "gemini", "mistral", "openrouter", "vllm"])
def test_stream_interrupted_by_outage_fails_over(first: str, second: str, vendor: Callable[[str], Any]) -> None:
    if first == second:
        pytest.skip("one vendor")
    one, other = vendor(first), vendor(second)
    with Caller("deltas", config_of(one, other)) as caller:
        assert caller.results(caller.ask()) == 2
        one.status = 500
        assert caller.results(caller.ask()) == 1
        one.status, other.status = 0, 500
        assert caller.ask()["content"] == "Rome is 18 degrees warmer."


OF_THE_DIALECT = [name for name in VENDORS if name not in ("anthropic", "gemini", "cohere", "mistral", "openai")]


@pytest.mark.parametrize("name", OF_THE_DIALECT)
def test_conversation_of_other_formats_is_served(name: str, vendor: Callable[[str], Any]) -> None:
    """The vendor rejects with 400 a request that breaks its rules. No conversation does."""
    import modelmesh

    one = vendor(name)
    one.asked = lambda body: (_checked(one, body), ("Thank you.", 0))[1]
    refused = {}
    with modelmesh.create(config=config_of(one)) as client:
        for history in (one for one in HISTORIES if not one.may_refuse):
            try:
                client.chat.completions.create(model="chat-completion", messages=list(history.messages), **history.parameters)
            except modelmesh.ModelMeshError as error:
                refused[history.name] = str(error)[:300]
    assert refused == {}


def _checked(vendor: Any, body: dict[str, Any]) -> None:
    from scripted import expect

    from modelmesh_cdk.message_rules import find_violations

    broken = find_violations(body, vendor.rules_of(body))
    expect(not broken, "; ".join(broken))
