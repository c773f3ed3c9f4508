"""Requests for more embeddings than a vendor takes at once."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from modelmesh.contracts import EMBEDDINGS, FailureClass
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import ProviderError
from modelmesh_cdk import EmbeddingLimit, OpenAICompatibleProvider
from modelmesh_cdk.testing import Script, Upstream
from modelmesh_cdk.testing.upstream import Received


class Limited(OpenAICompatibleProvider):
    id = "test.limited.v1"
    embedding_limit = EmbeddingLimit(inputs=3, tokens=20, source="test", as_of="2026-11-30")


class Unlimited(OpenAICompatibleProvider):
    id = "test.unlimited.v1"


def embed(
    cls: Any, upstream: Upstream, texts: Any, *, in_task: bool = False, limits: Limits | None = None, **payload: Any
) -> Any:
    provider = cls(base_url=upstream.url, api_key="test")
    call = Call(EMBEDDINGS, "test", {"input": texts, **payload})

    async def ask() -> Any:
        try:
            return await provider.asend(call, "m", limits or Limits())
        finally:
            await provider.aclose()

    try:
        return asyncio.run(ask()) if in_task else provider.send(call, "m", limits or Limits())
    finally:
        provider.close()


def vectors(received: Received, *, usage: Any = True, reverse: bool = False, short: bool = False) -> Script:
    """Answer with the length of each text as its vector."""
    rows = [
        {"object": "embedding", "index": place, "embedding": [float(len(text)), 1.0]}
        for place, text in enumerate(received.json["input"])
    ]
    rows = rows[:-1] if short else rows[::-1] if reverse else rows
    told = {"usage": {"prompt_tokens": len(rows), "total_tokens": len(rows)}} if usage is True else {"usage": usage}
    return Script(200, json.dumps({"object": "list", "data": rows, "model": "m", **told}).encode())


def sizes(upstream: Upstream) -> list[int]:
    return [len(received.json["input"]) for received in upstream.received]


@pytest.mark.parametrize("in_task", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_embeddings_above_the_limit_are_split_in_order(upstream: Upstream, in_task: bool, reverse: bool) -> None:
    upstream.always(lambda received: vectors(received, reverse=reverse))
    texts = ["a" * size for size in range(1, 8)]
    answer = embed(Limited, upstream, texts, in_task=in_task)
    assert [(row["index"], row["embedding"][0]) for row in answer.body["data"]] == [(n, n + 1.0) for n in range(7)]
    assert answer.body["usage"] == {"prompt_tokens": 7, "total_tokens": 7}
    assert sizes(upstream) == [3, 3, 1]
    assert any("in parts" in note for note in answer.adapted)


def test_embeddings_within_the_limit_are_one_request(upstream: Upstream) -> None:
    upstream.always(vectors)
    answer = embed(Limited, upstream, ["a", "b", "c"])
    assert sizes(upstream) == [3]
    assert not answer.adapted


@pytest.mark.parametrize("texts", [["a" * 50, "b" * 50], [[1] * 15, [2] * 15]], ids=["text", "tokens"])
def test_tokens_above_the_limit_split_a_request(upstream: Upstream, texts: list[Any]) -> None:
    upstream.always(vectors)
    assert len(embed(Limited, upstream, texts).body["data"]) == 2
    assert sizes(upstream) == [1, 1]


def test_token_list_is_one_input(upstream: Upstream) -> None:
    upstream.always(Script(200, json.dumps({"data": [{"index": 0, "embedding": [1.0]}]}).encode()))
    embed(Limited, upstream, [1, 2, 3, 4, 5])
    assert [received.json["input"] for received in upstream.received] == [[1, 2, 3, 4, 5]]


def test_usage_missing_in_one_part_is_unknown_for_all(upstream: Upstream) -> None:
    upstream.then(vectors).then(lambda received: vectors(received, usage=None))
    assert embed(Limited, upstream, list("abcd")).body["usage"] is None


@pytest.mark.parametrize("in_task", [False, True])
def test_failed_part_fails_the_request(upstream: Upstream, in_task: bool) -> None:
    upstream.then(vectors).then(Script(429, b'{"error": {"message": "slow down"}}', {"retry-after": "7"}))
    with pytest.raises(ProviderError) as caught:
        embed(Limited, upstream, list("abcdef"), in_task=in_task)
    assert (caught.value.failure, caught.value.upstream_delay_s) == (FailureClass.THROTTLE, 7.0)
    assert (caught.value.billed, caught.value.usage) == ("yes", {"prompt_tokens": 3, "total_tokens": 3})


def test_part_with_missing_vectors_raises_protocol_error(upstream: Upstream) -> None:
    upstream.always(lambda received: vectors(received, short=True))
    with pytest.raises(ProviderError) as caught:
        embed(Limited, upstream, list("abcdef"))
    assert caught.value.failure is FailureClass.PROTOCOL
    assert "2 embeddings for 3 inputs" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "words", "expected"),
    [
        (413, '{"error": "batch size 7 > maximum allowed batch size 4", "error_type": "Validation"}', [7, 4, 3]),
        (400, '{"message": "Too many inputs in request, split into more batches."}', [7, 3, 3, 1]),
    ],
)
def test_limit_stated_by_error_is_used_later(upstream: Upstream, status: int, words: str, expected: list[int]) -> None:
    upstream.then(Script(status, words.encode())).always(vectors)
    assert len(embed(Unlimited, upstream, list("abcdefg")).body["data"]) == 7
    assert sizes(upstream) == expected


def test_other_error_does_not_split_the_request(upstream: Upstream) -> None:
    upstream.always(Script(400, b'{"error": {"message": "input 3 is empty"}}'))
    with pytest.raises(ProviderError):
        embed(Unlimited, upstream, list("abcdefg"))
    assert sizes(upstream) == [7]


@pytest.mark.parametrize("in_task", [False, True])
def test_parts_share_one_time_limit(upstream: Upstream, in_task: bool) -> None:
    def slow(received: Received) -> Script:
        made = vectors(received)
        made.delay = 0.3
        return made

    upstream.always(slow)
    with pytest.raises(ProviderError) as caught:
        embed(Limited, upstream, ["a"] * 30, in_task=in_task, limits=Limits(answer=0.5, total=5))
    assert caught.value.failure is FailureClass.TIMEOUT
    assert len(upstream.received) <= 3
