"""Embeddings, through the same mesh as chats."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
from typing import Any

import pytest

import modelmesh
from modelmesh_cdk.provider import exchange
from modelmesh_cdk.testing import Received, Script, Upstream

VECTORS = [[0.125, -0.25, 0.5], [1.0, 0.0, -1.0]]
"""Values that a 32-bit float represents exactly."""


def vectors(request: Received) -> Script:
    asked = request.json
    texts = [asked["input"]] if isinstance(asked["input"], str) else asked["input"]
    packed = asked.get("encoding_format") == "base64"
    rows = [
        {
            "object": "embedding",
            "index": n,
            "embedding": base64.b64encode(struct.pack("<3f", *VECTORS[n])).decode() if packed else VECTORS[n],
        }
        for n, _ in enumerate(texts)
    ]
    usage = {"prompt_tokens": 1000, "total_tokens": 1000}
    return Script(
        body=json.dumps({"object": "list", "data": rows, "model": "vendor-name", "usage": usage, "x_vendor": 1}).encode()
    )


@pytest.fixture
def openai(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> Upstream:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("OPENAI_BASE_URL", upstream.url)
    return upstream.always(vectors)


def test_embeddings_example_of_the_seed_runs(openai: Upstream) -> None:
    with modelmesh.create("chat-completion", "text-embeddings", providers=["openai"]) as client:
        emb = client.embeddings.create(
            model="text-embeddings",
            input="Document text here...",
        )
        vector = emb.data[0].embedding
        assert client.usage.total_cost == pytest.approx(0.00002)
    assert vector == VECTORS[0]
    assert emb.model == "text-embedding-3-small"
    assert emb.x_vendor == 1
    assert openai.last.path == "/v1/embeddings"
    assert openai.last.json == {
        "model": "text-embedding-3-small",
        "input": "Document text here...",
        "encoding_format": "base64",  # smaller, and unpacked for the caller
    }


def test_embeddings_formats_and_dimensions(openai: Upstream) -> None:
    with modelmesh.create("text-embeddings") as client:
        reply = client.embeddings.create(model="text-embeddings", input=["a", "b"], encoding_format="base64", dimensions=3)
    assert [struct.unpack("<3f", base64.b64decode(row.embedding)) for row in reply.data] == [
        pytest.approx(tuple(vector)) for vector in VECTORS
    ]
    assert openai.last.json["dimensions"] == 3


def test_embeddings_of_the_largest_request_are_lists(openai: Upstream) -> None:
    """The largest request of OpenAI: 2,048 inputs and 3,072 dimensions, 32 MiB of base64."""
    vector = struct.pack("<3072f", *(place / 4096 for place in range(3072)))
    row = b'{"object":"embedding","index":%d,"embedding":"' + base64.b64encode(vector) + b'"}'
    rows = b",".join(row % place for place in reversed(range(2048)))
    openai.always(Script(200, b'{"object":"list","model":"m","usage":{"prompt_tokens":4096},"data":[' + rows + b"]}"))
    with modelmesh.create("text-embeddings") as client:
        reply = client.embeddings.create(model="text-embeddings", input=["two words"] * 2048)
    assert [row.index for row in reply.data] == list(range(2048))
    first, last = reply.data[0].embedding, reply.data[-1].embedding
    assert first == last == [place / 4096 for place in range(3072)]
    assert {type(number) for number in last} == {float}
    assert openai.last.json["encoding_format"] == "base64"
    assert len(openai.received) == 1


def test_embeddings_above_the_size_limit_fail_at_one_vendor_and_leave_it_available(
    config: Any, upstream: Upstream, other: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer would be as large at every vendor: the request ends, and no circuit breaker opens."""
    monkeypatch.setattr(exchange, "LARGE_BODY", 1024 * 1024)
    upstream.always(Script(200, b'{"data": "' + b"A" * 2_000_000 + b'"}'))
    other.always(vectors)
    with modelmesh.create(config=accounts(config, upstream, other, "model-a", "model-a")) as client:
        for _ in range(4):
            with pytest.raises(
                modelmesh.ResponseTooLargeError, match="response to 2 inputs.*longer than 1 MiB.*fewer inputs"
            ) as caught:
                client.embeddings.create(model="text-embeddings", input=["a", "b"])
            assert not caught.value.retryable
        assert client.explain("text-embeddings").selected_provider == "a"
        assert other.received == []
        upstream.always(vectors)
        assert client.embeddings.create(model="text-embeddings", input=["a", "b"]).provider == "a"


def test_embeddings_of_one_input_above_the_size_limit_are_a_failure_of_the_vendor(
    config: Any, upstream: Upstream, other: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "LARGE_BODY", 1024 * 1024)
    upstream.always(Script(200, b'{"data": "' + b"A" * 2_000_000 + b'"}'))
    other.always(vectors)
    with modelmesh.create(config=accounts(config, upstream, other, "model-a", "model-a")) as client:
        reply = client.embeddings.create(model="text-embeddings", input="a")
    assert (reply.provider, reply.attempts[0].failure) == ("b", "protocol")


def test_embeddings_are_those_of_the_official_client(openai: Upstream) -> None:
    official = pytest.importorskip("openai")
    openai.always(packed_tenths)
    theirs = official.OpenAI(api_key="sk-test", base_url=f"{openai.url}/v1").embeddings.create(model="m", input="a")
    with modelmesh.create("text-embeddings") as client:
        for asked in ({}, {"encoding_format": "float"}):
            ours = client.embeddings.create(model="text-embeddings", input="a", **asked)
            assert ours.data[0].embedding == theirs.data[0].embedding  # 32-bit floats, as Python numbers
        base = client.embeddings.create(model="text-embeddings", input="a", encoding_format="base64")
    assert base.data[0].embedding == base64.b64encode(struct.pack("<2f", 0.1, -0.2)).decode()


def packed_tenths(request: Received) -> Script:
    """Answer as OpenAI does: base64 where asked, else numbers of the same values."""
    vector = struct.pack("<2f", 0.1, -0.2)
    packed = request.json.get("encoding_format") == "base64"
    embedding = base64.b64encode(vector).decode() if packed else struct.unpack("<2f", vector)
    rows = [{"object": "embedding", "index": 0, "embedding": embedding}]
    return Script(body=json.dumps({"object": "list", "data": rows, "model": "m", "usage": {"prompt_tokens": 1}}).encode())


def test_embeddings_async_client_answers(openai: Upstream) -> None:
    async def main() -> Any:
        async with modelmesh.create_async("text-embeddings") as client:
            return await client.embeddings.create(model="text-embeddings", input="a")

    assert asyncio.run(main()).data[0].embedding == VECTORS[0]


def test_embeddings_reply_fits_the_official_type(openai: Upstream) -> None:
    types = pytest.importorskip("openai.types")
    with modelmesh.create("text-embeddings") as client:
        reply = client.embeddings.create(model="text-embeddings", input="a")
    assert types.CreateEmbeddingResponse.model_validate(reply.model_dump()).data[0].embedding == VECTORS[0]


def accounts(config: Any, first: Upstream, second: Upstream, *models: str) -> dict[str, Any]:
    """Return the configuration of two accounts, each with one embedding model."""
    settings: dict[str, Any] = config(first.url, second.url)
    for entry, model in zip(settings["providers"].values(), models, strict=True):
        entry |= {"capabilities": ["text-embeddings"], "models": [model]}
    settings["pools"] = {"text-embeddings": {}}
    return settings


def test_embeddings_failover_to_the_same_model(config: Any, upstream: Upstream, other: Upstream) -> None:
    upstream.always(Script(200, b'{"object": "list", "data": []}'))
    other.always(vectors)
    with modelmesh.create(config=accounts(config, upstream, other, "model-a", "model-a")) as client:
        reply = client.embeddings.create(model="text-embeddings", input="a")
    assert reply.provider == "b"
    assert reply.attempts[0].failure == "protocol"


def test_embeddings_no_failover_to_another_model(config: Any, upstream: Upstream, other: Upstream) -> None:
    upstream.always(Script(500))
    other.always(vectors)
    with (
        modelmesh.create(config=accounts(config, upstream, other, "model-a", "model-b")) as client,
        pytest.raises(modelmesh.AllProvidersExhaustedError, match=r"list them under pools\.text-embeddings\.models"),
    ):
        client.embeddings.create(model="text-embeddings", input="a")
    assert other.received == []


def test_embeddings_failover_to_a_listed_model(config: Any, upstream: Upstream, other: Upstream) -> None:
    upstream.always(Script(500))
    other.always(vectors)
    settings = accounts(config, upstream, other, "model-a", "model-b")
    settings["pools"]["text-embeddings"]["models"] = ["model-a", "model-b"]
    with modelmesh.create(config=settings) as client:
        assert client.embeddings.create(model="text-embeddings", input="a").provider == "b"


@pytest.mark.parametrize("strategy", ["stick-until-failure", "round-robin", "cost-first"])
def test_embeddings_strategies_keep_the_vector_space(config: Any, upstream: Upstream, other: Upstream, strategy: str) -> None:
    upstream.always(vectors)
    other.always(vectors)
    settings = accounts(config, upstream, other, "model-a", "model-b")
    settings["pools"]["text-embeddings"]["strategy"] = strategy
    with modelmesh.create(config=settings) as client:
        assert {client.embeddings.create(model="text-embeddings", input="a").provider for _ in range(4)} == {"a"}
        with pytest.raises(modelmesh.NoActiveModelError):
            client.rotate("text-embeddings")
        assert client.embeddings.create(model="model-b", input="a").provider == "b"  # by its own name


def test_embeddings_shipped_catalogues_use_the_first_model(openai: Upstream, other: Upstream) -> None:
    openai.always(Script(503))
    other.always(vectors)
    providers = {
        "openai": {"connector": "openai.llm.v1"},
        "mistral": {"connector": "mistral.api.v1", "api_key": "sk-test", "base_url": other.url},
        "openrouter": {"connector": "openrouter.gateway.v1", "api_key": "sk-test", "base_url": other.url},
    }
    with modelmesh.create(config={"providers": providers, "pools": {"text-embeddings": {}}}) as client:
        reply = client.embeddings.create(model="text-embeddings", input="a")
    assert {received.json["model"] for received in openai.received} == {"text-embedding-3-small"}
    assert (reply.provider, other.last.json["model"]) == ("openrouter", "openai/text-embedding-3-small")


def test_embeddings_above_the_batch_limit_are_split(config: Any, upstream: Upstream) -> None:
    def lengths(request: Received) -> Script:
        texts = request.json["input"]
        assert len(texts) <= 2048
        rows = [{"object": "embedding", "index": n, "embedding": [float(len(text))]} for n, text in enumerate(texts)]
        return Script(200, json.dumps({"object": "list", "data": rows[::-1], "model": "m"}).encode())

    upstream.always(lengths)
    settings = config(upstream.url)
    settings["providers"]["a"] |= {"capabilities": ["text-embeddings"]}
    settings["pools"] = {"text-embeddings": {}}
    with modelmesh.create(config=settings) as client:
        reply = client.embeddings.create(model="text-embeddings", input=["a" * (n % 7) + "b" for n in range(3000)])
    assert [row.embedding[0] for row in reply.data] == [n % 7 + 1 for n in range(3000)]
    assert any("in parts" in note for note in reply.attempts[-1].adapted)


def test_embeddings_in_a_chat_pool_raise(openai: Upstream) -> None:
    with modelmesh.create("chat-completion", "text-embeddings") as client:
        with pytest.raises(modelmesh.BadRequestError, match="serves chat.completions, not embeddings"):
            client.embeddings.create(model="chat-completion", input="a")
        with pytest.raises(modelmesh.BadRequestError, match="serves embeddings, not chat.completions"):
            client.chat.completions.create(model="text-embeddings", messages=[])
        with pytest.raises(modelmesh.BadRequestError, match="needs 'input'"):
            client.embeddings.create(model="text-embeddings")
    assert openai.received == []
