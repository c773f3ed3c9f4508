"""Servers that only know lists of numbers, and callers who asked for base64."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from modelmesh.contracts import EMBEDDINGS, FailureClass
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import ProviderError
from modelmesh_cdk import OpenAICompatibleProvider
from modelmesh_cdk.testing import Upstream
from modelmesh_cdk.testing.dialects.shape import unpacked


class Provider(OpenAICompatibleProvider):
    id = "test.vectors.v1"


def embed(upstream: Upstream, form: str | None, *, in_task: bool) -> Any:
    provider = Provider(base_url=upstream.url, api_key="test")
    call = Call(EMBEDDINGS, "test", {"input": ["a"], **({"encoding_format": form} if form else {})})

    async def ask() -> Any:
        try:
            return await provider.asend(call, "m", Limits())
        finally:
            await provider.aclose()

    try:
        return (asyncio.run(ask()) if in_task else provider.send(call, "m", Limits())).body["data"][0]["embedding"]
    finally:
        provider.close()


def answered(embedding: Any) -> dict[str, Any]:
    return {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": embedding}], "model": "m"}


@pytest.mark.parametrize("in_task", [False, True])
def test_vectors_are_packed_if_base64_is_requested(upstream: Upstream, in_task: bool) -> None:
    upstream.reply(answered([0.5, -1, 0]))
    found = embed(upstream, "base64", in_task=in_task)
    assert isinstance(found, str)
    assert unpacked(found) == [0.5, -1.0, 0.0]


@pytest.mark.parametrize(
    ("form", "sent"), [(None, [0.5, -1]), ("float", []), ("base64", "AAAAPw=="), ("int8", [1]), (None, "AAAAPw==")]
)
def test_other_embeddings_are_unchanged(upstream: Upstream, form: str | None, sent: Any) -> None:
    upstream.reply(answered(sent))
    assert embed(upstream, form, in_task=False) == sent


@pytest.mark.parametrize("wrong", [[["a"]], ["0.5"], [1e300]])
def test_invalid_vector_raises_protocol_error(upstream: Upstream, wrong: list[Any]) -> None:
    upstream.reply(answered(wrong))
    with pytest.raises(ProviderError) as caught:
        embed(upstream, "base64", in_task=False)
    assert caught.value.failure is FailureClass.PROTOCOL
