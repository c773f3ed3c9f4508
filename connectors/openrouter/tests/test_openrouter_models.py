"""Catalogue rows from the model list of OpenRouter."""

from __future__ import annotations

from typing import Any

import pytest
from modelmesh_connector_openrouter import OpenRouterProvider

from modelmesh_cdk.testing import Upstream, models_listed

CHAT = "generation.text-generation.chat-completion"


def rows_of(page: Any) -> list[tuple[Any, ...]]:
    """Return ID, capabilities, features, context window and output limit of each listed model."""
    listed = models_listed(OpenRouterProvider, page)
    return [(row.id, row.capabilities, dict(row.features), row.context_window, row.max_output_tokens) for row in listed]


ROW = {
    "id": "acme/talks",
    "context_length": 1000,
    "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"], "modality": "text+image->text"},
    "supported_parameters": ["tools", "response_format", "temperature"],
    "top_provider": {"context_length": 900, "max_completion_tokens": 100, "is_moderated": False},
    "pricing": {"prompt": "0.00003", "completion": "0.00006"},
}
FEATURES = {"tool_calling": True, "json_mode": True, "structured_output": False, "reasoning": False, "vision": True}


def test_model_list_chat_model_row_is_complete() -> None:
    assert rows_of({"data": [ROW]}) == [("acme/talks", (CHAT,), FEATURES, 1000, 100)]


@pytest.mark.parametrize(("words", "capabilities"), [
    (["embeddings"], ("representation.embeddings.text-embeddings",)),
    (["image", "text"], ("generation.image.text-to-image", CHAT)),
    (["rerank"], ("retrieval.reranking",)),
    (["of-tomorrow"], ()),
    ("text", ()),
    (None, ()),
    ([["text"], None, 7], ()),
])  # fmt: skip
def test_model_list_output_modality_sets_capabilities(words: Any, capabilities: tuple[str, ...]) -> None:
    ((_, found, features, *_),) = rows_of({"data": [{**ROW, "architecture": {"output_modalities": words}}]})
    assert found == capabilities
    assert bool(features) == (CHAT in capabilities)


def test_model_list_missing_fields_are_unknown() -> None:
    row = {"id": "a", "architecture": {"output_modalities": ["text"]}, "context_length": None, "top_provider": None}
    assert rows_of({"data": [row, {"id": "b", "architecture": [], "supported_parameters": {}}]}) == [
        ("a", (CHAT,), {}, None, None),
        ("b", (), {}, None, None),
    ]


def test_model_list_request_includes_all_modalities() -> None:
    with Upstream() as upstream:
        provider = OpenRouterProvider(base_url=upstream.url, api_key="test-key")
        provider.discover_models()
        provider.close()
    assert upstream.last.path == "/api/v1/models?output_modalities=all"
