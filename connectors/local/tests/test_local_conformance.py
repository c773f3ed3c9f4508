"""Conformance tests of LocalProvider, with a fake of the native library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from modelmesh_connector_local import LocalProvider

from modelmesh_cdk.testing import InProcessProviderConformance, Turn


class Library:
    """Fake that replays a turn with the chunks of xllamacpp 2026.10.11549. A callback that returns ``True`` stops it."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn

    def handle_chat_completions(self, request: dict[str, Any], callback: Callable[[Any], bool]) -> None:
        assert request["stream"] is True
        turn = self._turn
        pieces = [chunk({"role": "assistant", "content": None}), *(chunk({"content": word}) for word in turn.words)]
        if any(callback(piece) for piece in pieces):
            return turn.stopped.set()
        while turn.endless:
            if callback(chunk({"content": None}, prompt_progress={})):
                return turn.stopped.set()
            turn.stopped.wait(0.005)
        if turn.error is not None:
            raise turn.error
        if turn.finish is not None:
            callback(chunk({}, turn.finish))
        if turn.usage is not None:
            callback({**chunk({}), "choices": [], "usage": dict(turn.usage)})
        return None


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "/some/where/file.gguf"}
    return {**head, "choices": choices, **more}


class TestLocal(InProcessProviderConformance):
    provider_class = LocalProvider
    supports_tools = False  # the model is too small for them
    supports_images = False  # it reads text only

    @pytest.fixture(autouse=True)
    def _weights(self, tmp_path: Path) -> None:
        self.weights = tmp_path / f"{self.model}.gguf"
        self.weights.touch()

    def make(self, turn: Turn) -> LocalProvider:
        made = LocalProvider(model_path=self.weights)
        made._load = lambda: Library(turn)
        return made
