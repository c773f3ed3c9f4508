"""Ways to run a call many times: in turn, with many calls in flight, and with threads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from subjects.requests import IN_FLIGHT, THREADS
from subjects.setting import Runner, Setting

AsyncCall = Callable[[], Awaitable[object]]


def in_turn(call: Callable[[], object]) -> Runner:
    """Repeat a call."""

    def run(times: int) -> int:
        for _ in range(times):
            call()
        return times

    return run


def in_turn_async(setting: Setting, call: AsyncCall) -> Runner:
    """Repeat a call of asyncio."""

    async def repeat(times: int) -> int:
        for _ in range(times):
            await call()
        return times

    return lambda times: setting.loop.run(repeat(times))


def in_flight(setting: Setting, call: AsyncCall) -> Runner:
    """Repeat a call of asyncio, with 64 calls in flight all the time. One time is one call of each task."""

    async def repeat(times: int) -> None:
        for _ in range(times):
            await call()

    async def together(times: int) -> int:
        await asyncio.gather(*(repeat(times) for _ in range(IN_FLIGHT)))
        return times * IN_FLIGHT

    return lambda times: setting.loop.run(together(times))


def in_threads(call: Callable[[], object]) -> Runner:
    """Repeat a call in 16 threads. One time is one call of each thread."""

    def run(times: int) -> int:
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(in_turn(call), [times] * THREADS))
        return times * THREADS

    return run
