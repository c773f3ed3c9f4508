"""Rows of OpenRouter's model list.

Fields and values are those of the openrouter package 1.3.84 (``components/model.py``, ``modelarchitecture.py``,
``outputmodality.py``, ``parameter.py``, ``topproviderinfo.py``, read 2026-11-21). The rows contain no prices, because the
price of a request depends on the provider that OpenRouter selects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh.contracts import ModelInfo
from modelmesh_cdk import model_list

CHAT = "generation.text-generation.chat-completion"
OUTPUTS = {
    "text": CHAT,
    "embeddings": "representation.embeddings.text-embeddings",
    "image": "generation.image.text-to-image",
    "speech": "generation.audio.text-to-speech",
    "transcription": "understanding.audio.speech-to-text",
    "rerank": "retrieval.reranking",
}
PARAMETERS = {
    "tool_calling": "tools",
    "json_mode": "response_format",
    "structured_output": "structured_outputs",
    "reasoning": "reasoning",
}


def row_of(data: Mapping[str, Any], source: str) -> ModelInfo | None:
    """Return the catalogue row of one entry of the model list."""
    architecture = model_list.submap(data, "architecture")
    capabilities = model_list.map_capabilities(architecture.get("output_modalities"), OUTPUTS)
    features: dict[str, Any] = {}
    if CHAT in capabilities:
        taken = data.get("supported_parameters")
        features = {name: model_list.contains(taken, theirs) for name, theirs in PARAMETERS.items()}
        features["vision"] = model_list.contains(architecture.get("input_modalities"), "image")
    return model_list.make_row(
        data.get("id"),
        source,
        capabilities=capabilities,
        features=features,
        context_window=data.get("context_length"),
        max_output_tokens=model_list.submap(data, "top_provider").get("max_completion_tokens") if CHAT in capabilities else None,
    )
