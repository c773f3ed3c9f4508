"""A vendor on loopback, in a separate process so that its work is not counted.

``POST …/500/…`` fails immediately. A body with ``"stream":true`` gets server-sent events, each written separately as vendors
write them. Any other request gets one short chat completion.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

EVENTS = 200
"""Events with content in one streamed answer."""

_BASE = {"id": "chatcmpl-bench", "created": 1763700000, "model": "gpt-4o-mini"}


def _plain() -> bytes:
    message = {"role": "assistant", "content": "Hello there, this is an answer of moderate length."}
    usage = {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return json.dumps({**_BASE, "object": "chat.completion", "choices": choices, "usage": usage}).encode()


def _event(delta: dict[str, str], finish: str | None) -> bytes:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return b"data: " + json.dumps({**_BASE, "object": "chat.completion.chunk", "choices": choices}).encode() + b"\n\n"


def _piece(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _answer(status: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body)


PLAIN = _answer(b"200 OK", _plain())
REFUSED = _answer(b"500 Internal Server Error", b'{"error":{"message":"no","type":"server_error"}}')
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
PIECES = [_piece(_event({"content": f"token{n} "}, None)) for n in range(EVENTS)]
LAST = _piece(_event({}, "stop") + b"data: [DONE]\n\n") + b"0\r\n\r\n"


class Vendor(asyncio.Protocol):
    """One connection, kept alive."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(self._buffer) < end + 4 + length:
                return
            body = self._buffer[end + 4 : end + 4 + length].replace(b" ", b"")
            self._buffer = self._buffer[end + 4 + length :]
            self._respond(head, body)

    def _respond(self, head: bytes, body: bytes) -> None:
        write = self._transport.write  # type: ignore[attr-defined]
        if b"/500/" in head.partition(b"\r\n")[0]:
            write(REFUSED)
        elif b'"stream":true' in body:
            write(HEAD)
            for piece in PIECES:
                write(piece)
            write(LAST)
        else:
            write(PLAIN)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(Vendor, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().connect_read_pipe(_UntilClosed, sys.stdin)
    await server.serve_forever()


class _UntilClosed(asyncio.Protocol):
    """Ends the process when its parent has ended."""

    def connection_lost(self, exc: Exception | None) -> None:
        os._exit(0)


@contextmanager
def running() -> Iterator[str]:
    """Run the vendor in a separate process and yield its address."""
    process = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.communicate()


if __name__ == "__main__":
    asyncio.run(_serve())
