"""Requests, responses and error mapping of Hugging Face's router."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from modelmesh_connector_huggingface import HuggingFaceProvider

from modelmesh.contracts import CHAT, EMBEDDINGS
from modelmesh.contracts import FailureClass as F
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import ConfigurationError, ProviderError
from modelmesh_cdk.testing import Upstream

MESSAGES = [{"role": "user", "content": "Hello!"}]
KEY = "test-key-of-the-account"


@pytest.fixture(autouse=True)
def _clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "HF_API_KEY", "HUGGINGFACE_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def send(provider: HuggingFaceProvider, /, *, stream: bool = False, **payload: Any) -> Any:
    """Send one request and return the response body, or the chunks of a stream."""
    call = Call(CHAT, "test", {"messages": MESSAGES, **payload}, stream)
    try:
        answer = provider.send(call, "openai/gpt-oss-120b:cheapest", Limits())
        return list(answer) if stream else answer.body
    finally:
        provider.close()


@pytest.mark.parametrize("written", ["", "/v1", "/v1/"])
def test_send_request_has_path_key_and_body(upstream: Upstream, written: str) -> None:
    send(HuggingFaceProvider(base_url=upstream.url + written, api_key=KEY, bill_to="our-team"), of_next_year=[1])
    headers = upstream.last.headers
    assert (upstream.last.path, headers["authorization"]) == ("/v1/chat/completions", f"Bearer {KEY}")
    assert headers["x-hf-bill-to"] == "our-team"
    assert upstream.last.json == {"model": "openai/gpt-oss-120b:cheapest", "messages": MESSAGES, "of_next_year": [1]}


@pytest.mark.parametrize(
    "names", [("HF_TOKEN", "HF_API_KEY"), ("HF_API_KEY", "HUGGINGFACE_API_TOKEN"), ("HUGGINGFACE_API_TOKEN",)]
)
def test_api_key_first_variable_takes_precedence(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    for name in names:
        monkeypatch.setenv(name, f"test-of-{name}")
    send(HuggingFaceProvider(base_url=upstream.url))
    assert upstream.last.headers["authorization"] == f"Bearer test-of-{names[0]}"
    send(HuggingFaceProvider(base_url=upstream.url, api_key=KEY))
    assert upstream.last.headers["authorization"] == f"Bearer {KEY}"
    assert "x-hf-bill-to" not in upstream.last.headers


def test_provider_without_token_raises_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match=r"huggingface\.inference\.v1 has no API key.*HF_TOKEN"):
        HuggingFaceProvider()


def error_body(message: str, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": "model", "code": code}}


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (400, error_body("not supported by any provider you have enabled.", "model_not_supported"), F.NOT_FOUND),
        (400, error_body("The requested model 'missing' does not exist", "model_not_found"), F.NOT_FOUND),
        (400, error_body("This model's maximum context length is 131072 tokens."), F.CAPABILITY),
        (400, {"error": "Input validation error: top_p must be > 0.0", "error_type": "validation"}, F.REFUSED),
        (401, {"error": "Invalid username or password."}, F.CREDENTIAL),
        (402, {"error": "You have exceeded your monthly included credits"}, F.QUOTA),
        (429, error_body("slow down"), F.THROTTLE),
        (503, {"error": "overloaded"}, F.SERVER),
    ],
)
def test_send_error_response_has_failure_class(upstream: Upstream, status: int, body: Any, failure: F) -> None:
    upstream.reply(body, status)
    with pytest.raises(ProviderError) as caught:
        send(HuggingFaceProvider(base_url=upstream.url, api_key=KEY))
    assert caught.value.failure is failure


def embed(upstream: Upstream, said: Any, *, options: dict[str, Any] | None = None, **payload: Any) -> Any:
    upstream.reply(said)
    provider = HuggingFaceProvider(base_url=upstream.url, api_key=KEY, **(options or {}))
    try:
        return provider.send(Call(EMBEDDINGS, "test", {"input": ["a"], **payload}), "thenlper/gte-large", Limits())
    finally:
        provider.close()


def test_embeddings_use_feature_extraction_task(upstream: Upstream) -> None:
    answer = embed(upstream, [[0.5, -1]], input="a", normalize=True, user="someone", encoding_format="float")
    assert upstream.last.path == "/hf-inference/models/thenlper/gte-large/pipeline/feature-extraction"
    assert upstream.last.json == {"inputs": ["a"], "normalize": True}
    assert answer.body["data"] == [{"object": "embedding", "index": 0, "embedding": [0.5, -1]}]
    assert "usage" not in answer.body
    assert [line.partition(":")[0] for line in answer.adapted] == ["user dropped"]


def test_embeddings_with_openai_option_use_openai_path(upstream: Upstream) -> None:
    said = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}], "model": "m"}
    assert embed(upstream, said, options={"openai_embeddings": True}).body == said
    assert (upstream.last.path, upstream.last.json) == ("/v1/embeddings", {"model": "thenlper/gte-large", "input": ["a"]})


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ([[[0.5], [1]]], {}),  # one vector for each token
        ([0.5, 1], {"input": ["a", "b"]}),
        ([[0.5]], {"input": ["a", "b"]}),
        ([[0.5, 1]], {"dimensions": 1}),
        ({"vectors": [[0.5]]}, {}),
    ],
)
def test_embeddings_invalid_vectors_are_protocol_failure(upstream: Upstream, said: Any, asked: dict[str, Any]) -> None:
    with pytest.raises(ProviderError) as caught:
        embed(upstream, said, **asked)
    assert caught.value.failure is F.PROTOCOL
