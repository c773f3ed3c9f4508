"""Many threads and tasks on one client with a fifth of all attempts failing: no answer is lost or doubled."""

from __future__ import annotations

import asyncio
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import modelmesh
from modelmesh.contracts import RULES, FailureClass
from modelmesh.contracts.models import ModelInfo
from modelmesh.contracts.provider import Answer

KINDS = [FailureClass.SERVER, FailureClass.PROTOCOL, FailureClass.TIMEOUT, FailureClass.DISCONNECT]


class Flaky:
    """A provider in process that fails one attempt in five, and echoes the prompt."""

    id = "test.flaky.v1"
    capabilities = ("generation.text-generation.chat-completion",)

    def __init__(self, seed: int) -> None:
        self._rng, self._lock = random.Random(seed), threading.Lock()
        self.answered = self.failed = 0

    def models(self) -> list[ModelInfo]:
        return [ModelInfo("m")]

    def send(self, call: Any, model: str, limits: Any) -> Answer:
        with self._lock:
            fails = self._rng.random() < 0.2
            self.failed, self.answered = self.failed + fails, self.answered + (not fails)
        if fails:
            kind = KINDS[self.failed % len(KINDS)]
            raise RULES[kind].error("no", failure=kind)
        message = {"role": "assistant", "content": call.payload["messages"][0]["content"]}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return Answer({"id": "x", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage})

    async def asend(self, call: Any, model: str, limits: Any) -> Answer:
        await asyncio.sleep(0)
        return self.send(call, model, limits)


def config(providers: list[Flaky]) -> dict[str, Any]:
    pool = {"deactivation": {"retry_limit": 10**6, "error_rate_threshold": 1.0}, "strategy": "round-robin"}
    wide = {"connection_pool": {"max_connections": 10_000}}
    return {
        "providers": {f"p{n}": {"instance": one, **wide} for n, one in enumerate(providers)},
        "pools": {"chat-completion": pool},
    }


def settled(mesh: Any, providers: list[Flaky], answers: list[str | None], wanted: list[str]) -> None:
    served = [answer for answer in answers if answer is not None]
    assert [a for a, w in zip(answers, wanted, strict=True) if a not in (w, None)] == []
    assert len(served) == sum(one.answered for one in providers) == mesh.usage.total_requests
    assert mesh.usage.total_tokens == 2 * len(served)
    assert sum(entry.total_requests for entry in mesh.usage.by_provider.values()) == len(served)
    assert [c.account.in_flight for c in mesh.list_models()] == [0] * len(providers)
    assert mesh.list_pools()[0].total_requests == sum(one.answered + one.failed for one in providers)
    assert len(served) > len(wanted) * 0.99  # four attempts with a failure rate of one in five: one request in 625 fails


def test_threads_with_many_calls_leave_nothing_reserved() -> None:
    providers = [Flaky(n) for n in range(5)]
    with modelmesh.create(config=config(providers)) as client:

        def work(thread: int) -> list[str | None]:
            return [one(client, f"{thread}/{number}") for number in range(1000)]

        def one(client: Any, text: str) -> str | None:
            try:
                return str(
                    client.chat.completions.create(model="chat-completion", messages=[{"role": "user", "content": text}]).content
                )
            except modelmesh.AllProvidersExhaustedError:
                return None

        before = threading.active_count()
        with ThreadPoolExecutor(64) as pool:
            answers = [answer for done in pool.map(work, range(64)) for answer in done]
        assert threading.active_count() <= before
        settled(client.mesh, providers, answers, [f"{t}/{n}" for t in range(64) for n in range(1000)])


def test_thousand_tasks_are_answered() -> None:
    providers = [Flaky(n) for n in range(5)]

    async def main() -> None:
        async with modelmesh.create_async(config=config(providers)) as client:

            async def one(text: str) -> str | None:
                try:
                    reply = await client.chat.completions.create(
                        model="chat-completion", messages=[{"role": "user", "content": text}]
                    )
                except modelmesh.AllProvidersExhaustedError:
                    return None
                return str(reply.content)

            wanted = [f"{n}/{k}" for k in range(5) for n in range(1000)]
            answers: list[str | None] = []
            for k in range(5):
                answers += await asyncio.gather(*(one(f"{n}/{k}") for n in range(1000)))
            assert len(asyncio.all_tasks()) == 1
            settled(client.mesh, providers, answers, wanted)

    asyncio.run(main())
