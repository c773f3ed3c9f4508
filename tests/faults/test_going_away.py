"""A caller that stops closes the connection: the vendor sees its end immediately, streaming or not."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import modelmesh
from modelmesh_cdk.testing.upstream import chunk, event

MESSAGES = [{"role": "user", "content": "Hello!"}]


class Watcher:
    """A vendor that begins an answer, never ends it, and records the disconnect of the client."""

    def __init__(self) -> None:
        self.asked, self.gone, self.ready = threading.Event(), threading.Event(), threading.Event()
        self.gone_at = 0.0
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        await self._stop.wait()
        server.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        if json.loads(await reader.readexactly(length)).get("stream"):
            first = event(chunk({"role": "assistant", "content": "Hel"}))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            writer.write(b"%x\r\n%s\r\n" % (len(first), first))
            await writer.drain()
        self.asked.set()
        try:
            await reader.read(1)
        except ConnectionError:
            pass
        self.gone_at = time.monotonic()
        self.gone.set()
        writer.close()

    def __enter__(self) -> Watcher:
        self._thread.start()
        assert self.ready.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

    @property
    def config(self) -> dict[str, Any]:
        entry = {"connector": "openai.llm.v1", "api_key": "sk-test", "base_url": f"http://127.0.0.1:{self.port}", "models": ["m"]}
        return {"providers": {"a": entry}, "pools": {"chat-completion": {}}}


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    with Watcher() as one:
        yield one


def leave_with(client: Any) -> None:
    with client.chat.completions.create(model="chat-completion", messages=MESSAGES, stream=True) as stream:
        next(iter(stream))


def leave_by_close(client: Any) -> None:
    client.chat.completions.create(model="chat-completion", messages=MESSAGES, stream=True).close()


def leave_by_break(client: Any) -> None:
    stream = client.chat.completions.create(model="chat-completion", messages=MESSAGES, stream=True)
    for _ in stream:
        break
    with pytest.warns(ResourceWarning, match="dropped before its end"):
        del stream


@pytest.mark.parametrize("leave", [leave_with, leave_by_close, leave_by_break])
def test_stream_closed_early_closes_the_connection(leave: Callable[[Any], None], watcher: Watcher) -> None:
    with modelmesh.create(config=watcher.config) as client:
        leave(client)
        assert watcher.gone.wait(5)
        assert client.mesh.list_models()[0].account.in_flight == 0


@pytest.mark.parametrize("stream", [False, True])
def test_task_cancelled_closes_the_connection(stream: bool, watcher: Watcher) -> None:
    async def request(client: Any) -> None:
        answer = await client.chat.completions.create(model="chat-completion", messages=MESSAGES, stream=stream)
        async for _ in answer:
            pass

    async def main() -> None:
        async with modelmesh.create_async(config=watcher.config) as client:
            task = asyncio.create_task(request(client))
            await asyncio.to_thread(watcher.asked.wait, 5)
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await asyncio.to_thread(watcher.gone.wait, 5)
            assert client.mesh.list_models()[0].account.in_flight == 0

    asyncio.run(main())


def test_async_stream_closed_early_closes_the_connection(watcher: Watcher) -> None:
    async def main() -> None:
        async with modelmesh.create_async(config=watcher.config) as client:
            async with await client.chat.completions.create(model="chat-completion", messages=MESSAGES, stream=True) as stream:
                await anext(aiter(stream))
            assert await asyncio.to_thread(watcher.gone.wait, 5)

    asyncio.run(main())


def test_timeout_of_a_call_closes_the_connection(watcher: Watcher) -> None:
    with modelmesh.create(config=watcher.config) as client, pytest.raises(modelmesh.ProviderTimeoutError):
        client.chat.completions.create(model="chat-completion", messages=MESSAGES, timeout=0.2)
    assert watcher.gone.wait(5)


def test_stream_collected_during_a_request_is_harmless(watcher: Watcher) -> None:
    with modelmesh.create(config=watcher.config) as client:
        stream = client.chat.completions.create(model="chat-completion", messages=MESSAGES, stream=True)
        next(iter(stream))
        with client.mesh._core.lock, pytest.warns(ResourceWarning, match="dropped before its end"):
            del stream  # the garbage collector may do this during a step of a flow
        assert watcher.gone.wait(5)
        assert client.mesh.list_models()[0].account.in_flight == 0
