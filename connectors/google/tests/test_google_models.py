"""Catalogue rows from the model list of Google."""

from __future__ import annotations

from typing import Any

import pytest
from modelmesh_connector_google import GoogleProvider

from modelmesh_cdk.testing import models_listed

CHAT = "generation.text-generation.chat-completion"


def rows_of(page: Any) -> list[tuple[Any, ...]]:
    """Return ID, capabilities, features, context window and output limit of each listed model."""
    listed = models_listed(GoogleProvider, page)
    return [(row.id, row.capabilities, dict(row.features), row.context_window, row.max_output_tokens) for row in listed]


EMBEDS = "representation.embeddings.text-embeddings"


@pytest.mark.parametrize(("methods", "capabilities", "features", "longest"), [
    (["generateContent", "countTokens"], (CHAT,), {"reasoning": True}, 100),
    (["embedContent", "countTextTokens"], (EMBEDS,), {}, None),
    (["predict"], (), {}, None),
    ("generateContent", (), {}, None),
    (None, (), {}, None),
])  # fmt: skip
def test_model_list_methods_set_capabilities(
    methods: Any, capabilities: tuple[str, ...], features: dict[str, bool], longest: int | None
) -> None:
    row = {"supportedGenerationMethods": methods, "inputTokenLimit": 1000, "outputTokenLimit": 100, "thinking": True}
    assert rows_of({"models": [{**row, "name": "models/of-tomorrow"}]}) == [
        ("of-tomorrow", capabilities, features, 1000, longest)
    ]


def test_model_list_tuned_models_keep_full_name() -> None:
    assert rows_of({"models": [{"name": "tunedModels/mine"}]}) == [("tunedModels/mine", (), {}, None, None)]


def test_model_list_page_without_fields_is_empty() -> None:
    assert rows_of({}) == []
