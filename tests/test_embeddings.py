"""Embeddings, through the same mesh as chats."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
from typing import Any

import pytest

import modelmesh
from modelmesh_cdk.testing import Received, Script, Upstream

VECTORS = [[0.1, -0.2, 0.3], [1.0, 0.0, -1.0]]


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


def test_as_the_seed_writes_it(openai: Upstream) -> None:
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
    assert openai.last.json == {"model": "text-embedding-3-small", "input": "Document text here..."}


def test_many_texts_formats_and_dimensions(openai: Upstream) -> None:
    with modelmesh.create("text-embeddings") as client:
        reply = client.embeddings.create(model="text-embeddings", input=["a", "b"], encoding_format="base64", dimensions=3)
    assert [struct.unpack("<3f", base64.b64decode(row.embedding)) for row in reply.data] == [
        pytest.approx(tuple(vector)) for vector in VECTORS
    ]
    assert openai.last.json["dimensions"] == 3


def test_tasks(openai: Upstream) -> None:
    async def main() -> Any:
        async with modelmesh.create_async("text-embeddings") as client:
            return await client.embeddings.create(model="text-embeddings", input="a")

    assert asyncio.run(main()).data[0].embedding == VECTORS[0]


def test_the_official_type_takes_it(openai: Upstream) -> None:
    types = pytest.importorskip("openai.types")
    with modelmesh.create("text-embeddings") as client:
        reply = client.embeddings.create(model="text-embeddings", input="a")
    assert types.CreateEmbeddingResponse.model_validate(reply.model_dump()).data[0].embedding == VECTORS[0]


def test_failover(config: Any, upstream: Upstream, other: Upstream) -> None:
    upstream.always(Script(200, b'{"object": "list", "data": []}'))
    other.always(vectors)
    settings = config(upstream.url, other.url)
    for entry in settings["providers"].values():
        entry["capabilities"] = ["text-embeddings"]
    settings["pools"] = {"text-embeddings": {}}
    with modelmesh.create(config=settings) as client:
        reply = client.embeddings.create(model="text-embeddings", input="a")
    assert reply.provider == "b"
    assert reply.attempts[0].failure == "protocol"


def test_the_wrong_pool(openai: Upstream) -> None:
    with modelmesh.create("chat-completion", "text-embeddings") as client:
        with pytest.raises(modelmesh.BadRequestError, match="serves chat.completions, not embeddings"):
            client.embeddings.create(model="chat-completion", input="a")
        with pytest.raises(modelmesh.BadRequestError, match="serves embeddings, not chat.completions"):
            client.chat.completions.create(model="text-embeddings", messages=[])
        with pytest.raises(modelmesh.BadRequestError, match="needs 'input'"):
            client.embeddings.create(model="text-embeddings")
    assert openai.received == []
