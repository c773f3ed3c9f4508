"""Delays that vendors request: the error and the cooldown contain them, in every format and place."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import modelmesh
from modelmesh.errors import ModelMeshError, ProviderTimeoutError
from modelmesh_cdk.testing import Script, Upstream

MESSAGES = [{"role": "user", "content": "Hello!"}]
CHAT = "chat-completion"
ERROR = {"error": {"message": "slow down", "type": "rate", "code": None}}
RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}


def at(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def spent(name: str, reset: str) -> dict[str, str]:
    return {f"x-ratelimit-remaining{name}": "0", f"x-ratelimit-limit{name}": "10", f"x-ratelimit-reset{name}": reset}


STATED: dict[str, tuple[str, Callable[[], dict[str, str]], Any, float]] = {
    "OpenAI, Retry-After": ("openai.llm.v1", lambda: {"Retry-After": "40"}, ERROR, 40),
    "OpenAI, a span": ("openai.llm.v1", lambda: spent("-requests", "6m0s"), ERROR, 360),
    "a gateway, Unix time": ("openai.llm.v1", lambda: spent("-requests", str(int(time.time()) + 60)), ERROR, 60),
    "Groq": ("groq.api.v1", lambda: spent("-tokens", "7.66s"), ERROR, 7.66),
    "OpenRouter": ("openrouter.gateway.v1", lambda: spent("", str(int((time.time() + 600) * 1000))), ERROR, 600),
    "Together": ("together.api.v1", lambda: spent("", "3"), ERROR, 3),
    "Azure": ("openai.llm.v1", lambda: {"retry-after-ms": "1500", "Retry-After": "2"}, ERROR, 1.5),
    "a date": ("mistral.api.v1", lambda: {"Retry-After": at(90).strftime("%a, %d %b %Y %H:%M:%S GMT")}, ERROR, 90),
    "Anthropic": (
        "anthropic.claude.v1",
        lambda: {
            "anthropic-ratelimit-requests-remaining": "0",
            "anthropic-ratelimit-requests-limit": "50",
            "anthropic-ratelimit-requests-reset": at(30).strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
        {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}},
        30,
    ),
    "Gemini": (
        "google.gemini.v1",
        dict,
        {"error": {"code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED", "details": [RETRY_INFO]}},
        34.5,
    ),
}


def one_account(url: str, connector: str, **settings: Any) -> dict[str, Any]:
    provider = {"connector": connector, "api_key": "test-key", "base_url": url, **settings}
    models = {"m": {"provider": "a", "capabilities": [CHAT]}}
    return {"providers": {"a": provider}, "models": models, "pools": {CHAT: {"retry": {"max_attempts": 0}}}}


def error_of(config: dict[str, Any], **arguments: Any) -> Any:
    with modelmesh.create(config=config) as client:
        with pytest.raises(ModelMeshError) as caught:
            list(client.chat.completions.create(model=CHAT, messages=MESSAGES, **arguments))
        until = client.mesh.list_models()[0].health.until - client.mesh.clock()
    return caught.value, until


@pytest.mark.parametrize("name", STATED)
def test_stated_delay_is_the_cooldown_and_never_less(name: str, upstream: Upstream) -> None:
    connector, headers, body, seconds = STATED[name]
    upstream.always(Script(429, json.dumps(body).encode(), headers()))
    error, until = error_of(one_account(upstream.url, connector))
    stated = error.last_error.upstream_delay_s
    assert seconds - 2 <= stated <= seconds + 1  # the clock has run on, and a date has whole seconds
    assert error.last_error.retry_after == stated
    assert stated - 2 <= until <= stated * 1.1


def test_anthropic_usage_limit_lasts_at_most_a_day(upstream: Upstream) -> None:
    when = at(3 * 86_400)
    text = f"You have reached your specified API usage limits. You will regain access on {when:%Y-%m-%d} at {when:%H:%M} UTC."
    upstream.always(
        Script(400, json.dumps({"type": "error", "error": {"type": "invalid_request_error", "message": text}}).encode())
    )
    with modelmesh.create(config=one_account(upstream.url, "anthropic.claude.v1")) as client:
        with pytest.raises(ModelMeshError) as caught:
            client.chat.completions.create(model=CHAT, messages=MESSAGES)
        until = client.mesh.list_models()[0].account.until - client.mesh.clock()
    assert caught.value.last_error.failure == "quota"  # type: ignore[attr-defined]
    assert 2.9 * 86_400 < caught.value.last_error.upstream_delay_s < 3.1 * 86_400  # type: ignore[attr-defined]
    assert 86_390 < until <= 86_400


def test_limits_of_a_stream_are_reported_as_those_of_an_answer(upstream: Upstream) -> None:
    headers = {"x-ratelimit-limit-requests": "20", "x-ratelimit-remaining-requests": "7", "x-ratelimit-reset-requests": "1m30s"}

    def answer(request: Any) -> Script:
        plain = Script(body=b'{"id": "x", "choices": [{"index": 0, "finish_reason": "stop", "message": {"content": "Hi"}}]}')
        events = b'data: {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
        script = Script(body=events, content_type="text/event-stream") if request.json.get("stream") else plain
        script.headers = headers
        return script

    upstream.always(answer)
    for stream in (False, True):
        with modelmesh.create(config=one_account(upstream.url, "openai.llm.v1")) as client:
            reply = client.chat.completions.create(model=CHAT, messages=MESSAGES, stream=stream)
            if stream:
                list(reply)
            (row,) = client.pool_status()[CHAT].left
        assert (row["limit"], row["left"]) == (20, 7)


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that accepts and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        kept: list[socket.socket] = []

        def accept() -> None:
            try:
                while True:
                    kept.append(listening.accept()[0])
            except OSError:
                return

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        for connection in kept:
            connection.close()


@pytest.mark.parametrize("stream", [False, True])
def test_timeout_is_the_limit_that_was_exceeded(stream: bool, silent: str) -> None:
    config = one_account(silent, "openai.llm.v1", timeout=0.3)
    config["pools"][CHAT]["timeouts"] = {"first_content": 0.2}
    error, _ = error_of(config, stream=stream)
    assert isinstance(error.last_error, ProviderTimeoutError)
    assert error.last_error.timeout_seconds == (0.2 if stream else 0.3)
