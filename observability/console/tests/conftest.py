"""A provider in this process, and a mesh of two of them of which the first may fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import modelmesh
from modelmesh.contracts import FailureClass
from modelmesh.contracts.models import ModelInfo, ModelPricing
from modelmesh.contracts.provider import Answer
from modelmesh.errors import ProviderServerError

CHAT = "generation.text-generation.chat-completion"


class Account:
    """Serves one model without a network, or answers with a 500."""

    id = "test.account.v1"

    def __init__(self, model: str, *, down: bool = False, text: str = "Hello.") -> None:
        self._info = ModelInfo(model, capabilities=(CHAT,), pricing=ModelPricing(0.001, 0.002))
        self.down, self.text = down, text

    def models(self) -> list[ModelInfo]:
        """Return its one row."""
        return [self._info]

    def send(self, call: Any, model: str, limits: Any) -> Answer:
        """Answer, or fail as told."""
        if self.down:
            raise ProviderServerError("down", failure=FailureClass.SERVER, status=500)
        choice = {"index": 0, "message": {"role": "assistant", "content": self.text}, "finish_reason": "stop"}
        return Answer({"id": "test", "choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": 2}})

    async def asend(self, call: Any, model: str, limits: Any) -> Answer:
        """Answer, or fail as told."""
        return self.send(call, model, limits)

    def close(self) -> None:
        """Hold nothing."""

    async def aclose(self) -> None:
        """Hold nothing."""


@pytest.fixture
def mesh() -> Callable[..., modelmesh.MeshClient]:
    """Make a client whose first provider fails, unless told otherwise."""

    def make(observability: Any, first: str = "model-a", second: str = "model-b", text: str = "Hello.", **down: bool) -> Any:
        a = Account(first, down=down.get("first_down", True), text=text)
        b = Account(second, down=down.get("second_down", False), text=text)
        return modelmesh.create(
            config={
                "providers": {"a": {"instance": a}, "b": {"instance": b}},
                "pools": {"chat-completion": {"deactivation": {"retry_limit": 1}}},
                "observability": observability,
            }
        )

    return make
