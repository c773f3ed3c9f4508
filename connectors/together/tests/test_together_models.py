"""Catalogue rows from the model list of Together."""

from __future__ import annotations

from typing import Any

import pytest
from modelmesh_connector_together import TogetherProvider

from modelmesh_cdk.testing import models_listed

CHAT = "generation.text-generation.chat-completion"


def rows_of(page: Any) -> list[tuple[Any, ...]]:
    """Return ID, capabilities, features, context window and output limit of each listed model."""
    listed = models_listed(TogetherProvider, page)
    return [(row.id, row.capabilities, dict(row.features), row.context_window, row.max_output_tokens) for row in listed]


@pytest.mark.parametrize(("kind", "capabilities"), [
    ("chat", (CHAT,)),
    ("language", ("generation.text-generation.text-completion",)),
    ("embedding", ("representation.embeddings.text-embeddings",)),
    ("image", ("generation.image.text-to-image",)),
    ("code", ()),
    (None, ()),
    (["chat"], ()),
])  # fmt: skip
def test_model_list_bare_array_states_capabilities(kind: Any, capabilities: tuple[str, ...]) -> None:
    row = {"id": "acme/a", "object": "model", "created": 0, "type": kind, "context_length": 1000}
    assert rows_of([row, {**row, "id": "acme/b", "context_length": 0}]) == [
        ("acme/a", capabilities, {}, 1000, None),
        ("acme/b", capabilities, {}, None, None),
    ]
