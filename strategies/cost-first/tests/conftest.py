"""Meshes of in-process accounts with different prices."""

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
    """Return a price in USD for a million tokens of input and of output."""
    return None if price is None else ModelPricing(*(one if one is None else one / 1000 for one in price))


class Shop(InProcessAccount):
    """An account with a price for each model, which reports usage."""

    def __init__(self, tokens: int = 10, **prices: tuple[float | None, float | None] | None) -> None:
        super().__init__(*prices)
        self._prices = prices
        self._tokens = tokens

    def models(self) -> list[ModelInfo]:
        """Return a row for each model."""
        return [ModelInfo(name, capabilities=(CHAT,), pricing=priced(price)) for name, price in self._prices.items()]

    def send(self, call: Any, model: str, limits: Any) -> Answer:
        """Answer with usage, or fail as configured."""
        usage = {"prompt_tokens": 10, "completion_tokens": self._tokens, "total_tokens": 10 + self._tokens}
        return Answer({**super().send(call, model, limits).body, "usage": usage})


class Market(InProcessMesh):
    """A mesh of several shops."""

    def send(self, text: str = "Hello", **arguments: Any) -> str:
        """Return the model that answered."""
        messages = [{"role": "user", "content": text}]
        return self.client.chat.completions.create(model="chat-completion", messages=messages, **arguments).model


@pytest.fixture
def world() -> Iterator[Callable[..., Market]]:
    """Factory of meshes, which are closed after the test."""
    with ExitStack() as opened:

        def make(pool: Mapping[str, Any] | None = None, tokens: int = 10, **prices: Any) -> Market:
            shops = {f"at-{name}": Shop(tokens, **{name: price}) for name, price in prices.items()}
            return opened.enter_context(Market(shops, **{"strategy": "cost-first", **(pool or {})}))

        yield make
