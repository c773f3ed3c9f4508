"""Vendors that bill, and clients with shipped catalogues and budgets."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from billing import BillingVendor

import modelmesh


@pytest.fixture
def world() -> Iterator[Callable[..., Any]]:
    """Create a vendor and a client for it: ``world(dialect, words, budget={…}, **settings)``."""
    with ExitStack() as stack:

        def make(dialect: str = "openai", words: Any = 50, budget: Any = None, *, provider: Any = None, **vendor: Any) -> Any:
            spoken = (lambda _: words) if isinstance(words, int) else words
            upstream = stack.enter_context(BillingVendor(dialect, spoken, **vendor))
            entry = {"connector": upstream.connector, "api_key": "test", "base_url": upstream.url, **(provider or {})}
            config: dict[str, Any] = {"providers": {"v": entry}, "pools": {"chat-completion": {}}}
            if budget is not None:
                config["budget"] = budget
            client = stack.enter_context(modelmesh.create(config=config))
            return client, upstream

        yield make
