"""What Together's list of models states of them: a bare list.

Types and ``context_length`` are those of ``ModelInfo`` in Together's own description of its API
(github.com/togethercomputer/openapi, openapi.yaml, read 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh.contracts.models import ModelInfo
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
    """Return a model as the list states it."""
    return model_list.make_row(
        data.get("id"),
        source,
        capabilities=model_list.map_capabilities([data.get("type")], TYPES),
        context_window=data.get("context_length"),
    )
