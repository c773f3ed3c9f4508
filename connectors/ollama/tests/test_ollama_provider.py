"""Ollama on the wire: address, models, body, answers and refusals."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from modelmesh_connector_ollama import OllamaProvider

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
    for name in ("OLLAMA_HOST", "OLLAMA_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def ask(provider: OllamaProvider, /, *, stream: bool = False, **payload: Any) -> Any:
    """Ask once; gives the answer's data, or the chunks of a stream."""
    call = Call(CHAT, "test", {"messages": MESSAGES, **payload}, stream)
    try:
        answer = provider.send(call, "test-model", Limits())
        return list(answer) if stream else answer.body
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
def test_the_address_is_completed(monkeypatch: pytest.MonkeyPatch, written: str, place: str) -> None:
    if place == "variable" or written:
        monkeypatch.setenv("OLLAMA_HOST", written if place == "variable" else "http://127.0.0.1:9")
    provider = OllamaProvider(**({} if place == "variable" else {"base_url": written}))
    assert provider._get_completion_endpoint() == f"{ADDRESSES[written]}/chat/completions"


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="ollama.local.v1 has no usable base_url"):
        OllamaProvider(base_url="ftp://example.com")


def test_the_request(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{upstream.port}")
    ask(OllamaProvider(), options={"num_ctx": 8192}, of_next_year=[1])
    assert upstream.last.path == "/v1/chat/completions"
    assert "authorization" not in upstream.last.headers
    assert upstream.last.json == {"model": "test-model", "messages": MESSAGES, "options": {"num_ctx": 8192}, "of_next_year": [1]}
    ask(OllamaProvider(api_key=KEY))
    assert upstream.last.headers["authorization"] == f"Bearer {KEY}"


def test_the_server_is_asked_for_its_models(upstream: Upstream) -> None:
    upstream.reply({"object": "list", "data": [{"id": "qwen3:8b", "object": "model", "owned_by": "library"}]})
    provider = OllamaProvider(base_url=upstream.url)
    assert [(info.id, info.context_window, tuple(info.capabilities)) for info in provider.models()] == [("qwen3:8b", None, ())]
    assert (upstream.last.method, upstream.last.path) == ("GET", "/v1/models")
    provider.close()


def test_a_plain_answer(upstream: Upstream) -> None:
    answer = completion("Hi", reasoning="A greeting.") | {"of_next_year": 1}
    upstream.reply(answer)
    assert ask(OllamaProvider(base_url=upstream.url)) == answer


def test_a_stream(upstream: Upstream) -> None:
    chunks = [chunk({"reasoning": "Hm."}), chunk({"content": "Hi"}), chunk({}, finish="stop")]
    upstream.stream([*map(event, chunks), event("[DONE]")])
    assert ask(OllamaProvider(base_url=upstream.url), stream=True) == chunks


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (
            404,
            {"error": {"message": "model 'nobodys' not found", "type": "not_found_error", "param": None, "code": None}},
            F.NOT_FOUND,
        ),
        (400, {"error": {"message": "invalid message content type", "type": "invalid_request_error"}}, F.CALLER),
        (500, {"error": {"message": "llama runner process has terminated", "type": "api_error"}}, F.SERVER),
        (503, {"error": {"message": "server busy, please try again", "type": "api_error"}}, F.SERVER),
    ],
)
def test_refusals(upstream: Upstream, status: int, body: Any, failure: F) -> None:
    upstream.reply(body, status)
    with pytest.raises(ProviderError) as caught:
        ask(OllamaProvider(base_url=upstream.url))
    assert caught.value.failure is failure


@pytest.mark.parametrize("written", ["0.0.0.0", "gpu.example", ":9000"])
def test_a_scheme_that_detection_put_first_does_not_hide_the_port(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("OLLAMA_HOST", written)
    provider = OllamaProvider(base_url=f"http://{written}")
    assert provider._get_completion_endpoint() == f"{ADDRESSES[written]}/chat/completions"


@pytest.mark.parametrize("written", ["gpu.example:port", "gpu.example?a=b", "[::1"])
def test_what_is_no_address_is_handed_on_as_it_is(written: str) -> None:
    with pytest.raises(ConfigurationError, match="has no usable base_url"):
        OllamaProvider(base_url=written)


def test_addresses_are_those_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_id_variables_and_catalogue_agree() -> None:
    points = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    named = "modelmesh_connector_ollama:OllamaProvider"
    assert points["modelmesh.providers"] == {OllamaProvider.id: named} == {"ollama.local.v1": named}
    assert points["modelmesh.autodetect"] == dict.fromkeys(["OLLAMA_HOST"], named)
    data = json.loads(files("modelmesh_connector_ollama").joinpath("models.json").read_text("utf-8"))
    assert date.fromisoformat(data["as_of"])
    assert data["source"]
    provider = OllamaProvider(api_key=KEY)
    assert KEY not in f"{provider!r} {provider.config!r} {vars(provider)!r}"
    assert data["models"] == []
    assert provider.base_url_variable == "OLLAMA_HOST"
