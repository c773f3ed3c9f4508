"""A provider in this process, and a mesh of several of them on a clock that a test turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from modelmesh import ModelMesh
from modelmesh.contracts.models import ModelInfo, ModelPricing
from modelmesh.contracts.provider import Answer
from modelmesh.errors import ProviderServerError
from modelmesh.routing.classes import FailureClass

CHAT = "generation.text-generation.chat-completion"


def priced(price: tuple[float | None, float | None] | None) -> ModelPricing | None:
    """Return a price of so many USD for a million tokens of input and of output."""
    return None if price is None else ModelPricing(*(one if one is None else one / 1000 for one in price))


class Account:
    """Serves its models without a network; those in ``down`` answer with a 500."""

    id = "test.account.v1"

    def __init__(self, tokens: int = 10, **prices: tuple[float | None, float | None] | None) -> None:
        self._prices = prices
        self._tokens = tokens
        self.down: set[str] = set()

    def models(self) -> list[ModelInfo]:
        """Return a row for each name; prices are USD for a million tokens of input and of output."""
        return [ModelInfo(name, capabilities=(CHAT,), pricing=priced(price)) for name, price in self._prices.items()]

    def send(self, call: Any, model: str, limits: Any) -> Answer:
        """Answer, or fail as told."""
        if model in self.down:
            raise ProviderServerError("down", failure=FailureClass.SERVER, status=500)
        message = {"role": "assistant", "content": model}
        usage = {"prompt_tokens": 10, "completion_tokens": self._tokens, "total_tokens": 10 + self._tokens}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return Answer({"id": "test", "choices": [choice], "usage": usage})

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

    def ask(self, text: str = "Hello", **arguments: Any) -> str:
        """Return the model that answered."""
        messages = [{"role": "user", "content": text}]
        return self.client.chat.completions.create(model="chat-completion", messages=messages, **arguments).model

    def asks(self, times: int) -> list[str]:
        """Return who answered, request by request."""
        return [self.ask() for _ in range(times)]


@pytest.fixture
def world() -> Iterator[Callable[..., World]]:
    """Make worlds that are closed after the test."""
    made: list[World] = []

    def make(pool: Mapping[str, Any] | None = None, tokens: int = 10, **prices: Any) -> World:
        accounts = {f"at-{name}": Account(tokens, **{name: price}) for name, price in prices.items()}
        made.append(World(accounts, **{"strategy": "cost-first", **(pool or {})}))
        return made[-1]

    yield make
    for one in made:
        one.mesh.shutdown()
