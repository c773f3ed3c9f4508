"""Meshes of accounts in this process that ask different prices, on a clock that a test turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from modelmesh.contracts.models import ModelInfo, ModelPricing
from modelmesh.contracts.provider import Answer
from modelmesh_cdk.testing import InProcessAccount, InProcessMesh

CHAT = "generation.text-generation.chat-completion"


def priced(price: tuple[float | None, float | None] | None) -> ModelPricing | None:
    """Return a price of so many USD for a million tokens of input and of output."""
    return None if price is None else ModelPricing(*(one if one is None else one / 1000 for one in price))


class Shop(InProcessAccount):
    """Has a price for each of its models, and says what an answer took."""

    def __init__(self, tokens: int = 10, **prices: tuple[float | None, float | None] | None) -> None:
        super().__init__(*prices)
        self._prices = prices
        self._tokens = tokens

    def models(self) -> list[ModelInfo]:
        """Return a row for each name; prices are USD for a million tokens of input and of output."""
        return [ModelInfo(name, capabilities=(CHAT,), pricing=priced(price)) for name, price in self._prices.items()]

    def send(self, call: Any, model: str, limits: Any) -> Answer:
        """Answer, or fail as told."""
        usage = {"prompt_tokens": 10, "completion_tokens": self._tokens, "total_tokens": 10 + self._tokens}
        return Answer({**super().send(call, model, limits).body, "usage": usage})


class Market(InProcessMesh):
    """Some shops."""

    def ask(self, text: str = "Hello", **arguments: Any) -> str:
        """Return the model that answered."""
        messages = [{"role": "user", "content": text}]
        return self.client.chat.completions.create(model="chat-completion", messages=messages, **arguments).model


@pytest.fixture
def world() -> Iterator[Callable[..., Market]]:
    """Make meshes that are closed after the test."""
    with ExitStack() as opened:

        def make(pool: Mapping[str, Any] | None = None, tokens: int = 10, **prices: Any) -> Market:
            shops = {f"at-{name}": Shop(tokens, **{name: price}) for name, price in prices.items()}
            return opened.enter_context(Market(shops, **{"strategy": "cost-first", **(pool or {})}))

        yield make
