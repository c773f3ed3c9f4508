"""Address and error mapping of LocalAI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from modelmesh_connector_localai import LocalAIProvider

from modelmesh.contracts import CHAT
from modelmesh.contracts import FailureClass as F
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import ProviderError
from modelmesh_cdk.testing import Upstream

MESSAGES = [{"role": "user", "content": "Hello!"}]


@pytest.fixture(autouse=True)
def _clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOCALAI_HOST",):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def send(provider: LocalAIProvider) -> Any:
    """Send one request and return the response body."""
    try:
        return provider.send(Call(CHAT, "test", {"messages": MESSAGES}), "test-model", Limits()).body
    finally:
        provider.close()


def test_base_url_precedes_variable_and_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LocalAIProvider()._get_completion_endpoint() == "http://localhost:8080/v1/chat/completions"
    monkeypatch.setenv("LOCALAI_HOST", "gpu.example:9000")
    assert LocalAIProvider()._get_completion_endpoint() == "http://gpu.example:9000/v1/chat/completions"
    provider = LocalAIProvider(base_url="https://other.example/v1/")
    assert provider._get_completion_endpoint() == "https://other.example/v1/chat/completions"


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (
            401,
            {"error": {"code": 401, "message": "An authentication key is required", "type": "invalid_request_error"}},
            F.CREDENTIAL,
        ),
        (404, {"error": {"code": 404, "message": "model not found", "type": ""}}, F.NOT_FOUND),
        (500, {"error": {"code": 500, "message": "could not load model", "type": ""}}, F.SERVER),
    ],
)
def test_send_error_response_has_failure_class(upstream: Upstream, status: int, body: Any, failure: F) -> None:
    upstream.reply(body, status)
    with pytest.raises(ProviderError) as caught:
        send(LocalAIProvider(base_url=upstream.url))
    assert caught.value.failure is failure
