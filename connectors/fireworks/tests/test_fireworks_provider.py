"""Fireworks AI on the wire: address, key, body, answers and refusals."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from modelmesh_connector_fireworks import FireworksProvider

from modelmesh.capabilities import standard_tree
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import ProviderError
from modelmesh.operations import CHAT
from modelmesh.routing.classes import FailureClass as F
from modelmesh_cdk.testing import Upstream
from modelmesh_cdk.testing.upstream import chunk, completion, event

MESSAGES = [{"role": "user", "content": "Hello!"}]
KEY = "test-key-of-the-account"
MODEL = "accounts/fireworks/models/gpt-oss-120b"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIREWORKS_API_KEY", "FIREWORKS_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def ask(provider: FireworksProvider, /, *, stream: bool = False, **payload: Any) -> Any:
    """Ask once; gives the answer's data, or the chunks of a stream."""
    call = Call(CHAT, "test", {"messages": MESSAGES, **payload}, stream)
    try:
        answer = provider.send(call, MODEL, Limits())
        return list(answer) if stream else answer.body
    finally:
        provider.close()


@pytest.mark.parametrize(
    ("written", "path"),
    [("", "/inference/v1"), ("/v1/", "/v1"), ("/inference/", "/inference/v1"), ("/inference/v1", "/inference/v1")],
)
def test_the_request(upstream: Upstream, monkeypatch: pytest.MonkeyPatch, written: str, path: str) -> None:
    monkeypatch.setenv("FIREWORKS_BASE_URL", upstream.url + written)
    ask(FireworksProvider(api_key=KEY), reasoning_effort="low", of_next_year=[1])
    assert (upstream.last.path, upstream.last.headers["authorization"]) == (f"{path}/chat/completions", f"Bearer {KEY}")
    assert upstream.last.json == {"model": MODEL, "messages": MESSAGES, "reasoning_effort": "low", "of_next_year": [1]}


@pytest.mark.parametrize("path", ["", "/", "/v1", "/inference", "/inference/", "/inference/v1"])
def test_its_own_address_has_its_path_however_it_is_written(path: str) -> None:
    provider = FireworksProvider(base_url=f"https://api.fireworks.ai{path}", api_key=KEY)
    endpoint = "https://api.fireworks.ai/inference/v1/chat/completions"
    assert provider._get_completion_endpoint() == FireworksProvider(api_key=KEY)._get_completion_endpoint() == endpoint


def test_a_plain_answer(upstream: Upstream) -> None:
    answer = completion("Hi", reasoning_content="A greeting.") | {"perf_metrics": {"prompt-tokens": 5}}
    upstream.reply(answer)
    assert ask(FireworksProvider(base_url=upstream.url, api_key=KEY)) == answer


def test_a_stream(upstream: Upstream) -> None:
    chunks = [chunk({"reasoning_content": "Hm."}), chunk({"content": "Hi"}), chunk({}, finish="stop", usage={"total_tokens": 5})]
    upstream.stream([*map(event, chunks), event("[DONE]")])
    assert ask(FireworksProvider(base_url=upstream.url, api_key=KEY), stream=True) == chunks


@pytest.mark.parametrize(
    ("status", "said", "failure"),
    [
        (400, "The prompt is too long: 131073, model maximum context length: 131072", F.CAPABILITY),
        (400, "malformed request", F.CALLER),
        (401, "unauthorized", F.CREDENTIAL),
        (402, "payment required", F.QUOTA),
        (404, "Model not found, inaccessible, and/or not deployed", F.NOT_FOUND),
        (412, "Account test is suspended, possibly due to reaching the monthly spending limit", F.QUOTA),
        (412, "the model failed to load", F.PERMISSION),
        (429, "rate limit", F.THROTTLE),
        (503, "overloaded", F.SERVER),
    ],
)
def test_refusals(upstream: Upstream, status: int, said: str, failure: F) -> None:
    upstream.reply({"error": {"object": "error", "type": "invalid_request_error", "message": said}}, status)
    with pytest.raises(ProviderError) as caught:
        ask(FireworksProvider(base_url=upstream.url, api_key=KEY))
    assert caught.value.failure is failure


def test_id_variables_and_catalogue_agree() -> None:
    points = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    named = "modelmesh_connector_fireworks:FireworksProvider"
    assert points["modelmesh.providers"] == {FireworksProvider.id: named} == {"fireworks.api.v1": named}
    assert points["modelmesh.autodetect"] == dict.fromkeys(["FIREWORKS_API_KEY"], named)
    data = json.loads(files("modelmesh_connector_fireworks").joinpath("models.json").read_text("utf-8"))
    assert date.fromisoformat(data["as_of"])
    assert data["source"]
    provider = FireworksProvider(api_key=KEY)
    assert KEY not in f"{provider!r} {provider.config!r} {vars(provider)!r}"
    assert [info.id for info in provider.models()] == [row["id"] for row in data["models"]]
    assert all(standard_tree().get_node(name) is not None for row in data["models"] for name in row["capabilities"])
    assert {row["pricing"]["as_of"] for row in data["models"] if "pricing" in row} <= {data["as_of"]}
