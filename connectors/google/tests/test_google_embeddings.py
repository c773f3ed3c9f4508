"""Embeddings, and the catalogue."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
from modelmesh_connector_google import GoogleProvider

import modelmesh

VECTORS = {"embeddings": [{"values": [0.5, -1.0]}, {"values": [0.0, 2.0], "statistics": {"tokenCount": 3}}]}


def test_embed_request_and_response_are_converted(upstream: Any, config: Any, way: Any) -> None:
    upstream.reply({**VECTORS, "usageMetadata": {"promptTokenCount": 4, "totalTokenCount": 4}, "ofNextYear": 1})
    reply = way.embed(config(), input=["a", "b"], dimensions=2, taskType="RETRIEVAL_QUERY", encoding_format="float").model_dump()
    assert upstream.last.path == "/v1/models/gemini-embedding-2:batchEmbedContents"
    assert upstream.last.json == {
        "requests": [
            {
                "model": "models/gemini-embedding-2",
                "content": {"parts": [{"text": text}], "role": "user"},
                "taskType": "RETRIEVAL_QUERY",
                "outputDimensionality": 2,
            }
            for text in "ab"
        ]
    }
    assert [(row["index"], row["embedding"]) for row in reply["data"]] == [(0, [0.5, -1.0]), (1, [0.0, 2.0])]
    assert reply["data"][1]["statistics"] == {"tokenCount": 3}
    assert (reply["usage"]["prompt_tokens"], reply["usage"]["total_tokens"], reply["ofNextYear"]) == (4, 4, 1)


def test_embed_base64_is_encoded(upstream: Any, config: Any, way: Any) -> None:
    upstream.reply({"embeddings": [{"values": [0.5, -1.0]}]})
    reply = way.embed(config(), input="a", encoding_format="base64").model_dump()
    assert reply["data"][0]["embedding"] == "AAAAPwAAgL8="


@pytest.mark.parametrize("body", [{}, {"embeddings": 5}, {"embeddings": [{"values": "x"}]}, {"candidates": []}])
def test_embed_invalid_response_is_protocol_failure(upstream: Any, config: Any, way: Any, body: Any) -> None:
    upstream.reply(body)
    with pytest.raises(modelmesh.BadUpstreamResponseError):
        way.embed(config(), input="a")


@pytest.mark.parametrize("given", [[1, 2], [[1]], [], 5])
def test_embed_unsupported_input_is_rejected(upstream: Any, config: Any, way: Any, given: Any) -> None:
    with pytest.raises(modelmesh.BadRequestError, match="input"):
        way.embed(config(), input=given)
    assert upstream.received == []


def test_catalogue_has_date_and_source() -> None:
    rows = json.loads(files("modelmesh_connector_google").joinpath("models.json").read_text("utf-8"))["models"]
    models = {model.id: model for model in GoogleProvider(api_key="test").models()}
    assert list(models) == [row["id"] for row in rows]
    assert models["gemini-3.8-flash"].pricing.input_per_1k_tokens == 0.00075
    assert models["gemini-embedding-2"].capabilities == ("representation.embeddings.text-embeddings",)
    for model in models.values():
        assert model.pricing.source
        assert model.pricing.as_of == ("2026-11-30" if "litellm" in model.pricing.source else "2026-11-21")


def test_catalogue_announced_prices_have_date() -> None:
    models = {model.id: model for model in GoogleProvider(api_key="test").models()}
    (change,) = models["gemini-4-argon"].pricing.bands
    assert (change.since, change.input_per_1k_tokens, change.output_per_1k_tokens) == ("2026-12-01", 0.004, 0.02)
