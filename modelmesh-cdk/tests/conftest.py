"""Fixtures of the kit's tests: a server on the loopback interface, and a call of a provider from a thread and from a task."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from modelmesh.contracts import CHAT
from modelmesh.contracts.call import Call, CallOptions, Limits
from modelmesh_cdk.testing import Upstream

MESSAGES = [{"role": "user", "content": "Hello!"}]


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.endswith(("_API_KEY", "_BASE_URL", "_HOST", "_TOKEN")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


@pytest.fixture(params=["thread", "task"])
def ask(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Call a provider once. Return the response or the chunks of a stream. The provider is closed afterwards."""

    async def asked(provider: Any, call: Call, limits: Limits) -> Any:
        try:
            answer = await provider.asend(call, "test-model", limits)
            if not call.stream:
                return answer
            try:
                return [chunk async for chunk in answer]
            finally:
                await answer.aclose()
        finally:
            await provider.aclose()

    def asking(
        provider: Any, *, stream: bool = False, options: CallOptions | None = None, limits: Limits | None = None, **payload: Any
    ) -> Any:
        call = Call(CHAT, "chat", {"messages": MESSAGES, **payload}, stream, options or CallOptions())
        if request.param == "task":
            return asyncio.run(asked(provider, call, limits or Limits()))
        try:
            answer = provider.send(call, "test-model", limits or Limits())
            if not stream:
                return answer
            try:
                return list(answer)
            finally:
                answer.close()
        finally:
            provider.close()

    return asking
