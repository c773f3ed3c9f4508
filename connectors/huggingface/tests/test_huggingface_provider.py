"""Hugging Face's router on the wire: address, key, body, answers and refusals."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from modelmesh_connector_huggingface import HuggingFaceProvider

from modelmesh.capabilities import standard_tree
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


def test_a_plain_answer(upstream: Upstream) -> None:
    answer = completion("Hi", reasoning="A greeting.") | {"x_groq": {"id": "of the provider behind it"}}
    upstream.reply(answer)
    assert ask(HuggingFaceProvider(base_url=upstream.url, api_key=KEY)) == answer


def test_a_stream(upstream: Upstream) -> None:
    chunks = [chunk({"reasoning_content": "Hm."}), chunk({"content": "Hi"}), chunk({}, finish="stop")]
    upstream.stream([*map(event, chunks), event("[DONE]")])
    assert ask(HuggingFaceProvider(base_url=upstream.url, api_key=KEY), stream=True) == chunks


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


def test_id_variables_and_catalogue_agree() -> None:
    points = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    named = "modelmesh_connector_huggingface:HuggingFaceProvider"
    assert points["modelmesh.providers"] == {HuggingFaceProvider.id: named} == {"huggingface.inference.v1": named}
    assert points["modelmesh.autodetect"] == dict.fromkeys(["HF_TOKEN", "HF_API_KEY", "HUGGINGFACE_API_TOKEN"], named)
    data = json.loads(files("modelmesh_connector_huggingface").joinpath("models.json").read_text("utf-8"))
    assert date.fromisoformat(data["as_of"])
    assert data["source"]
    provider = HuggingFaceProvider(api_key=KEY)
    assert KEY not in f"{provider!r} {provider.config!r} {vars(provider)!r}"
    assert [info.id for info in provider.models()] == [row["id"] for row in data["models"]]
    assert all(standard_tree().get_node(name) is not None for row in data["models"] for name in row["capabilities"])
    assert {row["pricing"]["as_of"] for row in data["models"] if "pricing" in row} <= {data["as_of"]}
