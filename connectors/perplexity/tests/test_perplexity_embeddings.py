"""Perplexity's embeddings: encodings, token input and unsupported parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from modelmesh_connector_perplexity import PerplexityProvider

from modelmesh.contracts import EMBEDDINGS
from modelmesh.contracts import FailureClass as F
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import ProviderError
from modelmesh_cdk.testing import Upstream

MODEL = "pplx-embed-v1-4b"


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


def embed(upstream: Upstream, vectors: Any, **payload: Any) -> Any:
    usage = {"prompt_tokens": 3, "total_tokens": 3, "cost": {"currency": "USD", "total_cost": 9e-08}}
    upstream.reply({"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": vectors}], "usage": usage})
    provider = PerplexityProvider(base_url=upstream.url, api_key="test")
    try:
        return provider.send(Call(EMBEDDINGS, "test", {"input": "a", **payload}), MODEL, Limits())
    finally:
        provider.close()


def test_embeddings_8_bit_integers_become_floats(upstream: Upstream) -> None:
    answer = embed(upstream, "gAB//w==", user="someone")
    assert answer.body["data"][0]["embedding"] == [-128.0, 0.0, 127.0, -1.0]
    assert answer.body["usage"]["cost"]["total_cost"] == 9e-08
    assert upstream.last.json == {"model": MODEL, "input": "a"}
    assert [line.partition(":")[0] for line in answer.adapted] == ["user dropped"]


@pytest.mark.parametrize("form", ["base64_int8", "base64_binary"])
def test_embeddings_own_encoding_is_unchanged(upstream: Upstream, form: str) -> None:
    answer = embed(upstream, "gAB//w==", encoding_format=form)
    assert answer.body["data"][0]["embedding"] == "gAB//w=="
    assert upstream.last.json["encoding_format"] == form


def test_embeddings_invalid_base64_is_protocol_failure(upstream: Upstream) -> None:
    with pytest.raises(ProviderError) as caught:
        embed(upstream, "not base64!")
    assert caught.value.failure is F.PROTOCOL


@pytest.mark.parametrize("body", [{"object": "list"}, {"data": None}])
def test_embeddings_without_vectors_are_protocol_failure(upstream: Upstream, body: dict[str, Any]) -> None:
    upstream.reply(body)
    provider = PerplexityProvider(base_url=upstream.url, api_key="test")
    with pytest.raises(ProviderError) as caught:
        provider.send(Call(EMBEDDINGS, "test", {"input": "a"}), MODEL, Limits())
    provider.close()
    assert caught.value.failure is F.PROTOCOL
