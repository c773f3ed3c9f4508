"""Rows of Gemini's model list.

Fields are those of google-genai 3.4.0 (``models.py``, ``_Model_from_mldev``), methods those of ai.google.dev/api/models. Both
were read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh.contracts import ModelInfo
from modelmesh_cdk import model_list

CHAT = "generation.text-generation.chat-completion"
METHODS = {"generateContent": CHAT, "embedContent": "representation.embeddings.text-embeddings"}


def row_of(data: Mapping[str, Any], source: str) -> ModelInfo | None:
    """Return a model as the list states it, under its name without ``models/``."""
    name = data.get("name")
    capabilities = model_list.map_capabilities(data.get("supportedGenerationMethods"), METHODS)
    is_chat = CHAT in capabilities  # other models have no output limit in tokens and no thinking
    return model_list.make_row(
        name.removeprefix("models/") if isinstance(name, str) else None,
        source,
        capabilities=capabilities,
        features={"reasoning": data.get("thinking")} if is_chat else None,
        context_window=data.get("inputTokenLimit"),  # the catalogue uses this value, too
        max_output_tokens=data.get("outputTokenLimit") if is_chat else None,
    )
