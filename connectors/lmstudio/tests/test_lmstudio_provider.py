"""Address, token, model list and error mapping of LM Studio."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from modelmesh_connector_lmstudio import LMStudioProvider

from modelmesh.contracts import CHAT
from modelmesh.contracts import FailureClass as F
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import ProviderError
from modelmesh_cdk.testing import Upstream

MESSAGES = [{"role": "user", "content": "Hello!"}]


@pytest.fixture(autouse=True)
def _clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LMSTUDIO_HOST", "LM_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def send(provider: LMStudioProvider) -> Any:
    """Send one request and return the response body."""
    try:
        return provider.send(Call(CHAT, "test", {"messages": MESSAGES}), "test-model", Limits()).body
    finally:
        provider.close()


def test_base_url_precedes_variable_and_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LMStudioProvider()._get_completion_endpoint() == "http://localhost:1234/v1/chat/completions"
    monkeypatch.setenv("LMSTUDIO_HOST", "gpu.example:9000")
    assert LMStudioProvider()._get_completion_endpoint() == "http://gpu.example:9000/v1/chat/completions"
    provider = LMStudioProvider(base_url="https://other.example/v1/")
    assert provider._get_completion_endpoint() == "https://other.example/v1/chat/completions"


def test_models_are_read_from_server(upstream: Upstream) -> None:
    upstream.reply({"object": "list", "data": [{"id": "qwen3-8b"}, {"id": "text-embedding-nomic-embed-text-v1.5"}]})
    provider = LMStudioProvider(base_url=upstream.url)
    assert [(info.id, info.context_window, tuple(info.capabilities)) for info in provider.models()] == [
        ("qwen3-8b", None, ()),
        ("text-embedding-nomic-embed-text-v1.5", None, ("representation.embeddings.text-embeddings",)),
    ]
    assert (upstream.last.method, upstream.last.path) == ("GET", "/v1/models")
    provider.close()


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (
            400,
            {"error": {"message": "test", "type": "invalid_request_error", "param": "model", "code": "model_not_found"}},
            F.NOT_FOUND,
        ),
        (400, {"error": "The number of tokens to keep is greater than the context length."}, F.CAPABILITY),
        (400, {"error": "'messages' field is required"}, F.REFUSED),
        (401, {"error": {"message": "An LM Studio API token is required", "type": "invalid_request_error"}}, F.CREDENTIAL),
        (500, {"error": "model crashed"}, F.SERVER),
    ],
)
def test_send_error_response_has_failure_class(upstream: Upstream, status: int, body: Any, failure: F) -> None:
    upstream.reply(body, status)
    with pytest.raises(ProviderError) as caught:
        send(LMStudioProvider(base_url=upstream.url))
    assert caught.value.failure is failure


def test_api_key_is_read_from_lm_studio_variable(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LM_API_TOKEN", "test-token")
    send(LMStudioProvider(base_url=upstream.url))
    assert upstream.last.headers["authorization"] == "Bearer test-token"
