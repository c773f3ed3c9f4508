"""Rows of Anthropic's model list.

Fields are those of the anthropic package 2.11.0 (``types/model_info.py``, ``model_capabilities.py``, read 2026-11-21). The list
does not state the purpose of a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh.contracts import ModelInfo
from modelmesh_cdk import model_list

FEATURES = {"vision": "image_input", "structured_output": "structured_outputs", "reasoning": "thinking"}


def row_of(data: Mapping[str, Any], source: str) -> ModelInfo | None:
    """Return the row of a model, ``None`` for a retired model, which rejects requests."""
    if data.get("lifecycle") == "retired":
        return None
    stated = model_list.submap(data, "capabilities")
    return model_list.make_row(
        data.get("id"),
        source,
        features={name: model_list.submap(stated, theirs).get("supported") for name, theirs in FEATURES.items()},
        context_window=data.get("max_input_tokens"),
        max_output_tokens=data.get("max_tokens"),
    )
