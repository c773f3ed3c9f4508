"""Hugging Face's router on the wire: address, key, body, answers and refusals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from modelmesh_connector_huggingface import HuggingFaceProvider

from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import ConfigurationError, ProviderError
from modelmesh.operations import CHAT
from modelmesh.routing.classes import FailureClass as F
from modelmesh_cdk.testing import Upstream

MESSAGES = [{"role": "user", "content": "Hello!"}]
KEY = "test-key-of-the-account"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "HF_API_KEY", "HUGGINGFACE_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def ask(provider: HuggingFaceProvider, /, *, stream: bool = False, **payload: Any) -> Any:
    """Ask once; gives the answer's data, or the chunks of a stream."""
    call = Call(CHAT, "test", {"messages": MESSAGES, **payload}, stream)
    try:
        answer = provider.send(call, "openai/gpt-oss-120b:cheapest", Limits())
        return list(answer) if stream else answer.body
    finally:
        provider.close()


@pytest.mark.parametrize("written", ["", "/v1", "/v1/"])
def test_the_request(upstream: Upstream, written: str) -> None:
    ask(HuggingFaceProvider(base_url=upstream.url + written, api_key=KEY, bill_to="our-team"), of_next_year=[1])
    headers = upstream.last.headers
    assert (upstream.last.path, headers["authorization"]) == ("/v1/chat/completions", f"Bearer {KEY}")
    assert headers["x-hf-bill-to"] == "our-team"
    assert upstream.last.json == {"model": "openai/gpt-oss-120b:cheapest", "messages": MESSAGES, "of_next_year": [1]}


@pytest.mark.parametrize(
    "names", [("HF_TOKEN", "HF_API_KEY"), ("HF_API_KEY", "HUGGINGFACE_API_TOKEN"), ("HUGGINGFACE_API_TOKEN",)]
)
def test_the_first_variable_counts(upstream: Upstream, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]) -> None:
    for name in names:
        monkeypatch.setenv(name, f"test-of-{name}")
    ask(HuggingFaceProvider(base_url=upstream.url))
    assert upstream.last.headers["authorization"] == f"Bearer test-of-{names[0]}"
    ask(HuggingFaceProvider(base_url=upstream.url, api_key=KEY))
    assert upstream.last.headers["authorization"] == f"Bearer {KEY}"
    assert "x-hf-bill-to" not in upstream.last.headers


def test_without_a_token_nothing_is_built() -> None:
    with pytest.raises(ConfigurationError, match=r"huggingface\.inference\.v1 has no API key.*HF_TOKEN"):
        HuggingFaceProvider()


def refusal(said: str, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": said, "type": "invalid_request_error", "param": "model", "code": code}}


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (400, refusal("not supported by any provider you have enabled.", "model_not_supported"), F.NOT_FOUND),
        (400, refusal("The requested model 'nobodys' does not exist", "model_not_found"), F.NOT_FOUND),
        (400, refusal("This model's maximum context length is 131072 tokens."), F.CAPABILITY),
        (400, {"error": "Input validation error: top_p must be > 0.0", "error_type": "validation"}, F.CALLER),
        (401, {"error": "Invalid username or password."}, F.CREDENTIAL),
        (402, {"error": "You have exceeded your monthly included credits"}, F.QUOTA),
        (429, refusal("slow down"), F.THROTTLE),
        (503, {"error": "overloaded"}, F.SERVER),
    ],
)
def test_refusals(upstream: Upstream, status: int, body: Any, failure: F) -> None:
    upstream.reply(body, status)
    with pytest.raises(ProviderError) as caught:
        ask(HuggingFaceProvider(base_url=upstream.url, api_key=KEY))
    assert caught.value.failure is failure
