"""Requests, responses and error mapping of DeepSeek."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from modelmesh_connector_deepseek import DeepSeekProvider

from modelmesh.contracts import CHAT
from modelmesh.contracts import FailureClass as F
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import ProviderError
from modelmesh_cdk.testing import Script, Upstream, chunk, completion, event

MESSAGES = [{"role": "user", "content": "Hello!"}]
KEY = "test-key-of-the-account"


@pytest.fixture(autouse=True)
def _clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DEEPSEEK_API_KEY",):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def send(provider: DeepSeekProvider, /, *, stream: bool = False, **payload: Any) -> Any:
    """Send one request and return the response body, or the chunks of a stream."""
    call = Call(CHAT, "test", {"messages": MESSAGES, **payload}, stream)
    try:
        answer = provider.send(call, "deepseek-flash", Limits())
        return list(answer) if stream else answer.body
    finally:
        provider.close()


@pytest.mark.parametrize(
    ("written", "root"), [("", ""), ("https://api.deepseek.com/v1/", ""), ("https://api.deepseek.com/beta", "/beta")]
)
def test_base_url_of_deepseek_gets_no_version(written: str, root: str) -> None:
    provider = DeepSeekProvider(base_url=written, api_key=KEY)
    assert provider._get_completion_endpoint() == f"https://api.deepseek.com{root}/chat/completions"


def test_send_keep_alive_lines_before_response_are_skipped(upstream: Upstream) -> None:
    answer = completion("Hi", reasoning_content="A greeting.") | {"prompt_cache_hit_tokens": 3}
    upstream.then(Script(body=b"\n\n\n" + json.dumps(answer).encode()))
    assert send(DeepSeekProvider(base_url=upstream.url, api_key=KEY)) == answer


@pytest.mark.parametrize("stream", [False, True])
def test_send_capacity_finish_reason_is_server_failure(upstream: Upstream, stream: bool) -> None:
    cut = "insufficient_system_resource"
    if stream:
        upstream.stream([event(chunk({"content": "Half an"})), event(chunk({}, finish=cut)), event("[DONE]")])
    else:
        answer = completion("Half an")
        answer["choices"][0]["finish_reason"] = cut
        upstream.reply(answer)
    with pytest.raises(ProviderError) as caught:
        send(DeepSeekProvider(base_url=upstream.url, api_key=KEY), stream=stream)
    assert caught.value.failure is F.SERVER


@pytest.mark.parametrize(
    ("status", "error_text", "failure"),
    [
        (400, "This model's maximum context length is 1000000 tokens. However, you requested 1000001 tokens", F.CAPABILITY),
        (400, "Invalid format", F.REFUSED),
        (401, "Authentication Fails (no such user)", F.CREDENTIAL),
        (402, "Insufficient Balance", F.QUOTA),
        (422, "invalid parameters", F.REFUSED),
        (429, "Rate Limit Reached", F.THROTTLE),
        (503, "Server Overloaded", F.SERVER),
    ],
)
def test_send_error_response_has_failure_class(upstream: Upstream, status: int, error_text: str, failure: F) -> None:
    upstream.reply(
        {"error": {"message": error_text, "type": "unknown_error", "param": None, "code": "invalid_request_error"}}, status
    )
    with pytest.raises(ProviderError) as caught:
        send(DeepSeekProvider(base_url=upstream.url, api_key=KEY))
    assert caught.value.failure is failure
