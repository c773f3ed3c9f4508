"""Embeddings in two encodings: servers that only return numbers, and base64 that only the kit asked for."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from modelmesh.contracts import EMBEDDINGS, FailureClass
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import ProviderError
from modelmesh_cdk import OpenAICompatibleProvider
from modelmesh_cdk.provider.vectors import pack_base64, unpack_base64
from modelmesh_cdk.testing import Script, Upstream
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


# -- base64 that only the kit asks for -----------------------------------------------------------------------------------


class Packing(Provider):
    requests_base64_embeddings = True


class Measuring(Packing):
    """Counts the bytes of Python objects while an answer is converted."""

    def _parse_response(self, data: dict[str, Any]) -> dict[str, Any]:
        self.traced = tracemalloc.get_traced_memory()[0]
        return super()._parse_response(data)


@pytest.mark.parametrize("in_task", [False, True])
def test_body_is_freed_before_vectors_are_unpacked(upstream: Upstream, in_task: bool) -> None:
    packed = pack_base64([0.5] * 300_000)
    upstream.reply(answered(packed))
    provider = Measuring(base_url=upstream.url, api_key="test")
    call = Call(EMBEDDINGS, "test", {"input": ["a"]})

    async def ask() -> None:
        await provider.asend(call, "m", Limits())
        await provider.aclose()

    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        _ = asyncio.run(ask()) if in_task else provider.send(call, "m", Limits())
    finally:
        tracemalloc.stop()
        provider.close()
    assert provider.traced - before < 1.9 * len(packed)  # the text of the vector, without the body that contained it


HALF = "AAAAPwAAgL8="  # 0.5 and -1 as little-endian 32-bit floats
REFUSED = Script(400, b'{"error": {"message": "encoding_format: only float is supported"}}')


@pytest.fixture
def packing(upstream: Upstream) -> Iterator[Callable[..., Any]]:
    """Return a function that sends a request with a provider that asks for base64, and returns the vector."""
    with contextlib.closing(Packing(base_url=upstream.url, api_key="test")) as provider:

        def send(**payload: Any) -> Any:
            call = Call(EMBEDDINGS, "test", {"input": ["a"], **payload})
            return provider.send(call, "m", Limits()).body["data"][0]["embedding"]

        yield send


def formats(upstream: Upstream) -> list[str | None]:
    return [received.json.get("encoding_format") for received in upstream.received]


@pytest.mark.parametrize("given", [{}, {"encoding_format": None}, {"dimensions": 2, "user": "u"}])
@pytest.mark.parametrize("sent", [HALF, [0.5, -1]], ids=["base64", "numbers"])
def test_base64_is_unpacked(upstream: Upstream, packing: Any, given: dict[str, Any], sent: Any) -> None:
    upstream.reply(answered(sent)).reply(answered(sent))
    assert packing(**given) == [0.5, -1.0]
    assert packing(**given) == [0.5, -1.0]
    assert formats(upstream) == ["base64"] * 2


def test_base64_values_are_those_of_the_bytes_on_every_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert unpack_base64(HALF) == [0.5, -1.0]
    monkeypatch.setattr("sys.byteorder", "big" if sys.byteorder == "little" else "little")
    assert unpack_base64(HALF) != [0.5, -1.0]  # swapped, as the machine is said to have the other order


def test_base64_of_the_caller_is_unchanged(upstream: Upstream, packing: Any) -> None:
    upstream.reply(answered(HALF))
    assert packing(encoding_format="base64") == HALF


@pytest.mark.parametrize(
    "given",
    [{"output_dtype": "int8"}, {"encoding_format": "int8"}, {"embed_dtype": "float16"}, {"encoding_format": "float"}],
)
def test_base64_is_not_requested_beside_other_parameters(upstream: Upstream, packing: Any, given: dict[str, Any]) -> None:
    upstream.reply(answered([1, 2]))
    assert packing(**given) == [1, 2]
    assert upstream.last.json == {"model": "m", "input": ["a"], **given}


@pytest.mark.parametrize(
    "refusal",
    [
        REFUSED,
        Script(422, b'{"detail": [{"loc": ["body", "encoding_format"]}]}'),
        Script(400, b'{"object": "error", "message": "base64 encoding is not currently supported"}'),
        Script(200, json.dumps({"object": "list", "data": [], "model": "m"}).encode()),
        Script(200, json.dumps(answered("not base64!")).encode()),
        Script(200, json.dumps(answered("AAA=")).encode()),
    ],
    ids=["400", "422", "vLLM", "empty", "text", "cut"],
)
def test_base64_that_is_refused_is_not_requested_again(upstream: Upstream, packing: Any, refusal: Any) -> None:
    upstream.then(refusal).reply(answered([0.5, -1])).reply(answered([0.5, -1]))
    assert packing() == [0.5, -1]
    assert packing() == [0.5, -1]
    assert formats(upstream) == ["base64", None, None]


def test_base64_refusal_of_another_cause_is_not_repeated(upstream: Upstream, packing: Any) -> None:
    upstream.then(Script(400, b'{"error": {"message": "input is too long"}}')).reply(answered(HALF))
    with pytest.raises(ProviderError):
        packing()
    assert packing() == [0.5, -1]
    assert formats(upstream) == ["base64"] * 2


def test_base64_refusal_is_forgotten_if_the_second_request_fails(upstream: Upstream, packing: Any) -> None:
    upstream.then(REFUSED).then(Script(500)).reply(answered(HALF))
    with pytest.raises(ProviderError):
        packing()
    assert packing() == [0.5, -1]
    assert formats(upstream) == ["base64", None, "base64"]


def test_base64_of_a_proven_server_is_not_repeated_for_an_unreadable_answer(upstream: Upstream, packing: Any) -> None:
    upstream.reply(answered(HALF)).reply(answered("AAA=")).then(REFUSED).reply(answered([1.0]))
    assert packing() == [0.5, -1]
    with pytest.raises(ProviderError, match="not base64 of 32-bit floats") as caught:
        packing()
    assert caught.value.failure is FailureClass.PROTOCOL
    assert packing() == [1.0]  # a refusal that names the parameter is always honoured
    assert formats(upstream) == ["base64"] * 3 + [None]
