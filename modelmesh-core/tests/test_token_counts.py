"""Token estimates of values of any type."""

from __future__ import annotations

from typing import Any

import pytest

from modelmesh._engine.limits.token_counts import ReceivedOutput


@pytest.mark.parametrize("kind", [[], {}, {"a": 1}, None, 5])
def test_received_output_counts_values_of_any_type(kind: Any) -> None:
    received = ReceivedOutput()
    received.add({"content_blocks": [{"type": kind, "text": "Hello, world"}]})
    assert received.tokens > 0
