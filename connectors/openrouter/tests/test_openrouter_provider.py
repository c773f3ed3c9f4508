"""Requests, responses and error mapping of OpenRouter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from modelmesh_connector_openrouter import OpenRouterProvider

from modelmesh.contracts import CHAT, EMBEDDINGS, Operation
from modelmesh.contracts import FailureClass as F
from modelmesh.contracts.call import Call, Limits
from modelmesh.contracts.operations import SPEECH
from modelmesh.errors import ProviderError
from modelmesh_cdk.testing import Script, Upstream, chunk, completion, event

MESSAGES = [{"role": "user", "content": "Hello!"}]
KEY = "test-key-of-the-account"


@pytest.fixture(autouse=True)
def _clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENROUTER_API_KEY", "OPENROUTER_HTTP_REFERER", "OPENROUTER_X_OPEN_ROUTER_TITLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def send(provider: OpenRouterProvider, /, *, stream: bool = False, **payload: Any) -> Any:
    """Send one request and return the response body, or the chunks of a stream."""
    call = Call(CHAT, "test", {"messages": MESSAGES, **payload}, stream)
    try:
        answer = provider.send(call, "openrouter/auto", Limits())
        return list(answer) if stream else answer.body
    finally:
        provider.close()


@pytest.mark.parametrize(
    ("written", "path"),
    [("", "/api/v1"), ("/api", "/api/v1"), ("/api/", "/api/v1"), ("/api/v1/", "/api/v1"), ("/gateway/v1", "/gateway/v1")],
)
def test_send_request_has_path_key_and_body(upstream: Upstream, written: str, path: str) -> None:
    send(OpenRouterProvider(base_url=upstream.url + written, api_key=KEY), models=["a/b"], of_next_year=[1])
    assert (upstream.last.path, upstream.last.headers["authorization"]) == (f"{path}/chat/completions", f"Bearer {KEY}")
    sent = {"model": "openrouter/auto", "messages": MESSAGES, "models": ["a/b"], "of_next_year": [1]}
    assert upstream.last.json == sent
    assert (upstream.last.headers["x-title"], upstream.last.headers.get("http-referer")) == ("ModelMesh", None)


def test_send_app_headers_and_preferences_are_sent(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_HTTP_REFERER", "https://environment.example")
    options = {"x_title": "Mine", "provider_preferences": {"sort": "price"}}
    send(OpenRouterProvider(base_url=upstream.url, api_key=KEY, **options))
    headers = upstream.last.headers
    assert (headers["x-title"], headers["x-openrouter-title"]) == ("Mine", "Mine")
    assert headers["http-referer"] == "https://environment.example"
    assert upstream.last.json["provider"] == {"sort": "price"}
    send(
        OpenRouterProvider(base_url=upstream.url, api_key=KEY, http_referer="https://mine.example", **options),
        provider={"only": ["x"]},
    )
    assert (upstream.last.headers["http-referer"], upstream.last.json["provider"]) == ("https://mine.example", {"only": ["x"]})


@pytest.mark.parametrize(("operation", "stated"), [(EMBEDDINGS, {"sort": "price"}), (SPEECH, None)])
def test_send_preferences_depend_on_operation(upstream: Upstream, operation: Operation, stated: Any) -> None:
    audio = Script(200, b"ID3 test", {}, "audio/mpeg")
    upstream.then(audio) if operation is SPEECH else upstream.reply({"object": "list", "data": []})
    provider = OpenRouterProvider(base_url=upstream.url, api_key=KEY, provider_preferences={"sort": "price"})
    provider.send(Call(operation, "test", {"input": ["a"]}), "openai/text-embedding-3-small", Limits())
    provider.close()
    assert upstream.last.path == f"/api/v1{operation.path}"
    assert upstream.last.json.get("provider") == stated


@pytest.mark.parametrize("place", ["answer", "choice", "stream"])
def test_send_error_inside_response_is_failure(upstream: Upstream, place: str) -> None:
    error = {"code": 502, "message": "test", "metadata": {"error_type": "provider_unavailable"}}
    if place == "stream":
        upstream.stream([event(chunk({"content": "Half"})), event(chunk({}, finish="error", error=error)), event("[DONE]")])
    elif place == "choice":
        answer = completion("Half")
        answer["choices"][0] |= {"finish_reason": "error", "error": error}
        upstream.reply(answer)
    else:
        upstream.reply({"error": error})
    with pytest.raises(ProviderError) as caught:
        send(OpenRouterProvider(base_url=upstream.url, api_key=KEY), stream=place == "stream")
    assert (caught.value.failure, caught.value.code, caught.value.status) == (F.SERVER, "provider_unavailable", 502)


@pytest.mark.parametrize(
    ("status", "metadata", "failure"),
    [
        (400, {"error_type": "context_length_exceeded"}, F.CAPABILITY),
        (400, {"error_type": "invalid_request"}, F.REFUSED),
        (401, {}, F.CREDENTIAL),
        (402, {"error_type": "payment_required"}, F.QUOTA),
        (403, {"reasons": ["violence"], "flagged_input": "…", "provider_name": "Test"}, F.POLICY),
        (403, {"error_type": "permission_denied"}, F.PERMISSION),
        (404, {"error_type": "not_found"}, F.NOT_FOUND),
        (429, {"error_type": "rate_limit_exceeded"}, F.THROTTLE),
        (503, {"error_type": "provider_overloaded"}, F.SERVER),
    ],
)
def test_send_error_response_has_failure_class(upstream: Upstream, status: int, metadata: dict[str, Any], failure: F) -> None:
    upstream.reply({"error": {"code": status, "message": "test", "metadata": metadata}, "user_id": "test"}, status)
    with pytest.raises(ProviderError) as caught:
        send(OpenRouterProvider(base_url=upstream.url, api_key=KEY))
    assert caught.value.failure is failure


def test_stream_usage_chunk_has_no_choice(upstream: Upstream) -> None:
    empty = chunk({"role": "assistant", "content": ""}, usage={"total_tokens": 7})
    upstream.stream([event(chunk({"content": "Hi"}, finish="stop")), event(empty), event("[DONE]")])
    ended, last = send(OpenRouterProvider(base_url=upstream.url, api_key=KEY), stream=True)
    assert ended["choices"][0]["finish_reason"] == "stop"
    assert (last["choices"], last["usage"]) == ([], {"total_tokens": 7})


def test_stream_usage_with_content_keeps_content(upstream: Upstream) -> None:
    upstream.stream(
        [event(chunk({"content": "Hi"}, usage={"total_tokens": 7})), event(chunk({}, finish="stop")), event("[DONE]")]
    )
    first, _ = send(OpenRouterProvider(base_url=upstream.url, api_key=KEY), stream=True)
    assert first["choices"][0]["delta"] == {"content": "Hi"}
