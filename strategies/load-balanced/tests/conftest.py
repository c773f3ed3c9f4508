"""A provider in this process, and a mesh of several of them on a clock that a test turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from modelmesh import ModelMesh
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.provider import Answer
from modelmesh.errors import ProviderServerError
from modelmesh.routing.classes import FailureClass

CHAT = "generation.text-generation.chat-completion"
HELLO = [{"role": "user", "content": "Hello"}]


class Account:
    """Serves its models without a network; those in ``down`` answer with a 500."""

    id = "test.account.v1"

    def __init__(self, *models: str) -> None:
        self._models = models
        self.down: set[str] = set()

    def models(self) -> list[ModelInfo]:
        """Return a row for each name."""
        return [ModelInfo(name, capabilities=(CHAT,)) for name in self._models]

    def send(self, call: Any, model: str, limits: Any) -> Answer:
        """Answer, or fail as told."""
        if model in self.down:
            raise ProviderServerError("down", failure=FailureClass.SERVER, status=500)
        message = {"role": "assistant", "content": model}
        return Answer({"id": "test", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})

    async def asend(self, call: Any, model: str, limits: Any) -> Answer:
        """Answer, or fail as told."""
        return self.send(call, model, limits)

    def close(self) -> None:
        """Hold nothing."""

    async def aclose(self) -> None:
        """Hold nothing."""


class World:
    """Some accounts, a pool over them, and the time."""

    def __init__(self, accounts: Mapping[str, Account], **pool: Any) -> None:
        self.accounts = accounts
        self.now = 0.0
        self.mesh = ModelMesh(clock=lambda: self.now, sleep=self._let_pass)
        providers = {key: {"instance": account} for key, account in accounts.items()}
        self.mesh.initialize({"providers": providers, "pools": {"chat-completion": pool}})
        self.client = self.mesh.client

    def _let_pass(self, seconds: float) -> None:
        self.now += seconds

    def ask(self, **arguments: Any) -> str:
        """Return ``provider/model`` of who answered."""
        reply = self.client.chat.completions.create(model="chat-completion", messages=HELLO, **arguments)
        return f"{reply.provider}/{reply.model}"

    def asks(self, times: int) -> list[str]:
        """Return who answered, request by request."""
        return [self.ask() for _ in range(times)]


@pytest.fixture
def world() -> Iterator[Callable[..., World]]:
    """Make worlds that are closed after the test."""
    made: list[World] = []

    def make(accounts: Mapping[str, Account] | None = None, **pool: Any) -> World:
        accounts = accounts or {key: Account(f"model-{key}") for key in "abc"}
        made.append(World(accounts, **pool))
        return made[-1]

    make.Account = Account  # type: ignore[attr-defined]
    yield make
    for one in made:
        one.mesh.shutdown()
