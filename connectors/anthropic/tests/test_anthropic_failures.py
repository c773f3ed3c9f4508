"""Error mapping of Anthropic, for error responses and for errors inside a stream."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from modelmesh_connector_anthropic.error_mappings import status_of

from modelmesh.errors import ModelMeshError, StreamInterruptedError

HI = [{"role": "user", "content": "Hello"}]


def error(kind: str, message: str = "said the vendor", code: str | None = None) -> dict[str, Any]:
    details = {"details": {"error_code": code}} if code else {}
    return {"type": "error", "error": {"type": kind, "message": message, **details}, "request_id": "req_test_1"}


INVALID = "invalid_request_error"
ERROR_RESPONSES = [
    (400, error(INVALID, "messages.0.role: Input should be 'user' or 'assistant'"), "refused"),
    (400, error(INVALID, "prompt is too long: 210000 tokens > 200000 maximum"), "capability"),
    (400, error(INVALID, "input length and `max_tokens` exceed context limit: 199759 + 8192 > 200000"), "capability"),
    (400, error(INVALID, "max_tokens: 99999 > 8192, which is the maximum allowed number of output tokens for x"), "capability"),
    (400, error(INVALID, "This model does not support assistant message prefill."), "capability"),
    (400, error(INVALID, "too many tools", "available_tools_limit_exceeded"), "capability"),
    (400, error(INVALID, "Your credit balance is too low to access the Anthropic API."), "quota"),
    (400, error(INVALID, "You're out of extra usage. Add more in the settings."), "quota"),
    (400, error(INVALID, "`temperature` and `top_p` cannot both be specified for this model."), "capability"),
    (400, error(INVALID, "This organization has been disabled."), "credential"),
    (400, error(INVALID, "on hold", "organization_on_hold"), "credential"),
    (400, error(INVALID, "Output blocked by content filtering policy"), "policy"),
    (400, error(INVALID, "the body did not arrive in time", "request_body_timeout"), "transient"),
    (400, error(INVALID, "the beta x is not enabled", "organization_not_enrolled_in_beta"), "capability"),
    (400, error(INVALID, "no such profile", "user_profile_required"), "refused"),
    (401, error("authentication_error", "invalid bearer token"), "credential"),
    (402, error("billing_error", "no money"), "quota"),
    (402, error("billing_error", "not you: your customer", "linked_organization_spend_limit_reached"), "capability"),
    (403, error("permission_error"), "permission"),
    (403, error("permission_error", "not billable", "user_profile_not_billable"), "capability"),
    (404, error("not_found_error", "model: claude-none"), "not-found"),
    (404, error("not_found_error", "the file has expired", "file_expired"), "refused"),
    (408, error("timeout_error"), "transient"),
    (409, error("conflict_error"), "refused"),
    (413, error("request_too_large", "Request exceeds the maximum size"), "capability"),
    (413, b"<html>too large</html>", "capability"),
    (429, error("rate_limit_error"), "throttle"),
    (429, error("rate_limit_error", "too fast", "ramp_limit_exceeded"), "throttle"),
    (429, error("rate_limit_error", "spent", "enforced_spend_limit_reached"), "quota"),
    (429, error("rate_limit_error", "spent", "contract_spend_limit_reached"), "quota"),
    (500, error("api_error"), "server"),
    (503, error("api_error", "no key", "cmek_key_unreachable"), "server"),
    (504, error("timeout_error"), "server"),
    (529, error("overloaded_error"), "server"),
    (529, b"", "server"),
    (404, b"<html>nothing here</html>", "protocol"),
    (418, {"unknown": True}, "refused"),
]


def failed(way: Any, config: Any, *, stream: bool = False) -> tuple[ModelMeshError, Any]:
    ask = way.stream if stream else way.ask
    with pytest.raises(ModelMeshError) as caught:
        ask(config(), messages=HI, max_tokens=8)
    return caught.value, caught.value.attempts[-1]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("status", "body", "expected"), ERROR_RESPONSES, ids=lambda value: value if isinstance(value, str) else None
)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_send_error_response_has_failure_class(
    status: int, body: Any, expected: str, stream: bool, vendor: Any, config: Any, way: Any
) -> None:
    vendor.answers(body, status=status, headers={"request-id": "req_test_1"})
    raised, attempt = failed(way, config, stream=stream)
    assert attempt.failure == expected
    assert attempt.status == status
    assert attempt.request_id == "req_test_1"
    assert "test-key" not in str(raised)
    if isinstance(body, dict) and "error" in body:
        details = body["error"].get("details")
        assert attempt.code == (details["error_code"] if details else body["error"]["type"])


def test_send_retry_after_header_is_read(vendor: Any, config: Any, way: Any) -> None:
    vendor.answers(error("overloaded_error"), status=529, headers={"retry-after": "7"})
    raised, attempt = failed(way, config)
    assert attempt.failure == "throttle"
    assert raised.retry_after == pytest.approx(7, rel=0.2)  # type: ignore[attr-defined]


INSIDE = {
    "invalid_request_error": (400, "refused"),
    "authentication_error": (401, "credential"),
    "billing_error": (402, "quota"),
    "permission_error": (403, "permission"),
    "not_found_error": (404, "not-found"),
    "rate_limit_error": (429, "throttle"),
    "api_error": (500, "server"),
    "timeout_error": (504, "server"),
    "overloaded_error": (529, "server"),
    "error_of_tomorrow": (None, "protocol"),
}


@pytest.mark.parametrize("kind", INSIDE)
def test_stream_error_before_content_has_failure_class(kind: str, vendor: Any, config: Any, way: Any, wire: Any) -> None:
    vendor.answers(wire.sse(wire.begin(), {"type": "ping"}, error(kind)))
    _, attempt = failed(way, config, stream=True)
    assert (attempt.status, attempt.failure) == INSIDE[kind]
    assert (attempt.code, attempt.request_id) == (kind, "req_test_1")


@pytest.mark.parametrize("kind", INSIDE)
def test_send_error_body_with_success_status_fails(kind: str, vendor: Any, config: Any, way: Any) -> None:
    vendor.answers(error(kind))
    _, attempt = failed(way, config)
    assert attempt.failure == INSIDE[kind][1]


def test_stream_error_after_content_keeps_partial_text(vendor: Any, config: Any, way: Any, wire: Any) -> None:
    begun = wire.block(0, {"type": "text", "text": ""}, *wire.text("Half an an"))[:-1]
    vendor.answers(wire.sse(wire.begin(), *begun, error("overloaded_error")))
    chunks, _, raised = way.stream(config(), messages=HI, max_tokens=8)
    assert isinstance(raised, StreamInterruptedError)
    assert (raised.partial_text, raised.status, raised.code) == ("Half an an", 529, "overloaded_error")
    assert all(choice["finish_reason"] is None for chunk in chunks for choice in chunk["choices"])


def test_stream_error_message_masks_api_key(vendor: Any, config: Any, way: Any, wire: Any) -> None:
    vendor.answers(wire.sse(wire.begin(), error("invalid_request_error", "the key test-key is odd")))
    raised, _ = failed(way, config, stream=True)
    assert "is odd" in str(raised)
    assert raised.attempts[-1].code == "invalid_request_error"  # type: ignore[attr-defined]
    assert "test-key" not in f"{raised} {raised.body}"  # type: ignore[attr-defined]
    assert raised.body["error"]["message"].endswith("is odd")  # type: ignore[attr-defined]


def test_stream_error_code_masks_api_key(vendor: Any, config: Any, way: Any, wire: Any) -> None:
    vendor.answers(wire.sse(wire.begin(), error("invalid_request_error", "odd", "no test-key")))
    raised, attempt = failed(way, config, stream=True)
    assert attempt.code.startswith("no ")
    assert "test-key" not in f"{raised} {attempt}"


def test_mesh_too_long_prompt_fails_over_to_larger_window(vendor: Any, config: Any, way: Any) -> None:
    settings = config()
    settings["providers"]["second"] = {**settings["providers"]["anthropic"], "api_key": "test-key-2"}
    larger = {"context_window": 2_000_000}  # only a larger window is tried
    settings["models"]["claude-opus-5-5"] = {"provider": "second", "capabilities": ["chat-completion"], "constraints": larger}
    vendor.answers(error(INVALID, "prompt is too long: 210000 tokens > 200000 maximum"), status=400)
    reply = way.ask(settings, messages=HI, max_tokens=8)
    assert [attempt.outcome for attempt in reply.attempts] == ["failed", "answered"]
    assert reply.choices[0].message.content == "Hello."


def test_status_of_covers_error_types_of_package() -> None:
    error_type = pytest.importorskip("anthropic.types.shared.error_type").ErrorType
    of_messages = [kind for kind in get_args(error_type) if not kind.startswith("memory_")]
    assert [kind for kind in of_messages if status_of(error(kind)) is None] == []
    assert status_of(error("error_of_tomorrow")) is None
