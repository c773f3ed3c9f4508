"""Commit policies: how long a stream is buffered, and which failures that hides."""

from __future__ import annotations

import json
from typing import Any

import pytest

import modelmesh
from modelmesh.errors import StreamInterruptedError
from modelmesh_cdk.testing import Script, Upstream
from modelmesh_cdk.testing.upstream import CONTINUE, chunk, event, text_stream

MESSAGES = [{"role": "user", "content": "Hello!"}]


def ask(config: dict[str, Any], stream: dict[str, Any], **entry: Any) -> tuple[str, str]:
    config["pools"]["chat-completion"]["stream"] = stream
    config["providers"]["a"] |= entry
    with modelmesh.create(config=config) as client:
        opened = client.chat.completions.create(model="chat-completion", messages=MESSAGES, stream=True)
        return "".join(part.choices[0].delta.content or "" for part in opened), opened.model


def dies_after(upstream: Upstream, words: int) -> None:
    pieces = text_stream(*[f"w{n} " for n in range(words)], done=False, finish=None)
    upstream.always(Script(body=pieces, content_type="text/event-stream", cut=True))


@pytest.mark.parametrize("stream", [{"commit": "buffer", "tokens": 10}, {"commit": "complete"}])
def test_stream_early_failure_is_hidden_by_the_buffer(
    stream: dict[str, Any], config: Any, upstream: Upstream, other: Upstream
) -> None:
    dies_after(upstream, 5)
    assert ask(config(upstream.url, other.url), stream) == ("Hello!", "model-b")


def test_stream_failure_after_the_buffer_raises(config: Any, upstream: Upstream, other: Upstream) -> None:
    dies_after(upstream, 50)
    with pytest.raises(StreamInterruptedError) as caught:
        ask(config(upstream.url, other.url), {"commit": "buffer", "tokens": 10})
    assert caught.value.partial_text == "".join(f"w{n} " for n in range(50))
    assert other.received == []


def test_commit_complete_returns_only_whole_answers(config: Any, upstream: Upstream, other: Upstream) -> None:
    dies_after(upstream, 500)
    assert ask(config(upstream.url, other.url), {"commit": "complete"}) == ("Hello!", "model-b")
    upstream.always(None)
    assert ask(config(upstream.url, other.url), {"commit": "complete"}) == ("Hello!", "model-a")


def test_commit_buffer_ends_after_its_time(config: Any, upstream: Upstream) -> None:
    pieces = [*text_stream("Hel", "lo!", done=False, finish=None), CONTINUE]
    upstream.always(Script(body=pieces, content_type="text/event-stream"))
    with pytest.raises(StreamInterruptedError) as caught:
        ask(config(upstream.url), {"commit": "buffer", "tokens": 1000, "seconds": 0}, timeouts={"gap": "200ms"})
    assert caught.value.partial_text == "Hello!"


def test_tool_call_with_cut_arguments_is_partial(config: Any, upstream: Upstream, other: Upstream) -> None:
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "pay", "arguments": '{"amount": 1'}}
    pieces = [event(chunk({"role": "assistant"})), event(chunk({"tool_calls": [call]}))]
    upstream.always(Script(body=pieces, content_type="text/event-stream"))
    answer = json.loads(json.dumps(call)) | {"function": {"name": "pay", "arguments": '{"amount": 100}'}}
    other.always(
        Script(
            body=[event(chunk({"tool_calls": [answer]})), event(chunk({}, finish="tool_calls"))], content_type="text/event-stream"
        )
    )
    settings = config(upstream.url, other.url)
    with modelmesh.create(config=settings) as client, pytest.raises(StreamInterruptedError) as caught:
        list(client.chat.completions.create(model="chat-completion", messages=MESSAGES, tools=[{}], stream=True))
    assert caught.value.partial_tool_calls[0]["function"]["arguments"] == '{"amount": 1'
    settings["pools"]["chat-completion"]["stream"] = {"commit": "complete"}
    with modelmesh.create(config=settings) as client:
        parts = list(client.chat.completions.create(model="chat-completion", messages=MESSAGES, tools=[{}], stream=True))
    assert parts[0].choices[0].delta.tool_calls[0].function.arguments == '{"amount": 100}'


def test_rate_limit_headers_of_a_success_start_no_cooldown(config: Any, upstream: Upstream) -> None:
    spent = {"X-RateLimit-Remaining-Requests": "0", "X-RateLimit-Reset-Requests": "1h", "Retry-After": "3600"}
    with modelmesh.create(config=config(upstream.url)) as client:
        for _ in range(3):
            upstream.then(
                Script(
                    200,
                    json.dumps(
                        {
                            "id": "x",
                            "choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}],
                        }
                    ).encode(),
                    spent,
                )
            )
            assert client.chat.completions.create(model="chat-completion", messages=MESSAGES).content == "ok"
        assert client.pool_status()["chat-completion"].active == 1


def test_exhausted_account_is_tried_once(config: Any, upstream: Upstream, other: Upstream) -> None:
    upstream.always(Script(429, b'{"error": {"code": "insufficient_quota"}}', {"Retry-After": "1"}))
    with modelmesh.create(config=config(upstream.url, other.url)) as client:
        for _ in range(10):
            assert client.chat.completions.create(model="chat-completion", messages=MESSAGES).model == "model-b"
        assert client.active_providers() == ["b"]
    assert len(upstream.received) == 1
