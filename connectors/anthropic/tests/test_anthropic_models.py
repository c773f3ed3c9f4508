"""Conversion of Anthropic's model list to catalogue rows."""

from __future__ import annotations

from typing import Any

import pytest
from modelmesh_connector_anthropic import AnthropicProvider

from modelmesh_cdk.testing import models_listed


def rows_of(page: Any) -> list[tuple[Any, ...]]:
    """Return ID, capabilities, features, window and longest answer of what the vendor lists."""
    listed = models_listed(AnthropicProvider, page)
    return [(row.id, row.capabilities, dict(row.features), row.context_window, row.max_output_tokens) for row in listed]


ROW = {"type": "model", "id": "claude-of-tomorrow", "lifecycle": "active", "max_input_tokens": 1000, "max_tokens": 100}


@pytest.mark.parametrize(("stated", "features"), [
    ({"image_input": {"supported": True}, "thinking": {"supported": False}}, {"vision": True, "reasoning": False}),
    ({"image_input": True, "thinking": {"supported": "yes"}, "structured_outputs": None}, {}),
    (None, {}),
    (["image_input"], {}),
])  # fmt: skip
def test_model_list_capabilities_are_features(stated: Any, features: dict[str, bool]) -> None:
    page = {"data": [{**ROW, "capabilities": stated}], "has_more": False}
    assert rows_of(page) == [("claude-of-tomorrow", (), features, 1000, 100)]


def test_model_list_retired_model_is_omitted() -> None:
    rows = [{**ROW, "lifecycle": "retired", "id": "claude-past"}, {**ROW, "lifecycle": "deprecated"}]
    assert [row[0] for row in rows_of({"data": rows, "has_more": False})] == ["claude-of-tomorrow"]
