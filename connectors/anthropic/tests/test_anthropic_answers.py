"""Responses without a stream, compared with the anthropic package and in OpenAI's format."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from modelmesh_connector_anthropic.answers import completion

from modelmesh.contracts import FailureClass
from modelmesh.errors import BadUpstreamResponseError, ProviderError

HI = [{"role": "user", "content": "Hello"}]
USAGE = {"input_tokens": 12, "output_tokens": 3}


def message(*blocks: dict[str, Any], reason: Any = "end_turn", usage: Any = USAGE, **more: Any) -> dict[str, Any]:
    return {
        "id": "msg_test_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5-5",
        "content": list(blocks),
        "stop_reason": reason,
        "stop_sequence": None,
        "usage": usage,
        **more,
    }


TEXT = {"type": "text", "text": "Hello — ✓"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Tromsø", "days": 0, "exact": 1.5, "no": None}}
BARE = {"type": "tool_use", "id": "toolu_2", "name": "time", "input": {}, "caller": {"type": "direct"}}
SIGNED = {"type": "thinking", "thinking": "Let me see.", "signature": "c2ln"}
REDACTED = {"type": "redacted_thinking", "data": "b3BhcXVl"}
CACHED = {
    "input_tokens": 5,
    "cache_creation_input_tokens": 100,
    "cache_read_input_tokens": 2000,
    "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 0},
    "output_tokens": 7,
    "output_tokens_details": {"thinking_tokens": 4},
    "service_tier": "standard",
    "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0},
}
ANSWERS = {
    "text": message(TEXT),
    "two texts": message(
        TEXT, {"type": "text", "text": " And more.", "citations": [{"type": "char_location", "cited_text": "x"}]}
    ),
    "two plain texts": message(TEXT, {"type": "text", "text": " And more."}),
    "text after a call": message(CALL, TEXT, reason="tool_use"),
    "nothing": message(usage={"input_tokens": 12, "output_tokens": 0}),
    "empty text": message({"type": "text", "text": ""}),
    "tools": message(TEXT, CALL, BARE, reason="tool_use"),
    "thinking": message(SIGNED, REDACTED, TEXT, CALL, reason="tool_use"),
    "cached": message(TEXT, usage=CACHED),
    "cut": message(TEXT, reason="max_tokens"),
    "stopped": message(TEXT, reason="stop_sequence", stop_sequence="END"),
    "refused": message(reason="refusal", stop_details={"type": "refusal", "category": "bio", "explanation": "why"}),
    "search": message(
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}, TEXT, reason="pause_turn"
    ),
}
FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_completion_is_what_sdk_reads(name: str, vendor: Any, config: Any, way: Any) -> None:
    anthropic = pytest.importorskip("anthropic")
    vendor.answers(ANSWERS[name])
    vendor.answers(ANSWERS[name])
    reply = way.ask(config(), messages=HI, max_tokens=64)
    with anthropic.Anthropic(api_key="test-key", base_url=vendor.url, max_retries=0) as client:
        theirs = client.messages.create(model="claude-sonnet-5-5", messages=HI, max_tokens=64)
    choice = reply.choices[0]
    texts = [block.text for block in theirs.content if block.type == "text"]
    assert choice.message.content == ("".join(texts) if texts else None)
    calls = [(call.id, call.function.name, json.loads(call.function.arguments)) for call in choice.message.tool_calls or ()]
    assert calls == [(block.id, block.name, block.input) for block in theirs.content if block.type == "tool_use"]
    thoughts = [block.to_dict() for block in theirs.content if block.type in ("thinking", "redacted_thinking")]
    assert reply.model_dump()["choices"][0]["message"].get("thinking_blocks", []) == thoughts
    assert (reply.id, reply.stop_reason, choice.stop_reason) == (theirs.id, theirs.stop_reason, theirs.stop_reason)
    assert choice.finish_reason == FINISH[theirs.stop_reason]
    usage = theirs.usage
    prompt = usage.input_tokens + (usage.cache_creation_input_tokens or 0) + (usage.cache_read_input_tokens or 0)
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (prompt, usage.output_tokens)
    assert reply.usage.total_tokens == prompt + usage.output_tokens
    assert reply.attempts[-1].usage == reply.usage.model_dump()


@pytest.mark.parametrize("name", ANSWERS)
def test_completion_matches_openai_type(name: str, vendor: Any, config: Any, way: Any) -> None:
    chat = pytest.importorskip("openai.types.chat")
    vendor.answers(ANSWERS[name])
    dump = way.ask(config(), messages=HI, max_tokens=64).model_dump()
    parsed = chat.ChatCompletion.model_validate(dump, strict=True)
    assert parsed.created > 0
    assert parsed.choices[0].message.role == "assistant"


@pytest.mark.parametrize("name", ANSWERS)
def test_completion_round_trip_restores_blocks(name: str, vendor: Any, config: Any, way: Any) -> None:
    vendor.answers(ANSWERS[name])
    reply = way.ask(config(), messages=HI, max_tokens=64)
    calls = reply.choices[0].message.model_dump().get("tool_calls") or ()
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "x"} for call in calls]
    way.ask(config(), messages=[*HI, reply.choices[0].message, *results, *HI], max_tokens=64)
    back = vendor.received[1].json["messages"][1 : -2 if results else -1]
    blocks = [
        {key: value for key, value in block.items() if key != "caller"}
        for block in ANSWERS[name]["content"]
        if block.get("text") != ""
    ]
    if not blocks:
        assert back == []
    else:
        (turn,) = back
        said = turn["content"]
        assert ([{"type": "text", "text": said}] if isinstance(said, str) else said) == blocks


def test_completion_unknown_fields_are_kept() -> None:
    answer = message(TEXT, container={"id": "c", "expires_at": "t"}, of_tomorrow={"x": 0}, usage={**USAGE, "of_tomorrow": 0})
    made = completion(copy.deepcopy(answer), created=1)
    assert (made["container"], made["of_tomorrow"], made["stop_sequence"]) == (answer["container"], {"x": 0}, None)
    assert made["usage"]["of_tomorrow"] == 0
    strange = {"type": "of_tomorrow", "x": 1}
    assert completion(message(TEXT, strange), created=1)["choices"][0]["message"]["content_blocks"] == [TEXT, strange]


def test_completion_plain_message_has_openai_fields_only() -> None:
    assert completion(ANSWERS["tools"], created=1)["choices"][0]["message"].keys() == {"role", "content", "tool_calls"}


def test_usage_cached_tokens_are_counted_and_listed() -> None:
    usage = completion(ANSWERS["cached"], created=1)["usage"]
    assert usage["prompt_tokens"] == 2105
    assert usage["prompt_tokens_details"] == {"cached_tokens": 2000, "cache_write_tokens": 100}
    assert usage["completion_tokens_details"] == {"reasoning_tokens": 4}
    assert {name: usage[name] for name in CACHED} == CACHED


@pytest.mark.parametrize(
    "usage", [None, {}, {"input_tokens": 3}, {"output_tokens": 0}, {"input_tokens": None, "output_tokens": "x"}]
)
def test_usage_missing_counts_stay_missing(usage: Any) -> None:
    made = completion(message(TEXT, usage=usage), created=1)["usage"]
    assert made is None or "total_tokens" not in made
    if usage and usage.get("output_tokens") == 0:
        assert made["completion_tokens"] == 0
    elif made is not None:
        assert "completion_tokens" not in made


def test_completion_unknown_stop_reason_is_stop() -> None:
    choice = completion(message(TEXT, reason="of_tomorrow"), created=1)["choices"][0]
    assert (choice["finish_reason"], choice["stop_reason"]) == ("stop", "of_tomorrow")


@pytest.mark.parametrize("reason", [None, "", 5, ["end_turn"], {}])
def test_completion_missing_stop_reason_is_invalid(reason: Any) -> None:
    with pytest.raises(ValueError, match="no stop_reason"):
        completion(message(TEXT, reason=reason), created=1)


def test_completion_empty_with_unknown_reason_is_failure() -> None:
    with pytest.raises(ProviderError) as caught:
        completion(message(reason="of_tomorrow"), created=1)
    assert (caught.value.failure, caught.value.code) == (FailureClass.PROTOCOL, "of_tomorrow")


@pytest.mark.parametrize(
    "block",
    [
        {"type": "text", "text": 5},
        {"type": "text", "text": ["a"]},
        {"type": "thinking", "thinking": {}},
        {"type": "tool_use", "id": "t", "name": "f", "input": '{"city": "Os'},
        {"type": "tool_use", "id": "t", "name": "f", "input": [1]},
        {"type": "tool_use", "id": 7, "name": "f", "input": {}},
        {"type": "tool_use", "id": "t", "name": "", "input": {}},
        {"type": "tool_use"},
    ],
)
def test_completion_block_of_wrong_type_is_invalid(block: Any) -> None:
    with pytest.raises(ValueError, match="block|arguments"):
        completion(message(block, reason="tool_use"), created=1)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"content": None},
        {"content": "x"},
        {"content": ["x"]},
        {"choices": [{"message": {"content": "x"}}]},
        [1],
        message({"type": "text", "text": 7}),
    ],
)
def test_send_invalid_body_is_protocol_failure(body: Any, vendor: Any, config: Any, way: Any) -> None:
    vendor.answers(body)
    with pytest.raises(BadUpstreamResponseError) as caught:
        way.ask(config(), messages=HI, max_tokens=64)
    assert caught.value.attempts[0].failure == "protocol"
