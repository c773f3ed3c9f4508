"""Address and error mapping of Ollama."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from modelmesh_connector_ollama import OllamaProvider

from modelmesh.contracts import CHAT
from modelmesh.contracts import FailureClass as F
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import ConfigurationError, ProviderError
from modelmesh_cdk.testing import Upstream

MESSAGES = [{"role": "user", "content": "Hello!"}]


@pytest.fixture(autouse=True)
def _clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OLLAMA_HOST", "OLLAMA_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def send(provider: OllamaProvider) -> Any:
    """Send one request and return the response body."""
    try:
        return provider.send(Call(CHAT, "test", {"messages": MESSAGES}), "test-model", Limits()).body
    finally:
        provider.close()


ADDRESSES = {
    "": "http://localhost:11434/v1",
    "0.0.0.0": "http://127.0.0.1:11434/v1",
    ":9000": "http://127.0.0.1:9000/v1",
    "gpu.example": "http://gpu.example:11434/v1",
    "gpu.example:9000/": "http://gpu.example:9000/v1",
    "http://gpu.example": "http://gpu.example/v1",
    "https://gpu.example/v1/": "https://gpu.example/v1",
    "[::]:9000": "http://127.0.0.1:9000/v1",
    "[2001:db8::1]": "http://[2001:db8::1]:11434/v1",
    "gpu.example/ollama": "http://gpu.example:11434/ollama/v1",
}


@pytest.mark.parametrize("written", ADDRESSES)
@pytest.mark.parametrize("place", ["variable", "base_url"])
def test_base_url_missing_parts_are_completed(monkeypatch: pytest.MonkeyPatch, written: str, place: str) -> None:
    if place == "variable" or written:
        monkeypatch.setenv("OLLAMA_HOST", written if place == "variable" else "http://127.0.0.1:9")
    provider = OllamaProvider(**({} if place == "variable" else {"base_url": written}))
    assert provider._get_completion_endpoint() == f"{ADDRESSES[written]}/chat/completions"


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (
            404,
            {"error": {"message": "model 'missing' not found", "type": "not_found_error", "param": None, "code": None}},
            F.NOT_FOUND,
        ),
        (400, {"error": {"message": "invalid message content type", "type": "invalid_request_error"}}, F.REFUSED),
        (500, {"error": {"message": "llama runner process has terminated", "type": "api_error"}}, F.SERVER),
        (503, {"error": {"message": "server busy, please try again", "type": "api_error"}}, F.SERVER),
    ],
)
def test_send_error_response_has_failure_class(upstream: Upstream, status: int, body: Any, failure: F) -> None:
    upstream.reply(body, status)
    with pytest.raises(ProviderError) as caught:
        send(OllamaProvider(base_url=upstream.url))
    assert caught.value.failure is failure


@pytest.mark.parametrize("written", ["gpu.example:port", "gpu.example?a=b", "[::1"])
def test_address_of_invalid_value_is_unchanged(written: str) -> None:
    with pytest.raises(ConfigurationError, match="has no usable base_url"):
        OllamaProvider(base_url=written)


def test_address_of_matches_ollama_package(monkeypatch: pytest.MonkeyPatch) -> None:
    ollama = pytest.importorskip("ollama._client")
    for written in (
        "gpu.example",
        "gpu.example:9000/",
        ":9000",
        "[2001:db8::1]",
        "gpu.example/ollama",
        "https://gpu.example:9000",
    ):
        provider = OllamaProvider(base_url=written)
        assert provider._get_completion_endpoint() == f"{ollama._parse_host(written)}/v1/chat/completions"
