"""One client in many threads and tasks with unreliable providers: replies are complete and unique, and every count is exact."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock
from typing import Any

import pytest

from modelmesh import ModelMesh
from modelmesh.contracts import FailureClass
from modelmesh.errors import ProviderServerError
from modelmesh.testing import VirtualClock

THREADS, CALLS, TASKS = 64, 50, 500
NAMES = ("a", "b", "c", "d")


class Flaky:
    """Echoes the last message. One call in twenty fails, by a seeded draw."""

    id = "test.flaky.v1"
    capabilities = ("chat-completion",)

    def __init__(self, seed: int) -> None:
        self.rng, self.lock = random.Random(seed), Lock()
        self.answered, self.failed = Counter[str](), 0
        self.in_flight = self.most = 0

    def models(self) -> list[Any]:
        from modelmesh.contracts.models import ModelInfo

        return [ModelInfo("m")]

    def _enter(self) -> None:
        with self.lock:
            self.in_flight += 1
            self.most = max(self.most, self.in_flight)

    def _answer(self, call: Any) -> Any:
        from modelmesh.contracts.provider import Answer

        text = call.payload["messages"][0]["content"]
        with self.lock:
            self.in_flight -= 1
            if self.rng.random() < 0.05:
                self.failed += 1
                raise ProviderServerError("down", failure=FailureClass.SERVER, status=500)
            self.answered[text] += 1
        choice = {"index": 0, "message": {"role": "assistant", "content": f"echo {text}"}, "finish_reason": "stop"}
        return Answer({"choices": [choice], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}})

    def send(self, call: Any, model: str, limits: Any) -> Any:
        self._enter()
        return self._answer(call)

    async def asend(self, call: Any, model: str, limits: Any) -> Any:
        self._enter()
        await asyncio.sleep(0)
        return self._answer(call)

    def close(self) -> None: ...

    async def aclose(self) -> None: ...


class Spread:
    """Selects a random candidate."""

    id = "test.spread.v1"

    def select(self, candidates: Any, request: Any) -> Any:
        some = list(candidates)
        return some[int(request.rng.random() * len(some))]


class Sink:
    id = "test.sink.v1"

    def __init__(self) -> None:
        self.entries: list[Any] = []

    def emit(self, event: Any) -> None: ...

    def log(self, entry: Any) -> None:
        self.entries.append(entry)


@pytest.fixture
def world() -> Any:
    providers = {name: Flaky(seed) for seed, name in enumerate(NAMES)}
    clock, sink = VirtualClock(), Sink()
    mesh = ModelMesh(clock=clock, sleep=clock.sleep, asleep=clock.asleep, rng=random.Random(1))
    mesh.initialize(
        {
            "providers": {
                name: {"instance": one, "connection_pool": {"max_connections": 1000}} for name, one in providers.items()
            },
            # breakers never open and there are many attempts, because the test of the counts needs an answer to every request
            "pools": {
                "chat": {
                    "deactivation": {"retry_limit": 10**9, "error_rate_threshold": 1.0},
                    "retry": {"max_attempts": 8},
                    "strategy_instance": Spread(),
                }
            },
            "observability": {"instance": sink},
        }
    )
    with mesh:
        yield mesh, providers, sink


def ask(client: Any, text: str) -> Any:
    return client.chat.completions.create(model="chat", messages=[{"role": "user", "content": text}])


def check(world: Any, texts: list[str], replies: list[tuple[str, Any]]) -> None:
    mesh, providers, sink = world
    assert sorted(text for text, _ in replies) == sorted(texts)
    assert all(reply.content == f"echo {text}" for text, reply in replies)  # no reply belongs to another request
    answered = sum((one.answered for one in providers.values()), Counter())
    assert answered == Counter(texts)  # one provider answered each request once
    attempts = [attempt for _, reply in replies for attempt in reply.attempts]
    assert Counter(one.outcome for one in attempts) == {
        "answered": len(texts),
        "failed": sum(one.failed for one in providers.values()),
    }
    usage = mesh.usage
    assert (usage.total_requests, usage.total_tokens) == (len(texts), 3 * len(texts))
    assert {name: one.total_requests for name, one in usage.by_provider.items()} == {
        name: sum(one.answered.values()) for name, one in providers.items() if one.answered
    }
    (pool,) = mesh.list_pools()
    assert pool.total_requests == len(attempts)
    assert [candidate.account.in_flight for candidate in pool.members] == [0] * len(NAMES)
    assert [one.in_flight for one in providers.values()] == [0] * len(NAMES)
    assert Counter(entry.error for entry in sink.entries) == {None: len(texts)}
    assert len({entry.request_id for entry in sink.entries}) == len(texts)
    assert sum(one.failed for one in providers.values()) > len(texts) / 40  # some attempts failed


def test_mesh_shared_by_threads_counts_every_request(world: Any) -> None:
    client = world[0].client
    texts = [f"{thread}/{call}" for thread in range(THREADS) for call in range(CALLS)]

    def work(thread: int) -> list[tuple[str, Any]]:
        mine = texts[thread * CALLS : (thread + 1) * CALLS]
        return [(text, ask(client, text)) for text in mine]

    with ThreadPoolExecutor(THREADS) as pool:
        replies = [one for found in pool.map(work, range(THREADS)) for one in found]
    check(world, texts, replies)


def test_mesh_shared_by_tasks_counts_every_request(world: Any) -> None:
    client = world[0].get_client()
    texts = [str(task) for task in range(TASKS)]

    async def one(text: str) -> tuple[str, Any]:
        return text, await ask(client, text)

    async def main() -> list[tuple[str, Any]]:
        return await asyncio.gather(*map(one, texts))

    check(world, texts, asyncio.run(main()))
    assert max(provider.most for provider in world[1].values()) > 1  # requests were in flight together


class Slow(Flaky):
    """Waits in the process that created it, and not in its children."""

    def __init__(self) -> None:
        super().__init__(0)
        self.process, self.arrived, self.go_on = os.getpid(), Event(), Event()

    def send(self, call: Any, model: str, limits: Any) -> Any:
        if os.getpid() == self.process:
            self.arrived.set()
            self.go_on.wait(20)
        self.rng = random.Random(0)
        return super().send(call, model, limits)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("policy", ["in-memory", "immediate"])
def test_fork_drops_the_leases_of_parent_threads(policy: str) -> None:
    from modelmesh._engine.builtin.memory import MemoryStorage

    vendor, mesh = Slow(), ModelMesh()
    mesh.initialize(
        {
            "providers": {
                "a": {"instance": vendor, "connection_pool": {"max_connections": 1}, "quota": {"requests_per_minute": 2}}
            },
            "pools": {"chat": {}},
            "storage": {"instance": MemoryStorage(), "sync_policy": policy},
        }
    )
    (pool,) = mesh.list_pools()
    (candidate,), (counter,) = pool.members, mesh._core.reservations.counters([pool]).values()
    with mesh, ThreadPoolExecutor(1) as threads:
        under_way = threads.submit(ask, mesh.client, "parent")
        assert vendor.arrived.wait(20)
        child = os.fork()
        if not child:
            signal.alarm(20)  # ends a deadlocked child
            code = 1
            try:
                heard = ask(mesh.client, "child").content
                code = int((heard, candidate.account.in_flight, counter.reserved) != ("echo child", 0, 0))
            finally:
                os._exit(code)
        wait_status = os.waitpid(child, 0)[1]
        assert (candidate.account.in_flight, counter.reserved) == (1, 1)
        vendor.go_on.set()
        assert under_way.result(20).content == "echo parent"
        assert (candidate.account.in_flight, counter.reserved, counter.used) == (0, 0, 1)
    assert os.waitstatus_to_exitcode(wait_status) == 0
