"""``GET /admin/attempts``: the live feed as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from modelmesh_proxy.admin.live_feed import MAX_READERS, LiveFeed, Reader

SendEvent = Callable[[Mapping[str, Any]], Awaitable[None]]


class AttemptStream:
    """ASGI application that sends the live feed until the reader leaves, the reader is too slow, or the proxy drains."""

    def __init__(self, feed: LiveFeed) -> None:
        self._feed = feed

    async def __call__(self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: SendEvent) -> None:
        """Serve one reader."""
        del scope
        reader = self._feed.join()
        if reader is None:
            await _refuse(send)
            return
        sender = asyncio.ensure_future(_send_all(reader, send))
        leaver = asyncio.ensure_future(_until_left(receive))
        reader.on_drop = sender.cancel
        try:
            await asyncio.wait((sender, leaver), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._feed.leave(reader)
            for task in (sender, leaver):
                task.cancel()
                with suppress(asyncio.CancelledError, OSError):
                    await task


async def _send_all(reader: Reader, send: SendEvent) -> None:
    headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    while (message := await reader.queue.get()) is not None:
        kind, facts = message
        data = json.dumps(facts, ensure_ascii=False, separators=(",", ":"), default=str)
        await send({"type": "http.response.body", "body": f"event: {kind}\ndata: {data}\n\n".encode(), "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _until_left(receive: Callable[[], Awaitable[Any]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(send: SendEvent) -> None:
    message = f"{MAX_READERS} live views are open, which is the most. Close one of them."
    body = json.dumps({"error": {"message": message, "type": "rate_limit_error", "param": None, "code": "too_many_views"}})
    headers = [(b"content-type", b"application/json"), (b"retry-after", b"5")]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})
