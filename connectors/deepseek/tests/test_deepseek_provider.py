"""DeepSeek on the wire: address, key, body, answers and refusals."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from modelmesh_connector_deepseek import DeepSeekProvider

from modelmesh.capabilities import standard_tree
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import ProviderError
from modelmesh.operations import CHAT
from modelmesh.routing.classes import FailureClass as F
from modelmesh_cdk.testing import Upstream
from modelmesh_cdk.testing.upstream import Script, chunk, completion, event

MESSAGES = [{"role": "user", "content": "Hello!"}]
KEY = "test-key-of-the-account"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DEEPSEEK_API_KEY",):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def ask(provider: DeepSeekProvider, /, *, stream: bool = False, **payload: Any) -> Any:
    """Ask once; gives the answer's data, or the chunks of a stream."""
    call = Call(CHAT, "test", {"messages": MESSAGES, **payload}, stream)
    try:
        answer = provider.send(call, "deepseek-flash", Limits())
        return list(answer) if stream else answer.body
    finally:
        provider.close()


@pytest.mark.parametrize("written", ["", "/", "/v1", "/v1/"])
def test_the_request(upstream: Upstream, written: str) -> None:
    ask(DeepSeekProvider(base_url=upstream.url + written, api_key=KEY), thinking={"type": "disabled"}, of_next_year=[1])
    assert (upstream.last.path, upstream.last.headers["authorization"]) == ("/v1/chat/completions", f"Bearer {KEY}")
    sent = {"model": "deepseek-flash", "messages": MESSAGES, "thinking": {"type": "disabled"}, "of_next_year": [1]}
    assert upstream.last.json == sent


@pytest.mark.parametrize(
    ("written", "root"), [("", ""), ("https://api.deepseek.com/v1/", ""), ("https://api.deepseek.com/beta", "/beta")]
)
def test_its_own_paths_have_no_version(written: str, root: str) -> None:
    provider = DeepSeekProvider(base_url=written, api_key=KEY)
    assert provider._get_completion_endpoint() == f"https://api.deepseek.com{root}/chat/completions"


def test_a_plain_answer_behind_keep_alives(upstream: Upstream) -> None:
    answer = completion("Hi", reasoning_content="A greeting.") | {"prompt_cache_hit_tokens": 3}
    upstream.then(Script(body=b"\n\n\n" + json.dumps(answer).encode()))
    assert ask(DeepSeekProvider(base_url=upstream.url, api_key=KEY)) == answer


def test_a_stream_behind_keep_alives(upstream: Upstream) -> None:
    chunks = [chunk({"reasoning_content": "Hm."}), chunk({"content": "Hi"}), chunk({}, finish="stop", usage={"total_tokens": 5})]
    upstream.stream([b": keep-alive\n\n", *map(event, chunks), event("[DONE]")])
    assert ask(DeepSeekProvider(base_url=upstream.url, api_key=KEY), stream=True) == chunks
    assert upstream.last.json["stream"] is True


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_cut_for_want_of_machines_is_a_failure(upstream: Upstream, stream: bool) -> None:
    cut = "insufficient_system_resource"
    if stream:
        upstream.stream([event(chunk({"content": "Half an"})), event(chunk({}, finish=cut)), event("[DONE]")])
    else:
        answer = completion("Half an")
        answer["choices"][0]["finish_reason"] = cut
        upstream.reply(answer)
    with pytest.raises(ProviderError) as caught:
        ask(DeepSeekProvider(base_url=upstream.url, api_key=KEY), stream=stream)
    assert caught.value.failure is F.SERVER


@pytest.mark.parametrize(
    ("status", "said", "failure"),
    [
        (400, "This model's maximum context length is 1000000 tokens. However, you requested 1000001 tokens", F.CAPABILITY),
        (400, "Invalid format", F.CALLER),
        (401, "Authentication Fails (no such user)", F.CREDENTIAL),
        (402, "Insufficient Balance", F.QUOTA),
        (422, "invalid parameters", F.CALLER),
        (429, "Rate Limit Reached", F.THROTTLE),
        (503, "Server Overloaded", F.SERVER),
    ],
)
def test_refusals(upstream: Upstream, status: int, said: str, failure: F) -> None:
    upstream.reply({"error": {"message": said, "type": "unknown_error", "param": None, "code": "invalid_request_error"}}, status)
    with pytest.raises(ProviderError) as caught:
        ask(DeepSeekProvider(base_url=upstream.url, api_key=KEY))
    assert caught.value.failure is failure


def test_id_variables_and_catalogue_agree() -> None:
    points = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    named = "modelmesh_connector_deepseek:DeepSeekProvider"
    assert points["modelmesh.providers"] == {DeepSeekProvider.id: named} == {"deepseek.api.v1": named}
    assert points["modelmesh.autodetect"] == dict.fromkeys(["DEEPSEEK_API_KEY"], named)
    data = json.loads(files("modelmesh_connector_deepseek").joinpath("models.json").read_text("utf-8"))
    assert date.fromisoformat(data["as_of"])
    assert data["source"]
    provider = DeepSeekProvider(api_key=KEY)
    assert KEY not in f"{provider!r} {provider.config!r} {vars(provider)!r}"
    assert [info.id for info in provider.models()] == [row["id"] for row in data["models"]]
    assert all(standard_tree().get_node(name) is not None for row in data["models"] for name in row["capabilities"])
    assert {row["pricing"]["as_of"] for row in data["models"] if "pricing" in row} <= {data["as_of"]}
