"""Catalogue rows from Mistral's model list.

Fields are those of the mistralai package 3.7.0 (``client/models/basemodelcard.py``, ``modelcapabilities.py``, read 2026-11-21).
The list does not mark embedding models.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh.contracts import ModelInfo
from modelmesh_cdk import model_list

CHAT = "generation.text-generation.chat-completion"
CAPABILITIES = {
    "completion_chat": CHAT,
    "ocr": "understanding.vision-understanding.ocr",
    "classification": "understanding.text-understanding.classification",
    "moderation": "evaluation.content-moderation",
    "audio_transcription": "understanding.audio.speech-to-text",
    "audio_speech": "generation.audio.text-to-speech",
}
FEATURES = {"tool_calling": "function_calling", "vision": "vision", "reasoning": "reasoning"}


def row_of(data: Mapping[str, Any], source: str) -> ModelInfo | None:
    """Return the catalogue row of one entry of the model list."""
    stated = model_list.submap(data, "capabilities")
    capabilities = [ours for theirs, ours in CAPABILITIES.items() if stated.get(theirs) is True]
    return model_list.make_row(
        data.get("id"),
        source,
        capabilities=capabilities,
        features={name: stated.get(theirs) for name, theirs in FEATURES.items()} if CHAT in capabilities else None,
        context_window=data.get("max_context_length"),
    )
