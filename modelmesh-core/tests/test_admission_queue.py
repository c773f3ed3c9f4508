"""Admission queue: more concurrent requests than an account permits, which all wait and are answered."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

import modelmesh
from modelmesh import NoActiveModelError
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.provider import Answer

ANSWER = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}]}
ASK: dict[str, Any] = {"model": "chat-completion", "messages": [{"role": "user", "content": "x"}]}


class Busy:
    """Slow provider that records its number of concurrent requests."""

    id = "test.busy.v1"
    capabilities = ("generation.text-generation.chat-completion",)

    def __init__(self, seconds: float) -> None:
        self.seconds, self.now, self.most = seconds, 0, 0
        self.lock = threading.Lock()

    def models(self) -> list[ModelInfo]:
        return [ModelInfo("m")]

    def _enter(self, step: int) -> None:
        with self.lock:
            self.now += step
            self.most = max(self.most, self.now)

    def send(self, call: Any, model: str, limits: Any) -> Answer:
        self._enter(1)
        time.sleep(self.seconds)
        self._enter(-1)
        return Answer(ANSWER)

    async def asend(self, call: Any, model: str, limits: Any) -> Answer:
        self._enter(1)
        await asyncio.sleep(self.seconds)
        self._enter(-1)
        return Answer(ANSWER)


def config(provider: Busy, **connections: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {"instance": provider}
    if connections:
        entry["connection_pool"] = connections
    return {"providers": {"busy": entry}, "pools": {"chat-completion": {}}}


def test_queue_serves_threads_beyond_limit() -> None:
    provider, failures = Busy(0.02), list[BaseException]()
    with modelmesh.create(config=config(provider)) as client:

        def ask() -> None:
            try:
                client.chat.completions.create(**ASK)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=ask) for _ in range(250)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (model,) = client.mesh.list_models()
        assert (model.account.in_flight, model.account.admission.waiting, model.account.admission.granted_slots) == (0, 0, 0)
    assert failures == []
    assert provider.most <= 100


def test_queue_serves_tasks_beyond_limit() -> None:
    async def main() -> None:
        provider = Busy(0.02)
        async with modelmesh.create_async(config=config(provider)) as client:
            await asyncio.gather(*(client.chat.completions.create(**ASK) for _ in range(250)))
            (model,) = client.mesh.list_models()
            assert (model.account.in_flight, model.account.admission.waiting) == (0, 0)
        assert provider.most == 100

    asyncio.run(main())


def test_queue_drops_cancelled_task() -> None:
    async def main() -> None:
        async with modelmesh.create_async(config=config(Busy(0.2), max_connections=1)) as client:
            first, second, third = (asyncio.create_task(client.chat.completions.create(**ASK)) for _ in range(3))
            await asyncio.sleep(0.05)
            (model,) = client.mesh.list_models()
            assert model.account.admission.waiting == 2
            second.cancel()
            await asyncio.gather(first, third)
            assert second.cancelled()
            assert (model.account.in_flight, model.account.admission.waiting) == (0, 0)

    asyncio.run(main())


def test_queue_size_and_wait_follow_configuration() -> None:
    async def main() -> None:
        settings = {"max_connections": 1, "queue_size": 1, "timeout": "100ms"}  # timeout is another name of queue_wait
        async with modelmesh.create_async(config=config(Busy(0.5), **settings)) as client:
            first, second = (asyncio.create_task(client.chat.completions.create(**ASK)) for _ in range(2))
            await asyncio.sleep(0.05)
            with pytest.raises(NoActiveModelError, match="the queue is full at busy"):
                await client.chat.completions.create(**ASK)
            with pytest.raises(NoActiveModelError, match=r"no slot became free within 0.1 s at busy"):
                await second
            await first

    asyncio.run(main())
