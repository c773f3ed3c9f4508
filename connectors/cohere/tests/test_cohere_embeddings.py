"""Embeddings: OpenAI's request at Cohere's ``/v2/embed``, and its answer in OpenAI's format."""

from __future__ import annotations

import base64
import copy
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from modelmesh_connector_cohere import CohereProvider
from modelmesh_connector_cohere.embeddings import packed

import modelmesh
from modelmesh.errors import ProviderError

META = {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 7}}
ADDED = "input_type 'search_document' added (option input_type): Cohere requires one"


def vectors(*rows: list[float], meta: Any = META, **kinds: Any) -> dict[str, Any]:
    return {
        "id": "54910170-test",
        "texts": ["x"] * len(rows),
        "embeddings": {**({"float": list(rows)} if rows else {}), **kinds},
        "meta": meta,
        "response_type": "embeddings_by_type",
    }


SENT = {"model": "command-a-03-2025", "texts": ["a"], "input_type": "search_document", "embedding_types": ["float"]}
REQUESTS: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "text": ({"input": "a"}, SENT, [ADDED]),
    "texts": ({"input": ["a"]}, SENT, [ADDED]),
    "float": ({"input": "a", "encoding_format": "float"}, SENT, [ADDED]),
    "base64": ({"input": "a", "encoding_format": "base64"}, SENT, [ADDED]),
    "int8": ({"input": "a", "encoding_format": "int8"}, {**SENT, "embedding_types": ["int8"]}, [ADDED]),
    "dimensions": (
        {"input": "a", "dimensions": 256},
        {**SENT, "output_dimension": 256},
        ["dimensions sent as output_dimension", ADDED],
    ),
    "its own dimension": ({"input": "a", "output_dimension": 256}, {**SENT, "output_dimension": 256}, [ADDED]),
    "input type": ({"input": "a", "input_type": "search_query"}, {**SENT, "input_type": "search_query"}, []),
    "user": ({"input": "a", "user": "u"}, SENT, ["user dropped: Cohere has no such parameter", ADDED]),
    "its own": (
        {"input": "a", "input_type": "clustering", "truncate": "END", "max_tokens": 9, "of_tomorrow": 0},
        {**SENT, "input_type": "clustering", "truncate": "END", "max_tokens": 9, "of_tomorrow": 0},
        [],
    ),
    "images": (
        {"images": ["data:image/png;base64,AA=="]},
        {
            "model": "command-a-03-2025",
            "images": ["data:image/png;base64,AA=="],
            "input_type": "image",
            "embedding_types": ["float"],
        },
        [ADDED.replace("search_document", "image")],
    ),
    "inputs": (
        {"inputs": [{"content": [{"type": "text", "text": "a"}]}], "input_type": "search_document"},
        {
            "model": "command-a-03-2025",
            "inputs": [{"content": [{"type": "text", "text": "a"}]}],
            "input_type": "search_document",
            "embedding_types": ["float"],
        },
        [],
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_embed_request_is_converted(name: str, upstream: Any, made: Any, embed: Any) -> None:
    payload, sent, notes = REQUESTS[name]
    upstream.reply(vectors([0.5, -1.0]))
    before = copy.deepcopy(payload)
    answer = embed(made(), **payload)
    assert upstream.last.path == "/v2/embed"
    assert upstream.last.headers["authorization"] == "Bearer test-key"
    assert upstream.last.json == sent
    assert answer.adapted == notes
    assert payload == before


def test_embed_input_type_option_is_sent(upstream: Any, made: Any, embed: Any) -> None:
    upstream.reply(vectors([0.5]))
    embed(made(input_type="classification"), input="a")
    assert upstream.last.json["input_type"] == "classification"


@pytest.mark.parametrize(
    ("given", "kind"),
    [([1, 2], "capability"), ([[1], [2]], "capability"), ({"x": 1}, "caller"), ([None], "caller"), (7, "caller")],
)
def test_embed_input_without_text_is_rejected(given: Any, kind: str, upstream: Any, made: Any, embed: Any) -> None:
    with pytest.raises(ProviderError, match="Nothing was sent") as caught:
        embed(made(), input=given)
    assert caught.value.failure == kind
    assert upstream.received == []


def test_embed_response_has_openai_format(upstream: Any, made: Any, embed: Any) -> None:
    upstream.reply(vectors([0.5, -1.0], [0.0, 1.0]))
    assert embed(made(), input=["a", "b"]).body == {
        "id": "54910170-test",
        "object": "list",
        "model": "command-a-03-2025",
        "data": [
            {"object": "embedding", "index": 0, "embedding": [0.5, -1.0]},
            {"object": "embedding", "index": 1, "embedding": [0.0, 1.0]},
        ],
        "usage": {"prompt_tokens": 7, "total_tokens": 7, "billed_units": {"input_tokens": 7}},
        "texts": ["x", "x"],
        "meta": META,
        "response_type": "embeddings_by_type",
    }


def test_embed_base64_is_decoded_by_openai_client(upstream: Any, made: Any, embed: Any) -> None:
    row = [0.1, -0.2, 3.0]
    upstream.reply(vectors(row))
    text = embed(made(), input="a", encoding_format="base64").body["data"][0]["embedding"]
    assert struct.unpack("<3f", base64.b64decode(text)) == pytest.approx(tuple(row), rel=1e-7)


@given(some.lists(some.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_embed_base64_encoding_is_lossless(row: list[float]) -> None:
    raw = base64.b64decode(packed(row))
    assert list(struct.unpack(f"<{len(row)}f", raw)) == row


def test_embed_several_vector_types_are_kept(upstream: Any, made: Any, embed: Any) -> None:
    upstream.reply(vectors([0.5], int8=[[64]])).reply(vectors(int8=[[64]], float=None)).reply(vectors(base64=["AAAAPw=="]))
    both = embed(made(), input="a", embedding_types=["float", "int8"]).body
    assert (both["data"][0]["embedding"], both["embeddings"]) == ([0.5], {"int8": [[64]]})
    one = embed(made(), input="a", embedding_types=["int8"]).body
    assert one["data"][0]["embedding"] == [64]
    assert "embeddings" not in one
    assert (
        embed(made(), input="a", embedding_types=["base64"], encoding_format="base64").body["data"][0]["embedding"] == "AAAAPw=="
    )


def test_embed_missing_usage_stays_missing(upstream: Any, made: Any, embed: Any) -> None:
    upstream.reply(vectors([0.5], meta=None)).reply(vectors([0.5], meta={"billed_units": {"images": 1}}))
    assert embed(made(), input="a").body["usage"] is None
    assert embed(made(), images=["data:image/png;base64,AA=="]).body["usage"] == {"billed_units": {"images": 1}}


WRONG = {
    "fewer": vectors([0.5]),
    "more": vectors([0.5], [0.5], [0.5]),
    "none": vectors(),
    "no list": vectors(float=7),
    "different numbers": vectors([0.5], [0.5], int8=[[1]]),
    "a chat": {"id": "x", "finish_reason": "COMPLETE", "message": {"role": "assistant", "content": []}},
    "an error": {"message": "something is wrong"},
    "too large": vectors([1e300], [0.0]),
    "text": vectors(["x"], ["y"]),  # type: ignore[list-item]
}


@pytest.mark.parametrize("name", WRONG)
def test_embed_invalid_response_is_protocol_failure(name: str, upstream: Any, made: Any, embed: Any) -> None:
    upstream.reply(WRONG[name])
    with pytest.raises(ProviderError) as caught:
        embed(made(), input=["a", "b"], encoding_format="base64")
    assert caught.value.failure == "protocol"


def test_embed_response_matches_openai_type(upstream: Any, made: Any, embed: Any) -> None:
    types = pytest.importorskip("openai.types")
    upstream.reply(vectors([0.5, -1.0]))
    read = types.CreateEmbeddingResponse.model_validate(embed(made(), input="a").body, strict=True)
    assert (read.data[0].embedding, read.usage.total_tokens) == ([0.5, -1.0], 7)


def test_embed_through_mesh_returns_vectors(upstream: Any) -> None:
    provider = CohereProvider({"base_url": upstream.url, "api_key": "test-key", "models": ["embed-v4.0"]})
    upstream.reply(vectors([0.5, -1.0], meta={"billed_units": {"input_tokens": 1000}}))
    with modelmesh.create(config={"providers": {"cohere": {"instance": provider}}, "pools": {"text-embeddings": {}}}) as client:
        answer = client.embeddings.create(model="text-embeddings", input="a", dimensions=256)
    assert answer.data[0].embedding == [0.5, -1.0]
    assert answer.model == "embed-v4.0"
    assert upstream.last.json["model"] == "embed-v4.0"
    assert upstream.last.json["output_dimension"] == 256
