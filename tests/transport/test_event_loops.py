"""Connections go when their event loop goes, however it ends."""

from __future__ import annotations

import asyncio
import gc
import os
import warnings
from typing import Any

import pytest
from raw_server import answer_to, raw_server

import modelmesh

pytestmark = pytest.mark.usefixtures("each_transport")

RUNS = 20
HELLO: dict[str, Any] = {"model": "chat-completion", "messages": [{"role": "user", "content": "Hi"}]}


def sockets() -> int:
    links = (os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd"))  # noqa: PTH118, PTH208
    return sum(os.path.exists(link) and os.readlink(link).startswith("socket:") for link in links)  # noqa: PTH110, PTH115


def event_loops() -> list[asyncio.AbstractEventLoop]:
    gc.collect()
    return [one for one in gc.get_objects() if isinstance(one, asyncio.AbstractEventLoop)]


async def once(client: Any, *, stream: bool) -> None:
    answer = await client.chat.completions.create(**HELLO, stream=stream)
    if stream:
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in answer]) == "right"
    else:
        assert answer.choices[0].message.content == "right"


def in_loop_that_is_only_closed(client: Any, *, stream: bool) -> None:
    loop = asyncio.new_event_loop()
    loop.run_until_complete(once(client, stream=stream))
    loop.close()


def in_run(client: Any, *, stream: bool) -> None:
    asyncio.run(once(client, stream=stream))


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")  # noqa: PTH112
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("run", [in_run, in_loop_that_is_only_closed])
def test_loop_per_request_leaves_no_connection(run: Any, stream: bool) -> None:
    earlier, opened = event_loops(), sockets()  # of other tests in this process
    with raw_server(lambda _, request: answer_to(request, "right")) as server, warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        entry = {"connector": "openai.llm.v1", "api_key": "test", "base_url": server.url, "models": ["m"]}
        client = modelmesh.create_async(config={"providers": {"a": entry}, "pools": {"chat-completion": {}}})
        for _ in range(RUNS):
            run(client, stream=stream)
        loops = [one for one in event_loops() if not any(one is known for known in earlier)]
        ours = sockets() - opened - 1 - sum(one.fileno() >= 0 for one in server._open)
        assert len(loops) <= 3
        assert ours <= 3
        asyncio.run(client.aclose() if hasattr(client, "aclose") else client.close())
    assert server.connections == RUNS


def test_second_request_in_one_loop_reuses_connection() -> None:
    async def twice(client: Any) -> None:
        await once(client, stream=False)
        await once(client, stream=True)

    with raw_server(lambda _, request: answer_to(request, "right")) as server:
        entry = {"connector": "openai.llm.v1", "api_key": "test", "base_url": server.url, "models": ["m"]}
        client = modelmesh.create_async(config={"providers": {"a": entry}, "pools": {"chat-completion": {}}})
        asyncio.run(twice(client))
        assert server.connections == 1
