"""LocalAI on the wire: address, models, body, answers and refusals."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from modelmesh_connector_localai import LocalAIProvider

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
    for name in ("LOCALAI_HOST",):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def ask(provider: LocalAIProvider, /, *, stream: bool = False, **payload: Any) -> Any:
    """Ask once; gives the answer's data, or the chunks of a stream."""
    call = Call(CHAT, "test", {"messages": MESSAGES, **payload}, stream)
    try:
        answer = provider.send(call, "test-model", Limits())
        return list(answer) if stream else answer.body
    finally:
        provider.close()


ADDRESSES = {
    "": "http://localhost:8080/v1",
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
        monkeypatch.setenv("LOCALAI_HOST", written if place == "variable" else "http://127.0.0.1:9")
    provider = LocalAIProvider(**({} if place == "variable" else {"base_url": written}))
    assert provider._get_completion_endpoint() == f"{ADDRESSES[written]}/chat/completions"


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="localai.local.v1 has no usable base_url"):
        LocalAIProvider(base_url="ftp://example.com")


def test_the_request(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALAI_HOST", f"127.0.0.1:{upstream.port}")
    ask(LocalAIProvider(), grammar='root ::= "a"', of_next_year=[1])
    assert upstream.last.path == "/v1/chat/completions"
    assert "authorization" not in upstream.last.headers
    assert upstream.last.json == {"model": "test-model", "messages": MESSAGES, "grammar": 'root ::= "a"', "of_next_year": [1]}
    ask(LocalAIProvider(api_key=KEY))
    assert upstream.last.headers["authorization"] == f"Bearer {KEY}"


def test_the_server_is_asked_for_its_models(upstream: Upstream) -> None:
    upstream.reply({"object": "list", "data": [{"id": "gpt-4", "object": "model"}]})
    provider = LocalAIProvider(base_url=upstream.url)
    assert [(info.id, info.context_window, tuple(info.capabilities)) for info in provider.models()] == [("gpt-4", None, ())]
    assert (upstream.last.method, upstream.last.path) == ("GET", "/v1/models")
    provider.close()


def test_a_plain_answer(upstream: Upstream) -> None:
    answer = completion("Hi", reasoning="A greeting.") | {"of_next_year": 1}
    upstream.reply(answer)
    assert ask(LocalAIProvider(base_url=upstream.url)) == answer


def test_a_stream(upstream: Upstream) -> None:
    chunks = [chunk({"reasoning": "Hm."}), chunk({"content": "Hi"}), chunk({}, finish="stop")]
    upstream.stream([*map(event, chunks), event("[DONE]")])
    assert ask(LocalAIProvider(base_url=upstream.url), stream=True) == chunks


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
def test_refusals(upstream: Upstream, status: int, body: Any, failure: F) -> None:
    upstream.reply(body, status)
    with pytest.raises(ProviderError) as caught:
        ask(LocalAIProvider(base_url=upstream.url))
    assert caught.value.failure is failure


def test_id_variables_and_catalogue_agree() -> None:
    points = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    named = "modelmesh_connector_localai:LocalAIProvider"
    assert points["modelmesh.providers"] == {LocalAIProvider.id: named} == {"localai.local.v1": named}
    assert points["modelmesh.autodetect"] == dict.fromkeys(["LOCALAI_HOST"], named)
    data = json.loads(files("modelmesh_connector_localai").joinpath("models.json").read_text("utf-8"))
    assert date.fromisoformat(data["as_of"])
    assert data["source"]
    provider = LocalAIProvider(api_key=KEY)
    assert KEY not in f"{provider!r} {provider.config!r} {vars(provider)!r}"
    assert data["models"] == []
    assert provider.base_url_variable == "LOCALAI_HOST"
