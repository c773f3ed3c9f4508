"""Error mapping of error bodies, and the errors raised to the caller."""

from __future__ import annotations

import json
from typing import Any

import pytest
from modelmesh_connector_google import GoogleProvider

import modelmesh
from modelmesh.contracts import CHAT, FailureClass
from modelmesh.contracts.call import Call, Limits
from modelmesh_cdk.testing import Script

F = FailureClass
HI = [{"role": "user", "content": "Hello"}]
RPC = "type.googleapis.com/google.rpc."


def body(code: int, status: str, message: str = "test", *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, **({"details": list(details)} if details else {})}}


def reason(word: str) -> dict[str, Any]:
    return {"@type": f"{RPC}ErrorInfo", "reason": word, "domain": "googleapis.com"}


def quota(*names: str) -> dict[str, Any]:
    return {"@type": f"{RPC}QuotaFailure", "violations": [{"quotaMetric": "m", "quotaId": name} for name in names]}


RETRY = {"@type": f"{RPC}RetryInfo", "retryDelay": "34.074824224s"}
MINUTE, DAY = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "GenerateRequestsPerDayPerProjectPerModel-FreeTier"

OF_ALL = "GenerateRequestsPerDayPerProject-FreeTier"
NAMED = {"@type": f"{RPC}QuotaFailure", "violations": [{"quotaId": OF_ALL, "quotaDimensions": {"model": "gemini-3.8-flash"}}]}

CASES: dict[str, tuple[dict[str, Any], FailureClass, str, float | None]] = {
    "argument": (body(400, "INVALID_ARGUMENT", "Invalid value"), F.REFUSED, "INVALID_ARGUMENT", None),
    "key": (body(400, "INVALID_ARGUMENT", "m", reason("API_KEY_INVALID")), F.CREDENTIAL, "API_KEY_INVALID", None),
    "key in words": (body(400, "INVALID_ARGUMENT", "API key not valid. Please"), F.CREDENTIAL, "INVALID_ARGUMENT", None),
    "leaked": (body(403, "PERMISSION_DENIED", "Your API key was reported as leaked."), F.CREDENTIAL, "PERMISSION_DENIED", None),
    "off": (body(403, "PERMISSION_DENIED", "m", reason("SERVICE_DISABLED")), F.CREDENTIAL, "SERVICE_DISABLED", None),
    "billing": (body(403, "PERMISSION_DENIED", "m", reason("BILLING_DISABLED")), F.QUOTA, "BILLING_DISABLED", None),
    "denied": (body(403, "PERMISSION_DENIED"), F.PERMISSION, "PERMISSION_DENIED", None),
    "unknown key": (body(401, "UNAUTHENTICATED"), F.CREDENTIAL, "UNAUTHENTICATED", None),
    "place": (
        body(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
        F.CREDENTIAL, "FAILED_PRECONDITION", None,
    ),
    "file": (body(400, "FAILED_PRECONDITION", "The File is not in an ACTIVE state"), F.REFUSED, "FAILED_PRECONDITION", None),
    "too long": (
        body(400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum number of tokens allowed (5)."),
        F.CAPABILITY, "INVALID_ARGUMENT", None,
    ),
    "unsigned": (body(400, "INVALID_ARGUMENT", "missing a thought_signature"), F.CAPABILITY, "INVALID_ARGUMENT", None),
    "no model": (body(404, "NOT_FOUND"), F.NOT_FOUND, "NOT_FOUND", None),
    "minute": (body(429, "RESOURCE_EXHAUSTED", "m", quota(MINUTE), RETRY), F.THROTTLE, "RESOURCE_EXHAUSTED", 34.074824224),
    "no delay": (body(429, "RESOURCE_EXHAUSTED"), F.THROTTLE, "RESOURCE_EXHAUSTED", None),
    "day": (body(429, "RESOURCE_EXHAUSTED", "m", quota(MINUTE, DAY), RETRY), F.MODEL_QUOTA, "RESOURCE_EXHAUSTED", None),
    "day, named": (body(429, "RESOURCE_EXHAUSTED", "m", NAMED, RETRY), F.MODEL_QUOTA, "RESOURCE_EXHAUSTED", None),
    "day of all": (body(429, "RESOURCE_EXHAUSTED", "m", quota(DAY, OF_ALL), RETRY), F.QUOTA, "RESOURCE_EXHAUSTED", None),
    "cancelled": (body(499, "CANCELLED"), F.TRANSIENT, "CANCELLED", None),
    "internal": (body(500, "INTERNAL"), F.SERVER, "INTERNAL", None),
    "overloaded": (body(503, "UNAVAILABLE", "The model is overloaded."), F.SERVER, "UNAVAILABLE", None),
    "overloaded a while": (body(503, "UNAVAILABLE", "m", RETRY), F.THROTTLE, "UNAVAILABLE", 34.074824224),
    "late": (body(504, "DEADLINE_EXCEEDED"), F.SERVER, "DEADLINE_EXCEEDED", None),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("how", ["whole", "stream", "under success", "in a list"])
def test_send_error_body_has_failure_class(upstream: Any, name: str, how: str) -> None:
    said, kind, code, delay = CASES[name]
    status = 200 if how == "under success" else said["error"]["code"]
    upstream.then(Script(status, json.dumps([said] if how == "in a list" else said).encode()))
    provider = GoogleProvider(api_key="test-key", base_url=upstream.url)
    with pytest.raises(modelmesh.ProviderError) as caught:
        provider.send(Call(CHAT, "chat", {"messages": HI}, stream=how == "stream"), "gemini-3.8-flash", Limits())
    error = caught.value
    assert (error.failure, error.code, error.status) == (kind, code, said["error"]["code"])
    assert error.upstream_delay_s == delay
    assert error.body == ([said] if how == "in a list" else said)


def test_send_error_contains_request_id(upstream: Any, config: Any, way: Any) -> None:
    named = {"@type": f"{RPC}RequestInfo", "requestId": "req-test"}
    upstream.reply(body(500, "INTERNAL", "m", {"@type": f"{RPC}RequestInfo"}, named), 500)
    with pytest.raises(modelmesh.ProviderServerError) as caught:
        way.send(config(), messages=HI)
    assert caught.value.request_id == "req-test"


def test_stream_error_body_raises_mapped_error(upstream: Any, config: Any, way: Any) -> None:
    upstream.stream([b"data: " + json.dumps(body(503, "UNAVAILABLE")).encode() + b"\n\n"])
    with pytest.raises(modelmesh.ProviderServerError):
        way.stream(config(), messages=HI)


def test_send_error_message_masks_api_key(upstream: Any, config: Any, way: Any) -> None:
    upstream.reply(body(400, "INVALID_ARGUMENT", "Invalid: test-key"), 400)
    with pytest.raises(modelmesh.BadRequestError) as caught:
        way.send(config(), messages=HI)
    assert "test-key" not in f"{caught.value!r} {caught.value} {caught.value.body}"


def test_mesh_exhausted_model_keeps_others_of_account(upstream: Any) -> None:
    used_up = CASES["day"][0]
    answer = {"candidates": [{"content": {"parts": [{"text": "hello"}], "role": "model"}, "finishReason": "STOP", "index": 0}]}
    upstream.then(Script(429, json.dumps(used_up).encode()))
    upstream.then(Script(200, json.dumps(answer).encode()))
    with modelmesh.ModelMesh() as mesh:
        models = ["gemini-3.8-flash", "gemini-3.8-flash-lite"]
        account = {"connector": "google.gemini.v1", "api_key": "test-key", "base_url": upstream.url, "models": models}
        mesh.initialize({"providers": {"google": account}, "pools": {"chat": {"capability": "chat-completion"}}})
        reply = mesh.client.chat.completions.create(model="chat", messages=HI)
        first, second = mesh.list_pools()[0].members
        assert [(attempt.model_id, attempt.failure) for attempt in reply.attempts] == [
            ("gemini-3.8-flash", "model-quota"),
            ("gemini-3.8-flash-lite", None),
        ]
        assert (first.status, second.status, first.account.ready) == ("standby", "active", True)
