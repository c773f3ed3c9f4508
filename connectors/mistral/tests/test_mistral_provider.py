"""Requests, responses and error mapping of Mistral."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from modelmesh_connector_mistral import MistralProvider

from modelmesh.contracts import CHAT, EMBEDDINGS, Operation
from modelmesh.contracts import FailureClass as F
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import ProviderError
from modelmesh_cdk import WireRequest
from modelmesh_cdk.testing import Upstream, chunk, completion, event

MESSAGES = [{"role": "user", "content": "Hello!"}]
KEY = "test-key-of-the-account"


@pytest.fixture(autouse=True)
def _clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MISTRAL_API_KEY",):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def send(provider: MistralProvider, /, *, stream: bool = False, operation: Operation = CHAT, **payload: Any) -> Any:
    """Send one request and return the response body, or the chunks of a stream."""
    call = Call(operation, "test", {**({"messages": MESSAGES} if operation is CHAT else {}), **payload}, stream)
    try:
        answer = provider.send(call, "mistral-large-4", Limits())
        return list(answer) if stream else answer.body
    finally:
        provider.close()


@pytest.mark.parametrize("written", ["", "/v1", "/v1/"])
def test_send_request_has_path_key_and_body(upstream: Upstream, written: str) -> None:
    given = {"seed": 0, "max_completion_tokens": 7, "safe_prompt": True, "stream_options": {"include_usage": True}}
    send(MistralProvider(base_url=upstream.url + written, api_key=KEY), stream=True, **given)
    assert (upstream.last.path, upstream.last.headers["authorization"]) == ("/v1/chat/completions", f"Bearer {KEY}")
    sent = {
        "model": "mistral-large-4",
        "messages": MESSAGES,
        "stream": True,
        "random_seed": 0,
        "max_tokens": 7,
        "safe_prompt": True,
    }
    assert upstream.last.json == sent


def test_send_messages_of_caller_are_not_changed(upstream: Upstream) -> None:
    messages = [{"role": "developer", "content": "Be brief."}, *MESSAGES]
    send(MistralProvider(base_url=upstream.url, api_key=KEY), messages=messages)
    assert [message["role"] for message in upstream.last.json["messages"]] == ["system", "user"]
    assert messages[0]["role"] == "developer"


def test_send_embeddings_uses_output_dimension(upstream: Upstream) -> None:
    upstream.reply({"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]})
    assert send(MistralProvider(base_url=upstream.url, api_key=KEY), operation=EMBEDDINGS, input="a", dimensions=1)["data"]
    assert upstream.last.path == "/v1/embeddings"
    assert {name: upstream.last.json[name] for name in ("input", "output_dimension")} == {"input": "a", "output_dimension": 1}
    assert "dimensions" not in upstream.last.json


THOUGHT = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}], "closed": True}, {"type": "text", "text": "Hi"}]


def test_send_thinking_is_returned_as_reasoning_content(upstream: Upstream) -> None:
    answer = completion() | {"of_next_year": 1}
    answer["choices"][0] = {"index": 0, "message": {"role": "assistant", "content": THOUGHT}, "finish_reason": "model_length"}
    upstream.reply(answer)
    got = send(MistralProvider(base_url=upstream.url, api_key=KEY))
    message = {"role": "assistant", "content": "Hi", "reasoning_content": "Hm.", "content_chunks": THOUGHT}
    assert (got["choices"][0]["message"], got["of_next_year"], got["usage"]["total_tokens"]) == (message, 1, 7)
    assert (got["choices"][0]["finish_reason"], got["choices"][0]["native_finish_reason"]) == ("length", "model_length")


def test_send_stream_thinking_is_reasoning_content(upstream: Upstream) -> None:
    last = chunk({"content": "Hi"}, finish="stop", usage={"total_tokens": 5})
    upstream.stream([event(chunk({"role": "assistant", "content": THOUGHT[:1]})), event(last), event("[DONE]")])
    first, second = send(MistralProvider(base_url=upstream.url, api_key=KEY), stream=True)
    delta = {"role": "assistant", "content": None, "reasoning_content": "Hm."}
    assert first["choices"][0]["delta"] == delta
    assert second["choices"][0]["delta"] == {"content": "Hi", "content_chunks": THOUGHT}
    assert second["choices"][0]["finish_reason"] == "stop"
    assert second["usage"] == last["usage"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_send_error_finish_reason_is_server_failure(upstream: Upstream, stream: bool) -> None:
    answer = completion("Half")
    answer["choices"][0]["finish_reason"] = "error"
    if stream:
        upstream.stream([event(chunk({"content": "Half"})), event(chunk({}, finish="error")), event("[DONE]")])
    else:
        upstream.reply(answer)
    with pytest.raises(ProviderError, match="broke") as caught:
        send(MistralProvider(base_url=upstream.url, api_key=KEY), stream=stream)
    assert caught.value.failure is F.SERVER


@pytest.mark.parametrize(
    ("given", "sent", "adapted"),
    [
        ("auto", "auto", []),
        ("standard_only", "standard_only", []),
        ("default", "standard_only", ["service_tier 'default' sent as 'standard_only'"]),
        ("flex", None, ["service_tier 'flex' dropped: Mistral has auto and standard_only"]),
        ("of_next_year", "of_next_year", []),
    ],
)
def test_request_service_tier_is_converted(given: str, sent: str | None, adapted: list[str]) -> None:
    request = WireRequest(Call(CHAT, "chat", {"messages": MESSAGES, "service_tier": given}), "mistral-large-4")
    body = MistralProvider(api_key="test")._build_request_payload(request)
    assert (body.get("service_tier"), request.adapted) == (sent, adapted)


def error_body(kind: str, message: Any, code: str | None = None) -> dict[str, Any]:
    return {"object": "error", "message": message, "type": kind, "param": None, "code": code}


UNKNOWN = {"detail": [{"type": "extra_forbidden", "loc": ["body", "logit_bias"], "msg": "Extra inputs are not permitted"}]}


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (400, error_body("invalid_model", "Invalid model: missing", "1500"), F.NOT_FOUND),
        (
            400,
            error_body("invalid_request_prompt", "too large for model with 32768 maximum context length", "3051"),
            F.CAPABILITY,
        ),
        (422, error_body("invalid_request_error", UNKNOWN), F.CAPABILITY),
        (422, {"detail": [{"type": "missing", "loc": ["body", "messages"], "msg": "Field required"}]}, F.REFUSED),
        (401, {"detail": "Unauthorized"}, F.CREDENTIAL),
        (400, {"error": {"message": "of a gateway", "code": "context_length_exceeded"}}, F.CAPABILITY),
        (402, {"message": "Payment required"}, F.QUOTA),
        (429, {"message": "Requests rate limit exceeded"}, F.THROTTLE),
        (503, error_body("internal_server_error", "Service unavailable."), F.SERVER),
    ],
)
def test_send_error_response_has_failure_class(upstream: Upstream, status: int, body: Any, failure: F) -> None:
    upstream.reply(body, status)
    with pytest.raises(ProviderError) as caught:
        send(MistralProvider(base_url=upstream.url, api_key=KEY))
    assert (caught.value.failure, caught.value.code) == (failure, body.get("error", {}).get("code") or body.get("type"))


def test_send_messages_without_list_are_sent_unchanged(upstream: Upstream) -> None:
    send(MistralProvider(base_url=upstream.url, api_key=KEY), messages="Hello!")
    assert upstream.last.json["messages"] == "Hello!"


def test_send_stream_tool_calls_are_numbered(upstream: Upstream) -> None:
    calls = [{"id": name, "function": {"name": name, "arguments": "{}"}} for name in ("one", "two", "three")]
    calls[2]["index"] = 0
    upstream.stream([event(chunk({"tool_calls": calls}, finish="tool_calls")), event("[DONE]")])
    (only,) = send(MistralProvider(base_url=upstream.url, api_key=KEY), stream=True)
    assert [call["index"] for call in only["choices"][0]["delta"]["tool_calls"]] == [0, 1, 2]
