"""Completeness of a stream: an ended answer stays ended when empty chunks follow."""

from __future__ import annotations

from typing import Any

import pytest

from modelmesh._engine.routing.stream_progress import Progress

ENDED = {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}
USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}


def fed(*chunks: dict[str, Any]) -> Progress:
    progress = Progress()
    for chunk in chunks:
        progress.feed(chunk)
    return progress


@pytest.mark.parametrize("delta", [None, {}, {"role": "assistant"}, {"role": "assistant", "content": ""}])
def test_progress_empty_choice_with_usage_keeps_the_end(delta: Any) -> None:
    progress = fed(ENDED, {"choices": [{"index": 0, "delta": delta, "finish_reason": None}], "usage": USAGE})
    assert progress.complete
    assert progress.usage == USAGE


@pytest.mark.parametrize("delta", [{"content": "more"}, {"tool_calls": [{"index": 0, "id": "c"}]}])
def test_progress_content_after_the_end_reopens(delta: dict[str, Any]) -> None:
    assert not fed(ENDED, {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}).complete


def test_progress_empty_choice_without_end_is_open() -> None:
    assert not fed(ENDED, {"choices": [{"index": 1, "delta": {"role": "assistant"}, "finish_reason": None}]}).complete
