"""xAI on the wire: address, key, body, answers and refusals."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from modelmesh_connector_xai import XAIProvider

from modelmesh.capabilities import standard_tree
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import ProviderError
from modelmesh.operations import CHAT
from modelmesh.routing.classes import FailureClass as F
from modelmesh_cdk.testing import Upstream
from modelmesh_cdk.testing.upstream import chunk, completion, event

MESSAGES = [{"role": "user", "content": "Hello!"}]
KEY = "test-key-of-the-account"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XAI_API_KEY",):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def ask(provider: XAIProvider, /, *, stream: bool = False, **payload: Any) -> Any:
    """Ask once; gives the answer's data, or the chunks of a stream."""
    call = Call(CHAT, "test", {"messages": MESSAGES, **payload}, stream)
    try:
        answer = provider.send(call, "grok-4.7", Limits())
        return list(answer) if stream else answer.body
    finally:
        provider.close()


@pytest.mark.parametrize("written", ["", "/v1", "/v1/"])
def test_the_request(upstream: Upstream, written: str) -> None:
    ask(XAIProvider(base_url=upstream.url + written, api_key=KEY), reasoning_effort="low", deferred=False, of_next_year=[1])
    assert (upstream.last.path, upstream.last.headers["authorization"]) == ("/v1/chat/completions", f"Bearer {KEY}")
    sent = {"model": "grok-4.7", "messages": MESSAGES, "reasoning_effort": "low", "deferred": False, "of_next_year": [1]}
    assert upstream.last.json == sent


def test_a_plain_answer(upstream: Upstream) -> None:
    answer = completion("Hi", reasoning_content="A greeting.") | {"citations": ["https://example.com"]}
    upstream.reply(answer)
    assert ask(XAIProvider(base_url=upstream.url, api_key=KEY)) == answer


def test_a_stream(upstream: Upstream) -> None:
    chunks = [chunk({"reasoning_content": "Hm."}), chunk({"content": "Hi"}), chunk({}, finish="stop", usage={"total_tokens": 5})]
    upstream.stream([*map(event, chunks), event("[DONE]")])
    assert ask(XAIProvider(base_url=upstream.url, api_key=KEY), stream=True) == chunks


INVALID = "Client specified an invalid argument"


@pytest.mark.parametrize(
    ("status", "code", "said", "failure"),
    [
        (400, INVALID, "Incorrect API key provided: te***st.", F.CREDENTIAL),
        (400, INVALID, "This model's maximum prompt length is 500000 but the request contains 500001 tokens.", F.CAPABILITY),
        (400, INVALID, "Model grok-4.7 does not support parameter presencePenalty.", F.CAPABILITY),
        (400, INVALID, "Argument not supported on this model: stop", F.CAPABILITY),
        (400, INVALID, "Each message must have at least one content element.", F.CALLER),
        (401, "Unauthenticated", "no authorization header", F.CREDENTIAL),
        (403, "permission-denied", "Your newly created team doesn't have any credits yet.", F.QUOTA),
        (403, "permission-denied", "Content violates usage guidelines.", F.POLICY),
        (403, "permission-denied", "this key may not use the model", F.PERMISSION),
        (404, "Some requested entity was not found", "The model nobodys does not exist", F.NOT_FOUND),
        (429, "Some resource has been exhausted", "used all available credits or reached its monthly spending limit", F.QUOTA),
        (429, "Some resource has been exhausted", "Too many requests", F.THROTTLE),
    ],
)
def test_refusals(upstream: Upstream, status: int, code: str, said: str, failure: F) -> None:
    upstream.reply({"code": code, "error": said}, status)
    with pytest.raises(ProviderError) as caught:
        ask(XAIProvider(base_url=upstream.url, api_key=KEY))
    assert (caught.value.failure, caught.value.code) == (failure, code)


def test_id_variables_and_catalogue_agree() -> None:
    points = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    named = "modelmesh_connector_xai:XAIProvider"
    assert points["modelmesh.providers"] == {XAIProvider.id: named} == {"xai.grok.v1": named}
    assert points["modelmesh.autodetect"] == dict.fromkeys(["XAI_API_KEY"], named)
    data = json.loads(files("modelmesh_connector_xai").joinpath("models.json").read_text("utf-8"))
    assert date.fromisoformat(data["as_of"])
    assert data["source"]
    provider = XAIProvider(api_key=KEY)
    assert KEY not in f"{provider!r} {provider.config!r} {vars(provider)!r}"
    assert [info.id for info in provider.models()] == [row["id"] for row in data["models"]]
    assert all(standard_tree().get_node(name) is not None for row in data["models"] for name in row["capabilities"])
    assert {row["pricing"]["as_of"] for row in data["models"] if "pricing" in row} <= {data["as_of"]}
