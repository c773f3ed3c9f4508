"""Catalogue rows from the model list of Mistral."""

from __future__ import annotations

from typing import Any

import pytest
from modelmesh_connector_mistral import MistralProvider

from modelmesh_cdk.testing import models_listed

CHAT = "generation.text-generation.chat-completion"


def rows_of(page: Any) -> list[tuple[Any, ...]]:
    """Return ID, capabilities, features, context window and output limit of each listed model."""
    listed = models_listed(MistralProvider, page)
    return [(row.id, row.capabilities, dict(row.features), row.context_window, row.max_output_tokens) for row in listed]


@pytest.mark.parametrize(("stated", "capabilities", "features"), [
    ({"completion_chat": True, "vision": True, "function_calling": False}, (CHAT,), {"vision": True, "tool_calling": False}),
    ({"completion_chat": False, "vision": True, "ocr": True}, ("understanding.vision-understanding.ocr",), {}),
    ({"audio_transcription": True}, ("understanding.audio.speech-to-text",), {}),
    ({"completion_fim": True, "fine_tuning": True}, (), {}),
    ({"completion_chat": "yes"}, (), {}),
    (["completion_chat"], (), {}),
    (None, (), {}),
])  # fmt: skip
def test_model_list_capabilities_are_read(stated: Any, capabilities: tuple[str, ...], features: dict[str, bool]) -> None:
    page = {"object": "list", "data": [{"id": "of-tomorrow", "capabilities": stated, "max_context_length": 1000}]}
    assert rows_of(page) == [("of-tomorrow", capabilities, features, 1000, None)]
