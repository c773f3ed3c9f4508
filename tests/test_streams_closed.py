"""Streams that are closed by another thread, or dropped unread."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from typing import Any

import pytest

import modelmesh
from modelmesh_cdk.testing import Script, Upstream
from modelmesh_cdk.testing.upstream import chunk, event

HELLO: dict[str, Any] = {"model": "chat-completion", "messages": [{"role": "user", "content": "Hi"}], "stream": True}


TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]


def settings(upstream: Upstream, **more: Any) -> dict[str, Any]:
    entry = {"connector": "openai.llm.v1", "api_key": "test", "base_url": upstream.url, "models": ["m"], **more}
    return {"providers": {"a": entry}, "pools": {"chat-completion": {}}}


def in_flight(client: Any) -> int:
    return sum(entry.account.in_flight for entry in client.mesh._running.providers)


def begun(gate: threading.Event) -> Script:
    def pieces() -> Any:
        yield event(chunk({"content": "HELLO "}))
        gate.wait(30)
        yield event(chunk({"content": "WORLD"}))

    return Script(200, pieces(), content_type="text/event-stream")


def test_stream_closed_by_another_thread_ends(upstream: Upstream) -> None:
    gate = threading.Event()
    upstream.then(begun(gate))
    with modelmesh.create(config=settings(upstream)) as client:
        stream = client.chat.completions.create(**HELLO)
        first, ended, errors = threading.Event(), threading.Event(), []

        def read() -> None:
            try:
                for _ in stream:
                    first.set()
            except Exception as error:
                errors.append(error)
            ended.set()

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        assert first.wait(30)
        while not stream._chunks.gi_running:
            pass
        stream.close()
        stream.close()
        assert ended.wait(20), "the reader wakes up although the vendor sends nothing"
        gate.set()
        reader.join()
        assert not errors
        assert in_flight(client) == 0
        (member,) = client.mesh.list_pools()[0].members
        assert member.health.consecutive_failures == 0
        assert stream.attempts[-1].outcome == "cancelled"
        assert client.chat.completions.create(**{**HELLO, "stream": False}).choices[0].message.content


def test_async_stream_dropped_unread_is_one_warning(upstream: Upstream) -> None:
    noise: list[Any] = []

    async def drop() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: noise.append(context))
        async with modelmesh.create_async(config=settings(upstream)) as client:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                for _ in range(3):
                    stream = await client.chat.completions.create(**HELLO)
                    del stream
                    gc.collect()
                    await asyncio.sleep(0.05)
            assert [one.category for one in caught] == [ResourceWarning] * 3
            assert in_flight(client) == 0
            assert (await client.chat.completions.create(**{**HELLO, "stream": False})).choices
        gc.collect()
        await asyncio.sleep(0.05)

    asyncio.run(drop())
    gc.collect()
    assert not noise


def test_async_call_failing_at_once_yields_to_tasks(upstream: Upstream) -> None:
    async def contend() -> int:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        models = [{"id": "m", "features": {"tool_calling": False}}]
        async with modelmesh.create_async(config=settings(upstream, models=models)) as client:
            other = asyncio.create_task(count())
            for _ in range(20):
                with pytest.raises(modelmesh.NoActiveModelError):
                    await client.chat.completions.create(**{**HELLO, "tools": TOOLS})
            other.cancel()
        return turns

    assert asyncio.run(contend()) >= 20


@pytest.mark.parametrize("more", [{"max_connections": 3}, {"config": {"max_connections": 3}}])
def test_max_connections_of_a_provider_is_respected(upstream: Upstream, more: dict[str, Any]) -> None:
    with modelmesh.create(config=settings(upstream, **more)) as client:
        (entry,) = client.mesh._running.providers
        assert entry.provider.config.max_connections == 3
        assert entry.account.concurrency_limit == 3


def test_max_connections_twice_raises(upstream: Upstream) -> None:
    wrong = settings(upstream, max_connections=3, connection_pool={"max_connections": 5})
    with pytest.raises(modelmesh.ModelMeshError, match="max_connections is 3, but connection_pool.max_connections is 5"):
        modelmesh.create(config=wrong)
