"""What Fireworks's list of models states of them, as rows of a catalogue."""

from __future__ import annotations

from typing import Any

import pytest
from modelmesh_connector_fireworks import FireworksProvider

from modelmesh_cdk.testing import Upstream


def rows_of(page: Any) -> list[tuple[Any, ...]]:
    """Return ID, capabilities, features, window and longest answer of what the vendor lists."""
    with Upstream() as upstream:
        provider = FireworksProvider(base_url=upstream.reply(page).url, api_key="test-key")
        try:
            found = provider.discover_models()
        finally:
            provider.close()
    return [
        (info.id, info.capabilities, dict(info.features), info.context_window, info.max_output_tokens)
        for info in found
        if info.id not in {row.id for row in provider.shipped_models()}
    ]


@pytest.mark.parametrize(("stated", "features"), [
    ({"supports_image_input": True, "supports_tools": False}, {"vision": True, "tool_calling": False}),
    ({"supports_tools": "yes"}, {}),
    ({}, {}),
])  # fmt: skip
def test_images_and_tools_are_stated(stated: dict[str, Any], features: dict[str, bool]) -> None:
    page = {"data": [{"id": "accounts/acme/models/a", "context_length": 1000, **stated}]}
    assert rows_of(page) == [("accounts/acme/models/a", (), features, 1000, None)]
