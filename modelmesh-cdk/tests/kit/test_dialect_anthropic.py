"""Anthropic dialect against the vendor's SDK: the SDK reads its responses, and it reads the SDK's requests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from modelmesh_cdk.testing import Script, Upstream
from modelmesh_cdk.testing.dialects import AnthropicDialect
from modelmesh_cdk.testing.dialects.samples import CALLS, USAGE, WORDS, text_answer, text_chunks, tool_answer, tool_chunks

anthropic = pytest.importorskip("anthropic")
WIRE = AnthropicDialect()
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"name": "weather", "description": "Weather in a city", "input_schema": SCHEMA}
HI = [{"role": "user", "content": "Hello!"}]
ASKED: dict[str, Any] = {"model": "test-model", "max_tokens": 64, "messages": HI}


@pytest.fixture
def client(upstream: Upstream) -> Any:
    with anthropic.Anthropic(api_key="test-key", base_url=upstream.url, max_retries=0) as made:
        yield made


def asked(client: Any, upstream: Upstream, **arguments: Any) -> dict[str, Any]:
    upstream.then(Script(body=WIRE.write_response(text_answer())))
    client.messages.create(**{**ASKED, **arguments})
    return WIRE.read_chat(upstream.last)


def test_sdk_request_has_path_and_key(client: Any, upstream: Upstream) -> None:
    assert asked(client, upstream) == {"model": "test-model", "messages": HI, "max_completion_tokens": 64}
    assert WIRE.key(upstream.last) == "test-key"
    assert upstream.last.path == "/v1" + WIRE.path("chat.completions", "test-model")


def test_sdk_version_has_no_sampling_parameters(client: Any, upstream: Upstream) -> None:
    asked(client, upstream)
    assert WIRE.expected_value("temperature", 0.5, upstream.last) is None
    assert WIRE.expected_value("stop", ["END"], upstream.last) == ["END"]


def test_read_chat_of_sdk_request(client: Any, upstream: Upstream) -> None:
    pixel = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}
    call = {"type": "tool_use", "id": "call_a", "name": "weather", "input": {"city": "Köln"}}
    question = asked(
        client,
        upstream,
        system="Be brief.",
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "What is"}, pixel]},
            {"role": "assistant", "content": [{"type": "text", "text": "I look."}, call]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_a", "content": "rain"}]},
        ],
        tools=[TOOL],
        tool_choice={"type": "tool", "name": "weather"},
        stop_sequences=["END"],
        metadata={"user_id": "u"},
        output_config={"format": {"type": "json_schema", "schema": SCHEMA}, "effort": "low"},
    )
    assert question == {
        "model": "test-model",
        "max_completion_tokens": 64,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
                ],
            },
            {"role": "assistant", "content": "I look.", "tool_calls": [CALLS[0]]},
            {"role": "tool", "tool_call_id": "call_a", "content": "rain"},
        ],
        "tools": [
            {"type": "function", "function": {"name": "weather", "description": "Weather in a city", "parameters": SCHEMA}}
        ],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "stop": ["END"],
        "user": "u",
        "response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}},
        "reasoning_effort": "low",
    }


def test_sdk_reads_responses(client: Any, upstream: Upstream) -> None:
    upstream.then(Script(body=WIRE.write_response(text_answer()))).then(Script(body=WIRE.write_response(tool_answer())))
    said, called = client.messages.create(**ASKED), client.messages.create(**ASKED)
    assert [(block.type, block.text) for block in said.content] == [("text", "".join(WORDS))]
    assert (said.stop_reason, said.usage.input_tokens, said.usage.output_tokens) == ("end_turn", 11, 3)
    assert (said.id, said.model, said.role) == ("chatcmpl-test", "test-model", "assistant")
    assert [(block.id, block.name, block.input) for block in called.content] == [
        (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"])) for call in CALLS
    ]
    assert called.stop_reason == "tool_use"


@pytest.mark.parametrize("reason", WIRE.finish_reasons)
def test_finish_reasons_are_the_vendors(reason: str, client: Any, upstream: Upstream) -> None:
    known = anthropic.types.StopReason.__args__
    body = text_answer()
    body["choices"][0]["finish_reason"] = reason
    upstream.then(Script(body=WIRE.write_response(body)))
    assert client.messages.create(**ASKED).stop_reason == reason
    assert reason in known


def test_sdk_reads_streams(client: Any, upstream: Upstream) -> None:
    upstream.stream(WIRE.write_stream([*text_chunks(finish=None), *tool_chunks()]))
    with client.messages.stream(**ASKED) as stream:
        assert "".join(stream.text_stream) == "".join(WORDS)
        message = stream.get_final_message()
    assert WIRE.read_chat(upstream.last)["stream"] is True
    text, *calls = message.content
    assert text.text == "".join(WORDS)
    assert [(call.id, call.name, call.input) for call in calls] == [
        (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"])) for call in CALLS
    ]
    assert (message.stop_reason, message.usage.input_tokens, message.usage.output_tokens) == (
        "tool_use",
        USAGE["prompt_tokens"],
        USAGE["completion_tokens"],
    )


def test_stream_has_only_vendor_events(client: Any, upstream: Upstream) -> None:
    upstream.stream(WIRE.write_stream([*text_chunks(finish=None), *tool_chunks()]))
    kinds = [event.type for event in client.messages.create(**ASKED, stream=True)]
    block = ["content_block_start", "content_block_delta", "content_block_stop"]
    assert list(dict.fromkeys(kinds)) == ["message_start", *block, "message_delta", "message_stop"]
    assert kinds.count("content_block_start") == kinds.count("content_block_stop") == 1 + len(CALLS)


def test_sdk_reads_stream_error(client: Any, upstream: Upstream) -> None:
    upstream.stream([*WIRE.write_stream(text_chunks(("Hel",), finish=None, usage=False), done=False), *WIRE.write_error_event()])
    with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
        list(client.messages.create(**ASKED, stream=True))


@pytest.mark.parametrize("row", WIRE.error_responses, ids=lambda row: f"{row.status}-{row.failure}")
def test_sdk_reads_error_responses(row: Any, client: Any, upstream: Upstream) -> None:
    upstream.then(row.script())
    with pytest.raises(anthropic.APIStatusError) as caught:
        client.messages.create(**ASKED)
    assert (caught.value.status_code, caught.value.type) == (row.status, row.body["error"]["type"])


def test_write_error_has_code_delay_and_request_id(client: Any, upstream: Upstream) -> None:
    upstream.then(WIRE.write_error(429, "spent", code="enforced_spend_limit_reached", wait=7, request_id="req-test"))
    with pytest.raises(anthropic.RateLimitError, match="spent") as caught:
        client.messages.create(**ASKED)
    assert (caught.value.request_id, caught.value.response.headers["retry-after"]) == ("req-test", "7")
    assert type(caught.value).__name__ == "EnforcedSpendLimitReachedError"


def test_read_chat_of_invalid_request_raises(client: Any, upstream: Upstream) -> None:
    asked(client, upstream)
    received = upstream.last
    unlimited = type(received)("POST", received.path, received.headers, b'{"model": "m", "messages": []}')
    with pytest.raises(AssertionError, match="max_tokens"):
        WIRE.read_chat(unlimited)
    unversioned = type(received)("POST", received.path, {}, received.body)
    with pytest.raises(AssertionError, match="anthropic-version"):
        WIRE.read_chat(unversioned)
