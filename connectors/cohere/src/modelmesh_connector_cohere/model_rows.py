"""Rows of Cohere's model list.

Fields and endpoints are those of the cohere package 7.3.1 (``types/get_model_response.py``, ``compatible_endpoint.py``, read
2026-11-21).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh.contracts import ModelInfo
from modelmesh_cdk import model_list

ENDPOINTS = {
    "chat": "generation.text-generation.chat-completion",
    "generate": "generation.text-generation.text-completion",
    "summarize": "understanding.text-understanding.summarization",
    "classify": "understanding.text-understanding.classification",
    "embed": "representation.embeddings.text-embeddings",
    "rerank": "retrieval.reranking",
}


def row_of(data: Mapping[str, Any], source: str) -> ModelInfo | None:
    """Return the catalogue row of one entry of the model list."""
    return model_list.make_row(
        data.get("name"),
        source,
        capabilities=model_list.map_capabilities(data.get("endpoints"), ENDPOINTS),
        context_window=data.get("context_length"),
    )
