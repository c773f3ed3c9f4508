"""Address and error mapping of vLLM."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from modelmesh_connector_vllm import VLLMProvider

from modelmesh.contracts import CHAT
from modelmesh.contracts import FailureClass as F
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import ProviderError
from modelmesh_cdk.testing import Upstream

MESSAGES = [{"role": "user", "content": "Hello!"}]


@pytest.fixture(autouse=True)
def _clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VLLM_HOST",):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def send(provider: VLLMProvider) -> Any:
    """Send one request and return the response body."""
    try:
        return provider.send(Call(CHAT, "test", {"messages": MESSAGES}), "test-model", Limits()).body
    finally:
        provider.close()


def test_base_url_precedes_variable_and_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert VLLMProvider()._get_completion_endpoint() == "http://localhost:8000/v1/chat/completions"
    monkeypatch.setenv("VLLM_HOST", "gpu.example:9000")
    assert VLLMProvider()._get_completion_endpoint() == "http://gpu.example:9000/v1/chat/completions"
    provider = VLLMProvider(base_url="https://other.example/v1/")
    assert provider._get_completion_endpoint() == "https://other.example/v1/chat/completions"


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (
            400,
            {"error": {"message": "This model's maximum context length is 8192 tokens.", "type": "BadRequestError", "code": 400}},
            F.CAPABILITY,
        ),
        (400, {"object": "error", "message": "This model's maximum context length is 8192 tokens.", "code": 400}, F.CAPABILITY),
        (
            400,
            {"error": {"message": "max_tokens must be at least 1, got -1.", "type": "BadRequestError", "code": 400}},
            F.REFUSED,
        ),
        (401, {"error": "Unauthorized"}, F.CREDENTIAL),
        (404, {"error": {"message": "The model `missing` does not exist.", "type": "NotFoundError", "code": 404}}, F.NOT_FOUND),
        (500, {"error": {"message": "EngineCore encountered an issue.", "type": "InternalServerError", "code": 500}}, F.SERVER),
    ],
)
def test_send_error_response_has_failure_class(upstream: Upstream, status: int, body: Any, failure: F) -> None:
    upstream.reply(body, status)
    with pytest.raises(ProviderError) as caught:
        send(VLLMProvider(base_url=upstream.url))
    assert caught.value.failure is failure


def test_send_error_code_is_name_of_error(upstream: Upstream) -> None:
    upstream.reply({"error": {"message": "test", "type": "NotFoundError", "param": None, "code": 404}}, 404)
    with pytest.raises(ProviderError) as caught:
        send(VLLMProvider(base_url=upstream.url))
    assert (caught.value.code, caught.value.status) == ("NotFoundError", 404)
