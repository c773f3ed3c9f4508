"""A thousand streams at once, each of which lasts 0.2 s at the vendor: time, and memory while all are open."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable

from subjects.process_memory import resident_kib
from subjects.requests import SLOW_CHUNKS, STREAMS
from subjects.setting import Runner, Setting

Stream = Callable[[], Awaitable[int]]
"""Reads one stream and returns the number of its chunks with content."""


async def _all(stream: Stream, count: int) -> None:
    found = await asyncio.gather(*(stream() for _ in range(count)))
    assert found == [SLOW_CHUNKS] * count


def together(setting: Setting, stream: Stream) -> Runner:
    """Read a thousand streams at once."""

    def run(times: int) -> int:
        for _ in range(times):
            setting.loop.run(_all(stream, STREAMS))
        return times

    return run


async def _watched(stream: Stream) -> dict[str, float]:
    before = resident_kib()
    streams = asyncio.ensure_future(_all(stream, STREAMS))
    greatest = before
    while not streams.done():
        await asyncio.sleep(0.02)
        greatest = max(greatest, resident_kib())
    await streams
    return {"kib": (greatest - before) / STREAMS}


def memory_of(setting: Setting, stream: Stream) -> Runner:
    """Measure the resident memory of a thousand streams. Only the first thousand of a process grow it."""
    setting.loop.run(_all(stream, 10))
    gc.collect()
    found = setting.loop.run(_watched(stream))
    return lambda _times: found
