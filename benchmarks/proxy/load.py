"""Load of one kind on a gateway: ``python load.py`` with one JSON object on each line of its input.

An order has ``port``, ``path``, ``headers``, ``body``, ``connections`` and ``requests``, and optionally ``leave_after`` (close
each connection after so many bytes of an answer). The reply has ``answered``, ``failed``, ``events``, ``seconds`` and
``first_ms``.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from contextlib import suppress
from typing import Any

import httptools

PATIENCE_S = 300


class Caller(asyncio.Protocol):
    """One kept-alive connection, which sends requests in turn while some are left."""

    def __init__(self, load: Load) -> None:
        self.load, self.open = load, False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        if self.load.left == 0:
            self.transport.close()
            return
        self.load.left -= 1
        self.open, self.size, self.events, self.tail, self.first = True, 0, 0, b"", None
        self.parser = httptools.HttpResponseParser(self)
        self.began = time.perf_counter()
        self.transport.write(self.load.request)

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.abort()

    def on_body(self, data: bytes) -> None:
        if self.first is None:
            self.first = time.perf_counter() - self.began
        self.size += len(data)
        self.events += data.count(b"data: ")
        self.tail = (self.tail + data)[-24:]
        if self.load.leave_after is not None and self.size > self.load.leave_after:
            self.transport.abort()

    def on_message_complete(self) -> None:
        whole = not self.events or b"[DONE]" in self.tail
        self.end(good=self.parser.get_status_code() == 200 and whole)
        self.send()

    def connection_lost(self, _error: Exception | None) -> None:
        if self.open:
            self.end(good=self.load.leave_after is not None)
        if self.load.left:
            self.load.connect()
        else:
            self.load.check_end()

    def end(self, *, good: bool) -> None:
        self.open = False
        self.load.end(self.events, self.first, good=good)


class Load:
    """The requests of one order."""

    def __init__(self, order: dict[str, Any]) -> None:
        body = json.dumps(order["body"]).encode()
        headers = {"host": f"127.0.0.1:{order['port']}", "content-type": "application/json", **order["headers"]}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.request = f"POST {order['path']} HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body
        self.port, self.left, self.leave_after = order["port"], order["requests"], order.get("leave_after")
        self.wanted, self.answered, self.failed, self.events, self.first = order["requests"], 0, 0, 0, []
        self.connections, self.tasks = order["connections"], set()
        self.ended = asyncio.Event()

    def end(self, events: int, first: float | None, *, good: bool) -> None:
        self.answered += good
        self.failed += not good
        self.events += events
        if first is not None:
            self.first.append(first)
        self.check_end()

    def check_end(self) -> None:
        if self.answered + self.failed == self.wanted:
            self.ended.set()

    def connect(self) -> None:
        task = asyncio.ensure_future(self._connect())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _connect(self) -> None:
        with suppress(OSError):
            await asyncio.get_running_loop().create_connection(lambda: Caller(self), "127.0.0.1", self.port)

    async def run(self) -> dict[str, Any]:
        began = time.perf_counter()
        for _ in range(self.connections):
            self.connect()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.ended.wait(), PATIENCE_S)
        took = time.perf_counter() - began
        first = statistics.median(self.first) * 1000 if self.first else None
        return {
            "answered": self.answered,
            "failed": self.wanted - self.answered,
            "events": self.events,
            "seconds": took,
            "first_ms": first,
        }


def main() -> None:
    """Carry out the orders."""
    for line in sys.stdin:
        order = json.loads(line)

        async def one(order: dict[str, Any] = order) -> dict[str, Any]:
            return await Load(order).run()

        print(json.dumps(asyncio.run(one())), flush=True)


if __name__ == "__main__":
    with suppress(ImportError):
        import uvloop

        uvloop.install()
    main()
