"""What core's own tests share: an environment without keys, providers in process, and made-up distributions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any

import pytest
from importlib_metadata import EntryPoint

from modelmesh._engine.plugins import CONNECTOR_REGISTRY
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.provider import Answer

CHAT = "generation.text-generation.chat-completion"


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.endswith(("_API_KEY", "_BASE_URL", "_HOST", "_TOKEN")) or name.startswith("MODELMESH_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _registry() -> Iterator[None]:
    """Leave nothing registered behind."""
    before = dict(CONNECTOR_REGISTRY)
    yield
    CONNECTOR_REGISTRY.clear()
    CONNECTOR_REGISTRY.update(before)


def _body(text: str) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    return {"id": "test", "object": "chat.completion", "created": 1, "choices": [choice], "usage": usage}


class Scripted:
    """A provider in process. ``answer`` returns the body, by default a text with the name of the model."""

    id = "test.scripted.v1"

    def __init__(
        self, *models: str | ModelInfo, answer: Callable[[Any, str], Any] | None = None, capabilities: Any = (CHAT,)
    ) -> None:
        self.capabilities = capabilities
        self.calls: list[tuple[Any, str]] = []
        self.closed = 0
        self._lock = Lock()
        self._models = [one if isinstance(one, ModelInfo) else ModelInfo(one) for one in models or ("m",)]
        self._answer = answer

    @classmethod
    def from_config(cls, config: Any) -> Scripted:
        made = cls()
        made.config = config
        return made

    def models(self) -> list[ModelInfo]:
        return list(self._models)

    def send(self, call: Any, model: str, limits: Any) -> Any:
        with self._lock:
            self.calls.append((call, model))
        answer_body = self._answer(call, model) if self._answer else _body(f"answer of {model}")
        if isinstance(answer_body, Exception):
            raise answer_body
        return Answer(answer_body)

    async def asend(self, call: Any, model: str, limits: Any) -> Any:
        return self.send(call, model, limits)

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        pass


@pytest.fixture
def scripted() -> type[Scripted]:
    return Scripted


@pytest.fixture
def body() -> Callable[[str], dict[str, Any]]:
    return _body


class _Distribution:
    def __init__(self, name: str, version: str = "1.0") -> None:
        self.metadata = {"Name": name, "Version": version}


@pytest.fixture
def point() -> Callable[..., EntryPoint]:
    """Make an entry point as an installed distribution has it."""

    def make(group: str, name: str, value: str, owner: str = "acme-plugin") -> EntryPoint:
        return EntryPoint(name, value, group)._for(_Distribution(owner))

    return make
