"""Catalogue rows from Together's model list, which is a bare JSON array.

Types and ``context_length`` are those of ``ModelInfo`` in Together's OpenAPI description
(github.com/togethercomputer/openapi, openapi.yaml, read 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh.contracts import ModelInfo
from modelmesh_cdk import model_list

TYPES = {
    "chat": "generation.text-generation.chat-completion",
    "language": "generation.text-generation.text-completion",
    "image": "generation.image.text-to-image",
    "embedding": "representation.embeddings.text-embeddings",
    "moderation": "evaluation.content-moderation",
    "rerank": "retrieval.reranking",
}


def row_of(data: Mapping[str, Any], source: str) -> ModelInfo | None:
    """Return the catalogue row of one entry of the model list."""
    return model_list.make_row(
        data.get("id"),
        source,
        capabilities=model_list.map_capabilities([data.get("type")], TYPES),
        context_window=data.get("context_length"),
    )
