"""Error mapping of error responses, failed answers and streams, also through the mesh."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from modelmesh_connector_cohere import CohereProvider

import modelmesh
from modelmesh.errors import ProviderError, RateLimitError
from modelmesh_cdk.testing import Script

TRIAL = "You are using a Trial key, which is limited to {} API calls / {}. You can continue to use the Trial key for free"
TOO_MANY = "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4292."
ERROR_RESPONSES: list[tuple[int, Any, str]] = [
    (400, "invalid request: message must be at least 1 token long or tool results must be specified.", "refused"),
    (400, "cannot have duplicate tool ids", "refused"),
    (400, TOO_MANY, "capability"),
    (400, "too many tokens: max tokens must be less than or equal to 4096, the maximum output for this model", "capability"),
    (400, "invalid request: response_format is not supported with RAG.", "capability"),
    (
        400,
        "invalid request: only one of 'presence_penalty' and 'frequency_penalty' can be specified for this model.",
        "capability",
    ),
    (400, "invalid request: total number of texts must be at most 96 - received 100", "capability"),
    (400, "invalid request: finetuned model is not compatible with RAG functionality", "capability"),
    (400, "blocked input: please adjust your prompt", "policy"),
    (401, "invalid api token", "credential"),
    (402, "Please add or update your payment method to continue", "quota"),
    (403, "not for you", "permission"),
    (404, "model 'xyz' not found, make sure the correct model ID was used and that you have access to the model.", "not-found"),
    (404, "connector 'web-search' not found.", "refused"),
    (404, "dataset with id my-dataset-id not found", "refused"),
    (422, "invalid request: documents[0].data must be an object", "refused"),
    (422, TOO_MANY, "capability"),
    (429, "You are past the per minute request limit, please wait and try again later.", "throttle"),
    (429, TRIAL.format(40, "minute"), "throttle"),
    (429, TRIAL.format(1000, "month"), "quota"),
    (429, "trial token rate limit exceeded, limit is 100000 tokens per minute", "throttle"),
    (429, "Please wait and try again later", "throttle"),
    (498, "invalid token", "credential"),
    (498, "blocked output: this generation may be a potential violation of our Usage Guidelines", "policy"),
    (499, "request cancelled", "transient"),
    (500, "internal server error", "server"),
    (501, "not implemented", "refused"),
    (502, None, "server"),
    (503, "unavailable", "server"),
    (504, None, "server"),
    (418, {"of_tomorrow": True}, "refused"),
]


@pytest.mark.parametrize(("status", "error_text", "expected"), ERROR_RESPONSES)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_send_error_response_has_failure_class(
    status: int, error_text: Any, expected: str, stream: bool, upstream: Any, made: Any, send: Any
) -> None:
    body = (
        json.dumps({"id": "req-test", "message": error_text} if isinstance(error_text, str) else error_text).encode()
        if error_text
        else b"<html>"
    )
    upstream.then(Script(status, body))
    with pytest.raises(ProviderError) as caught:
        send(made(), stream=stream)
    error = caught.value
    assert (error.failure, error.status) == (expected, status)
    if isinstance(error_text, str):
        assert error.request_id == "req-test"
        assert error.body == {"id": "req-test", "message": error_text}
        assert (error_text[:60] in error.message) == (expected in ("refused", "capability", "policy"))


def test_send_retry_after_header_is_read(upstream: Any, made: Any, send: Any) -> None:
    upstream.reply({"message": "slow down"}, 429, retry_after="7")
    with pytest.raises(RateLimitError) as caught:
        send(made())
    assert caught.value.retry_after == pytest.approx(7)
    upstream.reply({"message": "overloaded"}, 503, retry_after="7")
    with pytest.raises(RateLimitError):
        send(made())


def test_send_error_message_masks_api_key(upstream: Any, made: Any, send: Any) -> None:
    upstream.reply({"message": "the key test-key is odd"}, 400)
    with pytest.raises(ProviderError, match="is odd") as caught:
        send(made())
    assert "test-key" not in f"{caught.value} {caught.value.body}"
    upstream.reply({"message": "the key test-key is odd"})
    with pytest.raises(ProviderError) as caught:
        send(made())
    assert "test-key" not in f"{caught.value} {caught.value.body}"


FAILED = {"ERROR": "server", "TIMEOUT": "timeout", "ERROR_LIMIT": "capability", "ERROR_TOXIC": "policy"}


@pytest.mark.parametrize("reason", FAILED)
def test_send_failed_response_raises_mapped_error(reason: str, upstream: Any, made: Any, send: Any, reply: Any) -> None:
    upstream.reply(reply({"type": "text", "text": "Half"}, reason=reason))
    with pytest.raises(ProviderError) as caught:
        send(made())
    error = caught.value
    assert (error.failure, error.code, error.billed) == (FAILED[reason], reason, "unknown")
    assert error.body["message"]["content"][0]["text"] == "Half"


@pytest.mark.parametrize("reason", FAILED)
def test_stream_failed_response_raises_mapped_error(reason: str, upstream: Any, made: Any, send: Any, wire: Any) -> None:
    upstream.stream([wire.stream(wire.START, wire.block("Half"), wire.end(reason, error="said the vendor"))])
    with pytest.raises(ProviderError) as caught:
        send(made(), stream=True)
    assert (caught.value.failure, caught.value.code) == (FAILED[reason], reason)
    assert caught.value.body["error"] == "said the vendor"


def test_stream_error_with_complete_reason_raises(upstream: Any, made: Any, send: Any, wire: Any) -> None:
    upstream.stream([wire.stream(wire.START, wire.end("COMPLETE", error="said the vendor"))])
    with pytest.raises(ProviderError) as caught:
        send(made(), stream=True)
    assert caught.value.failure == "protocol"


NO_ANSWERS: list[Any] = [
    {"message": "something is wrong", "id": "x"},
    {"error": "something is wrong"},
    {"id": "x", "finish_reason": "COMPLETE"},
    {"id": "x", "finish_reason": "COMPLETE", "message": {"role": "assistant", "content": "text"}},
    {"id": "x", "finish_reason": "COMPLETE", "message": {"role": "assistant", "content": ["text"]}},
    {"id": "x", "finish_reason": "COMPLETE", "message": {"role": "assistant", "tool_calls": [7]}},
    {"id": "x", "finish_reason": "COMPLETE", "message": {"role": "assistant", "tool_calls": 7}},
    {"id": "x", "finish_reason": "COMPLETE", "message": {"role": "assistant", "content": [{"type": "text", "text": 7}]}},
    [],
]


@pytest.mark.parametrize("body", NO_ANSWERS, ids=json.dumps)
def test_send_invalid_body_is_protocol_failure(body: Any, upstream: Any, made: Any, send: Any) -> None:
    upstream.reply(body)
    with pytest.raises(ProviderError) as caught:
        send(made())
    assert caught.value.failure == "protocol"


@pytest.mark.parametrize("body", [{"message": "something is wrong"}, {"type": "error", "message": "something is wrong"}])
def test_stream_error_body_raises_mapped_error(body: dict[str, Any], upstream: Any, made: Any, send: Any, wire: Any) -> None:
    upstream.stream([wire.event(wire.START), b"event: error\ndata: %s\n\n" % json.dumps(body).encode()])
    with pytest.raises(ProviderError) as caught:
        send(made(), stream=True)
    assert caught.value.failure == "protocol"


# -- in the mesh ------------------------------------------------------------------------------------------------------


def pool(upstream: Any) -> dict[str, Any]:
    def one(key: str) -> CohereProvider:
        return CohereProvider({"base_url": upstream.url, "api_key": key, "models": ["command-a-03-2025"]})

    return {
        "providers": {"first": {"instance": one("test-1")}, "second": {"instance": one("test-2")}},
        "pools": {"chat-completion": {}},
    }


HI = [{"role": "user", "content": "Hello"}]


def test_mesh_failed_account_fails_over_to_next(upstream: Any, reply: Any) -> None:
    upstream.reply(reply(reason="ERROR")).reply(reply({"type": "text", "text": "Hello."}))
    with modelmesh.create(config=pool(upstream)) as client:
        answer = client.chat.completions.create(model="chat-completion", messages=HI, top_p=0.5)
    assert [attempt.outcome for attempt in answer.attempts] == ["failed", "answered"]
    assert [one.headers["authorization"] for one in upstream.received] == ["Bearer test-1", "Bearer test-2"]
    assert answer.choices[0].message.content == "Hello."
    assert list(answer.attempts[-1].adapted) == ["top_p sent as p"]


def test_mesh_stream_returns_chunks(upstream: Any, wire: Any) -> None:
    async def main() -> list[Any]:
        async with modelmesh.create_async(config=pool(upstream)) as client:
            stream = await client.chat.completions.create(model="chat-completion", messages=HI, stream=True)
            return [chunk async for chunk in stream]

    upstream.stream([wire.stream(wire.START, wire.end("TIMEOUT"))]).stream([wire.STREAMS["text"]])
    chunks = asyncio.run(main())
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello ✓!"
    assert chunks[-1].usage.total_tokens == 80
    assert len(upstream.received) == 2
