"""Responses and streams of OpenAI, with tool calls and unknown fields."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import modelmesh
from modelmesh import errors

HELLO = [{"role": "user", "content": "Hello"}]
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Zürich"}'}}


def config_of(upstream: Any) -> dict[str, Any]:
    entry = {"connector": "openai.llm.v1", "models": ["gpt-4o-mini"], "api_key": "sk-test", "base_url": upstream.url}
    return {"providers": {"account": entry}, "pools": {"chat-completion": {}}}


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "chatcmpl-test", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}


def with_message(upstream: Any, message: dict[str, Any], finish: str, **more: Any) -> None:
    upstream.body = {**upstream.body, "choices": [{"index": 0, "message": message, "finish_reason": finish}], **more}


def test_send_plain_response_has_usage_and_cost(upstream: Any) -> None:
    with modelmesh.create(config=config_of(upstream)) as client:
        reply = client.chat.completions.create(model="chat-completion", messages=HELLO)
        assert (reply.id, reply.choices[0].message.content, reply.usage.total_tokens) == ("chatcmpl-test", "Hello.", 7)
        assert (reply.model, reply.provider, reply.metadata["headers"]["x-request-id"]) == ("gpt-4o-mini", "account", "req-test")
        # 5 and 2 tokens at the catalogue's 0.00015 and 0.0006 USD for a thousand
        assert client.usage.total_cost == pytest.approx(5 * 0.00015e-3 + 2 * 0.0006e-3)


def test_send_unknown_response_fields_are_kept(upstream: Any) -> None:
    with_message(upstream, {"role": "assistant", "content": "Hi", "mood": "fine"}, "stop", moderation={"flagged": False})
    with modelmesh.create(config=config_of(upstream)) as client:
        reply = client.chat.completions.create(model="chat-completion", messages=HELLO)
    assert reply.moderation.flagged is False
    assert reply.choices[0].message.mood == "fine"
    assert reply.model_dump()["moderation"] == {"flagged": False}


def test_send_tool_calls_and_results_are_unchanged(upstream: Any) -> None:
    with_message(upstream, {"role": "assistant", "content": None, "tool_calls": [CALL]}, "tool_calls")
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
    with modelmesh.create(config=config_of(upstream)) as client:
        reply = client.chat.completions.create(model="chat-completion", messages=HELLO, tools=tools, tool_choice="auto")
        assert upstream.last.json["tools"] == tools
        assert upstream.last.json["tool_choice"] == "auto"
        message = reply.choices[0].message
        assert reply.choices[0].finish_reason == "tool_calls"
        assert message.tool_calls[0].function.arguments == '{"city": "Zürich"}'
        result = {"role": "tool", "tool_call_id": "call_1", "content": "22 °C"}
        client.chat.completions.create(model="chat-completion", messages=[*HELLO, message, result])
    assert upstream.last.json["messages"] == [*HELLO, {"role": "assistant", "content": None, "tool_calls": [CALL]}, result]


def test_stream_returns_chunks(upstream: Any) -> None:
    upstream.body = [
        chunk({"role": "assistant", "content": ""}, obfuscation="xyz"),
        chunk({"content": "Grüezi"}, padding_of_next_year=1),
        chunk({"content": " mitenand"}),
        chunk({}, "stop"),
    ]
    with modelmesh.create(config=config_of(upstream)) as client:
        chunks = list(client.chat.completions.create(model="chat-completion", messages=HELLO, stream=True))
    assert upstream.last.json["stream"] is True
    assert upstream.last.json["stream_options"] == {"include_usage": True}
    assert upstream.last.headers["accept"] == "text/event-stream"
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == "Grüezi mitenand"
    assert chunks[1].padding_of_next_year == 1
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert {c.model for c in chunks} == {"gpt-4o-mini"}


def test_stream_async_include_usage_returns_usage(upstream: Any) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    last = {**chunk({}), "choices": [], "usage": usage}
    upstream.body = [chunk({"content": "Hi"}), chunk({}, "stop"), last]

    async def run() -> tuple[list[Any], int]:
        async with modelmesh.create_async(config=config_of(upstream)) as client:
            stream = await client.chat.completions.create(
                model="chat-completion", messages=HELLO, stream=True, stream_options={"include_usage": True}
            )
            return [one async for one in stream], client.usage.total_tokens

    chunks, counted = asyncio.run(run())
    assert upstream.last.json["stream_options"] == {"include_usage": True}
    assert (chunks[-1].choices, chunks[-1].usage.total_tokens, counted) == ([], 5, 5)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "invalid_value", errors.BadRequestError),
        (401, "invalid_api_key", errors.AuthenticationError),
        (404, "model_not_found", errors.ModelNotFoundError),
        (429, "insufficient_quota", errors.QuotaExceededError),
    ],
)
def test_send_error_response_has_type_and_code(upstream: Any, status: int, code: str, kind: type[Exception]) -> None:
    upstream.status, upstream.body = status, {"error": {"message": "no", "type": "t", "param": None, "code": code}}
    with modelmesh.create(config=config_of(upstream)) as client, pytest.raises(kind) as caught:
        client.chat.completions.create(model="chat-completion", messages=HELLO)
    assert (caught.value.status, caught.value.code, caught.value.request_id) == (status, code, "req-test")  # type: ignore[attr-defined]
    assert len(upstream.received) == 1
