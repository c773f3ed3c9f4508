"""Requests, responses and error mapping of Together AI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from modelmesh_connector_together import TogetherProvider

from modelmesh.contracts import CHAT
from modelmesh.contracts import FailureClass as F
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import ProviderError
from modelmesh_cdk.testing import Upstream, chunk, completion, event

MESSAGES = [{"role": "user", "content": "Hello!"}]
KEY = "test-key-of-the-account"


@pytest.fixture(autouse=True)
def _clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TOGETHER_API_KEY", "TOGETHER_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def send(provider: TogetherProvider, /, *, stream: bool = False, **payload: Any) -> Any:
    """Send one request and return the response body, or the chunks of a stream."""
    call = Call(CHAT, "test", {"messages": MESSAGES, **payload}, stream)
    try:
        answer = provider.send(call, "zai-org/GLM-5.3", Limits())
        return list(answer) if stream else answer.body
    finally:
        provider.close()


@pytest.mark.parametrize("written", ["", "/v1", "/v1/"])
def test_send_request_has_path_key_and_body(upstream: Upstream, monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("TOGETHER_BASE_URL", upstream.url + written)
    send(TogetherProvider(api_key=KEY), top_k=5, compliance="hipaa", of_next_year=[1])
    assert (upstream.last.path, upstream.last.headers["authorization"]) == ("/v1/chat/completions", f"Bearer {KEY}")
    sent = {"model": "zai-org/GLM-5.3", "messages": MESSAGES, "top_k": 5, "compliance": "hipaa", "of_next_year": [1]}
    assert upstream.last.json == sent


def test_base_url_default_is_vendor_address() -> None:
    assert TogetherProvider(api_key=KEY)._get_completion_endpoint() == "https://api.together.ai/v1/chat/completions"


def test_send_plain_response_is_returned(upstream: Upstream) -> None:
    answer = completion("Hi", reasoning="A greeting.") | {"warnings": [{"message": "test"}]}
    answer["choices"][0]["finish_reason"] = "eos"
    upstream.reply(answer)
    got = send(TogetherProvider(base_url=upstream.url, api_key=KEY))
    assert (got["choices"][0].pop("native_finish_reason"), got["choices"][0]["finish_reason"]) == ("eos", "stop")
    answer["choices"][0]["finish_reason"] = "stop"
    assert got == answer


def test_send_stream_returns_chunks(upstream: Upstream) -> None:
    chunks = [
        chunk({"reasoning": "Hm."}),
        chunk({"content": "Hi", "token_id": 5}),
        chunk({}, finish="eos", usage={"total_tokens": 5}),
    ]
    upstream.stream([*map(event, chunks), event("[DONE]")])
    got = send(TogetherProvider(base_url=upstream.url, api_key=KEY), stream=True)
    assert got[:2] == chunks[:2]
    assert (got[2]["choices"][0]["finish_reason"], got[2]["usage"]) == ("stop", {"total_tokens": 5})


@pytest.mark.parametrize(
    ("status", "error_text", "failure"),
    [
        (400, "the request is not valid JSON", F.REFUSED),
        (401, "Invalid API key provided", F.CREDENTIAL),
        (402, "reached its maximum allowed monthly spending limit", F.QUOTA),
        (403, "Input token count + max_tokens must be less than the context length of the model", F.CAPABILITY),
        (422, "inputs tokens + max_new_tokens must be <= 4097", F.CAPABILITY),
        (403, "you may not use this model", F.PERMISSION),
        (404, "Unable to access model missing", F.NOT_FOUND),
        (429, "Too many requests", F.THROTTLE),
        (503, "Engine overloaded", F.SERVER),
    ],
)
def test_send_error_response_has_failure_class(upstream: Upstream, status: int, error_text: str, failure: F) -> None:
    upstream.reply({"error": {"message": error_text, "type": "invalid_request_error", "param": None, "code": None}}, status)
    with pytest.raises(ProviderError) as caught:
        send(TogetherProvider(base_url=upstream.url, api_key=KEY))
    assert caught.value.failure is failure
