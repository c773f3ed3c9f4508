"""Requests, responses and error mapping of Fireworks AI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from modelmesh_connector_fireworks import FireworksProvider

from modelmesh.contracts import CHAT
from modelmesh.contracts import FailureClass as F
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import ProviderError
from modelmesh_cdk.testing import Upstream

MESSAGES = [{"role": "user", "content": "Hello!"}]
KEY = "test-key-of-the-account"
MODEL = "accounts/fireworks/models/gpt-oss-120b"


@pytest.fixture(autouse=True)
def _clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIREWORKS_API_KEY", "FIREWORKS_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def send(provider: FireworksProvider, /, *, stream: bool = False, **payload: Any) -> Any:
    """Send one request and return the response body, or the chunks of a stream."""
    call = Call(CHAT, "test", {"messages": MESSAGES, **payload}, stream)
    try:
        answer = provider.send(call, MODEL, Limits())
        return list(answer) if stream else answer.body
    finally:
        provider.close()


@pytest.mark.parametrize(
    ("written", "path"),
    [("", "/inference/v1"), ("/v1/", "/v1"), ("/inference/", "/inference/v1"), ("/inference/v1", "/inference/v1")],
)
def test_send_request_has_path_key_and_body(upstream: Upstream, monkeypatch: pytest.MonkeyPatch, written: str, path: str) -> None:
    monkeypatch.setenv("FIREWORKS_BASE_URL", upstream.url + written)
    send(FireworksProvider(api_key=KEY), reasoning_effort="low", of_next_year=[1])
    assert (upstream.last.path, upstream.last.headers["authorization"]) == (f"{path}/chat/completions", f"Bearer {KEY}")
    assert upstream.last.json == {"model": MODEL, "messages": MESSAGES, "reasoning_effort": "low", "of_next_year": [1]}


@pytest.mark.parametrize("path", ["", "/", "/v1", "/inference", "/inference/", "/inference/v1"])
def test_base_url_of_fireworks_always_has_full_path(path: str) -> None:
    provider = FireworksProvider(base_url=f"https://api.fireworks.ai{path}", api_key=KEY)
    endpoint = "https://api.fireworks.ai/inference/v1/chat/completions"
    assert provider._get_completion_endpoint() == FireworksProvider(api_key=KEY)._get_completion_endpoint() == endpoint


@pytest.mark.parametrize(
    ("status", "error_text", "failure"),
    [
        (400, "The prompt is too long: 131073, model maximum context length: 131072", F.CAPABILITY),
        (400, "malformed request", F.REFUSED),
        (401, "unauthorized", F.CREDENTIAL),
        (402, "payment required", F.QUOTA),
        (404, "Model not found, inaccessible, and/or not deployed", F.NOT_FOUND),
        (412, "Account test is suspended, possibly due to reaching the monthly spending limit", F.QUOTA),
        (412, "the model failed to load", F.PERMISSION),
        (429, "rate limit", F.THROTTLE),
        (503, "overloaded", F.SERVER),
    ],
)
def test_send_error_response_has_failure_class(upstream: Upstream, status: int, error_text: str, failure: F) -> None:
    upstream.reply({"error": {"object": "error", "type": "invalid_request_error", "message": error_text}}, status)
    with pytest.raises(ProviderError) as caught:
        send(FireworksProvider(base_url=upstream.url, api_key=KEY))
    assert caught.value.failure is failure
