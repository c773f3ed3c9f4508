"""Catalogue rows from the model list of Fireworks."""

from __future__ import annotations

from typing import Any

import pytest
from modelmesh_connector_fireworks import FireworksProvider

from modelmesh_cdk.testing import models_listed


def rows_of(page: Any) -> list[tuple[Any, ...]]:
    """Return ID, capabilities, features, context window and output limit of each listed model."""
    listed = models_listed(FireworksProvider, page)
    return [(row.id, row.capabilities, dict(row.features), row.context_window, row.max_output_tokens) for row in listed]


@pytest.mark.parametrize(("stated", "features"), [
    ({"supports_image_input": True, "supports_tools": False}, {"vision": True, "tool_calling": False}),
    ({"supports_tools": "yes"}, {}),
    ({}, {}),
])  # fmt: skip
def test_model_list_image_and_tool_support_is_read(stated: dict[str, Any], features: dict[str, bool]) -> None:
    page = {"data": [{"id": "accounts/acme/models/a", "context_length": 1000, **stated}]}
    assert rows_of(page) == [("accounts/acme/models/a", (), features, 1000, None)]
