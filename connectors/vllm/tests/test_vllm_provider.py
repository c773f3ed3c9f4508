"""vLLM on the wire: address, models, body, answers and refusals."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from modelmesh_connector_vllm import VLLMProvider

from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import ConfigurationError, ProviderError
from modelmesh.operations import CHAT
from modelmesh.routing.classes import FailureClass as F
from modelmesh_cdk.testing import Upstream
from modelmesh_cdk.testing.upstream import chunk, completion, event

MESSAGES = [{"role": "user", "content": "Hello!"}]
KEY = "test-key-of-the-account"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VLLM_HOST",):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def ask(provider: VLLMProvider, /, *, stream: bool = False, **payload: Any) -> Any:
    """Ask once; gives the answer's data, or the chunks of a stream."""
    call = Call(CHAT, "test", {"messages": MESSAGES, **payload}, stream)
    try:
        answer = provider.send(call, "test-model", Limits())
        return list(answer) if stream else answer.body
    finally:
        provider.close()


ADDRESSES = {
    "": "http://localhost:8000/v1",
    "http://gpu.example:9000": "http://gpu.example:9000/v1",
    "https://gpu.example/v1/": "https://gpu.example/v1",
    "gpu.example:9000": "http://gpu.example:9000/v1",
    "gpu.example:9000/v1": "http://gpu.example:9000/v1",
    " gpu.example ": "http://gpu.example/v1",
}


@pytest.mark.parametrize("written", ADDRESSES)
@pytest.mark.parametrize("place", ["variable", "base_url"])
def test_the_address_is_completed(monkeypatch: pytest.MonkeyPatch, written: str, place: str) -> None:
    if place == "variable" or written:
        monkeypatch.setenv("VLLM_HOST", written if place == "variable" else "http://127.0.0.1:9")
    provider = VLLMProvider(**({} if place == "variable" else {"base_url": written}))
    assert provider._get_completion_endpoint() == f"{ADDRESSES[written]}/chat/completions"


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="vllm.local.v1 has no usable base_url"):
        VLLMProvider(base_url="ftp://example.com")


def test_the_request(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_HOST", f"127.0.0.1:{upstream.port}")
    ask(VLLMProvider(), top_k=5, of_next_year=[1])
    assert upstream.last.path == "/v1/chat/completions"
    assert "authorization" not in upstream.last.headers
    assert upstream.last.json == {"model": "test-model", "messages": MESSAGES, "top_k": 5, "of_next_year": [1]}
    ask(VLLMProvider(api_key=KEY))
    assert upstream.last.headers["authorization"] == f"Bearer {KEY}"


def test_the_server_is_asked_for_its_models(upstream: Upstream) -> None:
    upstream.reply({"object": "list", "data": [{"id": "Qwen/Qwen3-8B", "object": "model", "max_model_len": 40960}]})
    provider = VLLMProvider(base_url=upstream.url)
    assert [(info.id, info.context_window, tuple(info.capabilities)) for info in provider.models()] == [
        ("Qwen/Qwen3-8B", 40960, ())
    ]
    assert (upstream.last.method, upstream.last.path) == ("GET", "/v1/models")
    provider.close()


def test_a_plain_answer(upstream: Upstream) -> None:
    answer = completion("Hi", reasoning="A greeting.") | {"of_next_year": 1}
    upstream.reply(answer)
    assert ask(VLLMProvider(base_url=upstream.url)) == answer


def test_a_stream(upstream: Upstream) -> None:
    chunks = [chunk({"reasoning": "Hm."}), chunk({"content": "Hi"}), chunk({}, finish="stop")]
    upstream.stream([*map(event, chunks), event("[DONE]")])
    assert ask(VLLMProvider(base_url=upstream.url), stream=True) == chunks


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (
            400,
            {"error": {"message": "This model's maximum context length is 8192 tokens.", "type": "BadRequestError", "code": 400}},
            F.CAPABILITY,
        ),
        (400, {"object": "error", "message": "This model's maximum context length is 8192 tokens.", "code": 400}, F.CAPABILITY),
        (400, {"error": {"message": "max_tokens must be at least 1, got -1.", "type": "BadRequestError", "code": 400}}, F.CALLER),
        (401, {"error": "Unauthorized"}, F.CREDENTIAL),
        (404, {"error": {"message": "The model `nobodys` does not exist.", "type": "NotFoundError", "code": 404}}, F.NOT_FOUND),
        (500, {"error": {"message": "EngineCore encountered an issue.", "type": "InternalServerError", "code": 500}}, F.SERVER),
    ],
)
def test_refusals(upstream: Upstream, status: int, body: Any, failure: F) -> None:
    upstream.reply(body, status)
    with pytest.raises(ProviderError) as caught:
        ask(VLLMProvider(base_url=upstream.url))
    assert caught.value.failure is failure


def test_the_code_is_the_name_of_the_error(upstream: Upstream) -> None:
    upstream.reply({"error": {"message": "test", "type": "NotFoundError", "param": None, "code": 404}}, 404)
    with pytest.raises(ProviderError) as caught:
        ask(VLLMProvider(base_url=upstream.url))
    assert (caught.value.code, caught.value.status) == ("NotFoundError", 404)


def test_id_variables_and_catalogue_agree() -> None:
    points = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    named = "modelmesh_connector_vllm:VLLMProvider"
    assert points["modelmesh.providers"] == {VLLMProvider.id: named} == {"vllm.local.v1": named}
    assert points["modelmesh.autodetect"] == dict.fromkeys(["VLLM_HOST"], named)
    data = json.loads(files("modelmesh_connector_vllm").joinpath("models.json").read_text("utf-8"))
    assert date.fromisoformat(data["as_of"])
    assert data["source"]
    provider = VLLMProvider(api_key=KEY)
    assert KEY not in f"{provider!r} {provider.config!r} {vars(provider)!r}"
    assert data["models"] == []
    assert provider.base_url_variable == "VLLM_HOST"
