"""Discarded streams: each is counted with its consumption and releases its lease."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from modelmesh import ModelMesh
from modelmesh.contracts.models import ModelInfo

CHUNK = {"id": "test", "object": "chat.completion.chunk", "created": 1, "model": "m"}


class Stream:
    """Yields one word. Its close raises or hangs if the vendor hangs."""

    headers: dict[str, str] = {}
    adapted = ()

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor

    def __iter__(self) -> Iterator[dict[str, Any]]:
        yield {**CHUNK, "choices": [{"index": 0, "delta": {"role": "assistant", "content": "hello"}, "finish_reason": None}]}
        yield {**CHUNK, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        yield {**CHUNK, "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 6, "total_tokens": 9}}

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        for chunk in self:
            yield chunk

    def commit(self) -> None: ...

    def close(self) -> None:
        if self.vendor.hangs:
            raise OSError("it does not close")

    async def aclose(self) -> None:
        if self.vendor.hangs:
            self.vendor.closing.set()
            await asyncio.sleep(3600)


class Vendor:
    id = "test.vendor.v1"
    capabilities = ("chat-completion",)

    def __init__(self) -> None:
        self.hangs, self.closing = False, asyncio.Event()

    def models(self) -> list[ModelInfo]:
        return [ModelInfo("m")]

    def send(self, call: Any, model: str, limits: Any) -> Any:
        return Stream(self)

    async def asend(self, call: Any, model: str, limits: Any) -> Any:
        return Stream(self)


class World:
    """A mesh of one vendor."""

    def __init__(self) -> None:
        self.vendor, self.mesh = Vendor(), ModelMesh()
        account = {"instance": self.vendor, "quota": {"tokens_per_minute": 1000}}
        self.mesh.initialize({"providers": {"a": account}, "pools": {"chat": {}}})
        self.request = {"model": "chat", "messages": [], "stream": True}

    def ask(self) -> Any:
        return self.mesh.client.chat.completions.create(**self.request)

    async def aask(self) -> Any:
        return await self.mesh.get_client().chat.completions.create(**self.request)

    @property
    def counted(self) -> tuple[int, int, int]:
        """Answered requests, their tokens, and attempts without a known price."""
        usage = self.mesh.usage
        return usage.total_requests, usage.total_tokens, usage.total.unknown_cost_attempts

    @property
    def spent(self) -> int:
        """Use of the limit, when no reservation is open."""
        ((candidate,), (counter,)) = (
            self.mesh.list_pools()[0].members,
            self.mesh._core.reservations.counters(self.mesh.list_pools()).values(),
        )
        assert (candidate.account.in_flight, counter.reserved) == (0, 0)
        return int(counter.used)


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    with made.mesh:
        yield made


def test_stream_closed_at_last_chunk_is_counted(world: World) -> None:
    with world.ask() as stream:
        next(chunk for chunk in stream if chunk.choices[0].finish_reason)
    assert (world.counted, world.spent) == ((1, 9, 0), 9)


def test_async_stream_closed_at_last_chunk_is_counted(world: World) -> None:
    async def leave() -> None:
        async with await world.aask() as stream:
            async for chunk in stream:
                if chunk.choices[0].finish_reason:
                    break

    asyncio.run(leave())
    assert (world.counted, world.spent) == ((1, 9, 0), 9)


def test_async_stream_dropped_unread_is_closed(world: World) -> None:
    async def drop() -> None:
        stream = await world.aask()
        with pytest.warns(ResourceWarning, match="dropped before its end"):
            del stream

    asyncio.run(drop())
    assert world.counted == (1, 2, 0), "the received word, estimated"
    assert world.mesh.usage.total.estimated_requests == 1
    assert world.spent > 0, "the expected consumption"


def test_async_stream_cancelled_while_closing_is_counted(world: World) -> None:
    async def read() -> None:
        async for _ in await world.aask():
            pass

    async def main() -> None:
        world.vendor.hangs = True
        task = asyncio.create_task(read())
        await asyncio.wait_for(world.vendor.closing.wait(), 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert (world.counted, world.spent) == ((1, 9, 0), 9)


@pytest.mark.parametrize("chunks", [0, 1, 3])
def test_stream_whose_close_raises_is_counted(world: World, chunks: int) -> None:
    world.vendor.hangs = True
    stream = world.ask()
    with pytest.raises(OSError, match="it does not close"):
        for _ in range(chunks):
            next(stream)
        stream.close()
    assert world.counted == ((1, 9, 0) if chunks == 3 else (1, 2, 0))
    assert world.spent > 0
