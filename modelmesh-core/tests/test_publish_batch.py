"""Concurrent tasks share exchanges with the store, and each compares the totals that it would have seen alone."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import Any

import pytest

from modelmesh import ModelMesh
from modelmesh._engine.builtin.memory import MemoryStorage
from modelmesh._engine.execution.publish_batch import PublishBatch
from modelmesh._engine.routing.steps import Totals
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.provider import Answer
from modelmesh.errors import NoActiveModelError

CHAT = "generation.text-generation.chat-completion"


class Store:
    """Publisher whose first exchange lasts until it is released."""

    def __init__(self) -> None:
        self.release, self.exchanges, self.sums = Event(), 0, dict[str, int]()

    def publish(self, amounts: dict[str, int]) -> Totals:
        self.exchanges += 1
        for name, amount in amounts.items():
            self.sums[name] = self.sums.get(name, 0) + amount
        found = Totals(dict(self.sums))
        self.release.wait(10)
        return found


async def _begun(store: Store) -> None:
    while not store.exchanges:
        await asyncio.sleep(0.001)


def test_waiting_requests_go_in_one_exchange_and_see_the_totals_before_later_ones() -> None:
    async def run() -> None:
        store = Store()
        batch = PublishBatch(store.publish)
        first = asyncio.create_task(batch.publish({"a": 1}))
        await _begun(store)
        others = [asyncio.create_task(batch.publish({"a": 1, "b": number})) for number in range(5)]
        await asyncio.sleep(0)
        store.release.set()
        totals = [await task for task in (first, *others)]
        assert store.exchanges == 2
        assert [found.by_name["a"] - found.later.get("a", 0) for found in totals if found] == [1, 2, 3, 4, 5, 6]
        assert [found.by_name.get("b", 0) - found.later.get("b", 0) for found in totals if found] == [0, 0, 1, 3, 6, 10]

    asyncio.run(run())


def test_request_that_is_cancelled_before_its_exchange_keeps_its_amounts() -> None:
    async def run() -> None:
        store = Store()
        batch = PublishBatch(store.publish)
        first = asyncio.create_task(batch.publish({"a": 1}))
        await _begun(store)
        amounts = {"a": 7}
        cancelled, last = asyncio.create_task(batch.publish(amounts)), asyncio.create_task(batch.publish({"a": 2}))
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.wait([cancelled])
        store.release.set()
        await first
        found = await last
        assert amounts == {"a": 7}
        assert found is not None
        assert found.by_name == {"a": 3}

    asyncio.run(run())


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_failed_exchange_raises_in_each_request(failure: type[BaseException]) -> None:
    def publish(amounts: dict[str, int]) -> Totals:
        raise failure

    async def run() -> list[Any]:
        batch = PublishBatch(publish)
        return await asyncio.gather(*(batch.publish({"a": 1}) for _ in range(2)), return_exceptions=True)

    if failure is KeyboardInterrupt:
        with pytest.raises(KeyboardInterrupt):
            asyncio.run(run())
    else:
        assert [type(error) for error in asyncio.run(run())] == [failure, failure]


class Scripted:
    """Provider that yields to other tasks before it answers."""

    id = "test.scripted.v1"

    def __init__(self) -> None:
        self.sent = 0

    def models(self) -> list[ModelInfo]:
        return [ModelInfo("scripted", capabilities=(CHAT,))]

    def send(self, call: Any, model: str, limits: Any) -> Answer:
        self.sent += 1
        choice = {"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}
        return Answer({"id": "test", "object": "chat.completion", "created": 1, "choices": [choice]})

    async def asend(self, call: Any, model: str, limits: Any) -> Answer:
        await asyncio.sleep(0.001)
        return self.send(call, model, limits)


@pytest.mark.parametrize("quota", [{"requests_per_day": 10}, {"requests_per_hour": 10}])
def test_quota_of_two_meshes_permits_exactly_its_number_of_concurrent_requests(quota: dict[str, int]) -> None:
    from modelmesh.client.clients import OpenAIClient

    store, vendor = MemoryStorage(), Scripted()
    config = {
        "providers": {"vendor": {"instance": vendor, "quota": quota}},
        "pools": {"chat": {"capability": "chat-completion"}},
        "storage": {"instance": store, "sync_policy": "immediate"},
    }

    async def ask(client: OpenAIClient) -> bool:
        try:
            await client.chat.completions.create(model="chat", messages=[{"role": "user", "content": "Hello!"}])
        except NoActiveModelError:
            return False
        return True

    async def run() -> int:
        clients = [OpenAIClient(ModelMesh(config)) for _ in range(2)]
        answers = await asyncio.gather(*(ask(client) for _ in range(20) for client in clients))
        for client in clients:
            await client.close()
        return sum(answers)

    assert asyncio.run(run()) == vendor.sent == 10
