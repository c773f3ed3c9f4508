"""Servers without the endpoint of a native call: the same model receives the chat completion, once and for later requests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

import modelmesh
from modelmesh.errors import ModelNotFoundError, NoActiveModelError, ProviderError
from modelmesh_cdk.testing import Received, Script, Upstream
from modelmesh_cdk.testing.upstream import completion, text_stream

HTML = b"<!DOCTYPE html><html><head><title>404 Not Found</title></head><body>nginx</body></html>"
MISSING = Script(404, b'{"detail":"Not Found"}')
ANSWERS = {
    "fastapi": ("vllm.local.v1", MISSING),
    "gin": ("ollama.local.v1", Script(404, b"404 page not found", content_type="text/plain")),
    "echo": ("localai.local.v1", Script(404, b'{"error":{"code":404,"message":"Not Found","type":""}}')),
    "lmstudio": ("lmstudio.local.v1", Script(200, b'{"error":"Unexpected endpoint or method. (POST /v1/responses)"}')),
    "gateway": ("openai.llm.v1", Script(405, b'{"detail":"Method Not Allowed"}')),
    "proxy": ("openai.llm.v1", Script(404, HTML, content_type="text/html")),
    "empty": ("openai.llm.v1", Script(501)),
}
LINE = "responses converted to chat.completions: the server does not serve it"


def chat_only(answer: Script) -> Callable[[Received], Script]:
    """Return the script of a server that serves chat completions, and answers every other path in one way."""

    def script(request: Received) -> Script:
        if not request.path.endswith("/chat/completions"):
            return answer
        if request.json.get("stream"):
            return Script(body=text_stream("Hel", "lo!"), content_type="text/event-stream")
        return Script(body=json.dumps(completion()).encode())

    return script


def paths(upstream: Upstream) -> list[str]:
    return [one.path.rpartition("/v1/")[2] for one in upstream.received if one.method == "POST"]


def configured(upstream: Upstream, connector: str = "openai.llm.v1") -> dict[str, Any]:
    entry = {"connector": connector, "base_url": f"{upstream.url}/v1", "api_key": "sk-test"}
    models = {"a/m": {"provider": "a", "capabilities": ["chat-completion"]}}
    return {"providers": {"a": entry}, "models": models, "pools": {"chat": {"models": ["a/m"]}}}


def ask(client: Any, *, stream: bool, **more: Any) -> Any:
    reply = client.responses.create(model="chat", input="Hi", stream=stream, **more)
    if not stream:
        return reply.output_text, reply
    events = list(reply)
    return "".join(one.delta for one in events if one.type == "response.output_text.delta"), reply


@pytest.mark.parametrize("name", ANSWERS)
def test_the_same_model_receives_the_chat_completion(name: str, upstream: Upstream) -> None:
    connector, answer = ANSWERS[name]
    upstream.always(chat_only(answer))
    with modelmesh.create(config=configured(upstream, connector)) as client:
        first = len(name) % 2 == 0  # half of the servers lack the endpoint in a stream
        for stream in (first, not first):
            text, reply = ask(client, stream=stream)
            assert text == "Hello!"
            assert LINE in reply.metadata["adapted"]
            assert len(reply.attempts) == 1
    assert paths(upstream) == ["responses", "chat/completions", "chat/completions"], "the account remembers it"


def test_async_and_the_official_sdks(upstream: Upstream) -> None:
    upstream.always(chat_only(MISSING))

    async def journey() -> list[Any]:
        async with modelmesh.create_async(config=configured(upstream, "vllm.local.v1")) as client:
            sdk = client.as_async_openai()
            claude = client.as_async_anthropic()
            return [
                (await client.responses.create(model="chat", input="Hi")).output_text,
                (await sdk.responses.create(model="chat", input="Hi")).output_text,
                (await sdk.completions.create(model="chat", prompt="Hi")).choices[0].text,
                (await claude.messages.create(model="chat", max_tokens=9, messages=[{"role": "user", "content": "Hi"}]))
                .content[0]
                .text,
            ]

    assert asyncio.run(journey()) == ["Hello!"] * 4
    natives = [one for one in paths(upstream) if one != "chat/completions"]
    assert sorted(natives) == ["completions", "messages", "responses"], "each once"


def test_a_missing_model_is_still_a_missing_model(upstream: Upstream) -> None:
    body = {"error": {"message": "The model `m` does not exist", "code": "model_not_found", "type": "invalid_request_error"}}
    upstream.always(Script(404, json.dumps(body).encode()))
    with modelmesh.create(config=configured(upstream)) as client, pytest.raises(ModelNotFoundError) as caught:
        client.responses.create(model="chat", input="Hi")
    assert caught.value.failure == "not-found"
    assert paths(upstream) == ["responses"]


def test_a_server_without_any_endpoint_is_not_remembered(upstream: Upstream) -> None:
    upstream.always(MISSING)
    with modelmesh.create(config=configured(upstream)) as client:
        for _ in range(2):
            with pytest.raises(ProviderError):
                client.responses.create(model="chat", input="Hi")
    assert paths(upstream) == ["responses", "chat/completions"] * 2


def test_state_is_never_translated(upstream: Upstream) -> None:
    upstream.always(chat_only(MISSING))
    with modelmesh.create(config=configured(upstream)) as client:
        for _ in range(2):
            with pytest.raises((ProviderError, NoActiveModelError)):
                client.responses.create(model="chat", input="Hi", previous_response_id="resp_1@a")
    assert set(paths(upstream)) == {"responses"}


def test_a_failover_after_it_and_a_healthy_model(upstream: Upstream, other: Upstream) -> None:
    upstream.always(lambda request: Script(500) if request.path.endswith("/chat/completions") else MISSING)
    config = configured(upstream)
    config["providers"]["b"] = {**config["providers"]["a"], "base_url": f"{other.url}/v1", "connector": "groq.api.v1"}
    config["models"]["b/m"] = {"provider": "b", "capabilities": ["chat-completion"]}
    config["pools"]["chat"]["models"].append("b/m")
    with modelmesh.create(config=config) as client:
        _, reply = ask(client, stream=False)
        assert reply.provider == "b"
        assert [one.failure for one in reply.attempts] == ["server", None]
    assert paths(upstream)[:2] == ["responses", "chat/completions"]
    assert paths(other) == ["responses"]
