"""Responses and streams of Groq, with the fields beyond OpenAI's format."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import modelmesh
from modelmesh.errors import StreamInterruptedError

HELLO = [{"role": "user", "content": "Hello"}]
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "queue_time": 0.01}


def config_of(upstream: Any) -> dict[str, Any]:
    entry = {"connector": "groq.api.v1", "models": ["llama-3.1-8b-instant"], "api_key": "gsk-test", "base_url": upstream.url}
    return {"providers": {"account": entry}, "pools": {"chat-completion": {}}}


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "chatcmpl-test", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}


def stream(client: modelmesh.MeshClient, **arguments: Any) -> Any:
    return client.chat.completions.create(model="chat-completion", messages=HELLO, stream=True, **arguments)


def test_send_plain_response_keeps_groq_fields(upstream: Any) -> None:
    message = {"role": "assistant", "content": "Hi", "reasoning": "A greeting wants one back."}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    upstream.body = {**upstream.body, "choices": [choice], "usage": USAGE, "x_groq": {"id": "req_test"}}
    with modelmesh.create(config=config_of(upstream)) as client:
        reply = client.chat.completions.create(model="chat-completion", messages=HELLO)
    assert (reply.choices[0].message.content, reply.choices[0].message.reasoning) == ("Hi", "A greeting wants one back.")
    assert (reply.x_groq.id, reply.usage.queue_time) == ("req_test", 0.01)


def test_stream_usage_in_x_groq_is_read(upstream: Any) -> None:
    upstream.body = [
        chunk({"role": "assistant", "content": ""}, x_groq={"id": "req_test"}),
        chunk({"content": "Hi"}),
        chunk({}, "stop", x_groq={"id": "req_test", "usage": USAGE}),
    ]
    with modelmesh.create(config=config_of(upstream)) as client:
        chunks = list(stream(client))
        assert upstream.last.json["stream_options"] == {"include_usage": True}
        assert "".join(c.choices[0].delta.content or "" for c in chunks) == "Hi"
        assert (chunks[0].x_groq.id, chunks[-1].x_groq.usage.total_tokens, chunks[-1].usage.total_tokens) == ("req_test", 5, 5)
        assert (client.usage.total_tokens, client.usage.total.unpriced_requests) == (5, 0)


def test_stream_requested_usage_is_unchanged(upstream: Any) -> None:
    other = {**USAGE, "total_tokens": 6}
    last = {**chunk({}), "choices": [], "usage": USAGE, "x_groq": {"usage": other}}
    upstream.body = [chunk({"content": "Hi"}), chunk({}, "stop"), last]
    with modelmesh.create(config=config_of(upstream)) as client:
        chunks = list(stream(client, stream_options={"include_usage": True}))
    assert (chunks[-1].choices, chunks[-1].usage.total_tokens, chunks[-1].x_groq.usage.total_tokens) == ([], 5, 6)


def test_stream_error_in_x_groq_interrupts_stream(upstream: Any) -> None:
    upstream.body = [chunk({"content": "Half an"}), chunk({}, "stop", x_groq={"error": "over capacity"})]
    with modelmesh.create(config=config_of(upstream)) as client, pytest.raises(StreamInterruptedError) as caught:
        list(stream(client))
    assert caught.value.partial_text == "Half an"


def test_stream_error_event_has_status_of_body(upstream: Any) -> None:
    error = {"message": "no such field", "type": "invalid_request_error", "code": "tool_use_failed", "status_code": 400}
    upstream.body = [chunk({"content": "Half an"}), {"error": error}]
    with modelmesh.create(config=config_of(upstream)) as client, pytest.raises(StreamInterruptedError) as caught:
        list(stream(client))
    assert (caught.value.status, caught.value.code) == (400, "tool_use_failed")


def test_stream_async_returns_chunks(upstream: Any) -> None:
    upstream.body = [chunk({"content": "Hi"}), chunk({}, "stop", x_groq={"usage": USAGE})]

    async def run() -> tuple[str, int]:
        async with modelmesh.create_async(config=config_of(upstream)) as client:
            opened = await client.chat.completions.create(model="chat-completion", messages=HELLO, stream=True)
            text = [c.choices[0].delta.content or "" async for c in opened]
            return "".join(text), client.usage.total_tokens

    assert asyncio.run(run()) == ("Hi", 5)
