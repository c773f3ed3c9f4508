"""Closing of what no task reads any more, in its event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

_closing: set[asyncio.Task[None]] = set()
"""Tasks that close something. An event loop itself holds only weak references."""


def close_in(loop: asyncio.AbstractEventLoop, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a function in a task of an event loop, from any thread. Do nothing if the loop is closed.

    Args:
        loop: The event loop.
        close: The function. It keeps what it closes alive until then: otherwise the event loop would close each collected
            generator in a separate task, while its outer generator is closing it.
    """

    async def run() -> None:
        with suppress(Exception):  # an error of what is discarded concerns no caller
            await close()

    def begin() -> None:
        task = loop.create_task(run())
        _closing.add(task)
        task.add_done_callback(_closing.discard)

    with suppress(RuntimeError):  # the loop is closed
        loop.call_soon_threadsafe(begin)
