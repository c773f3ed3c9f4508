"""The upstream server: HTTP/1.1 in raw bytes, so that it is not the bottleneck.

The path selects the answer: ``/500/`` fails immediately, ``/slow/`` is a slow stream, and the rest of the path is that of the
vendor's API. Each event of a stream is written separately, as vendors write it.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys

from answers import (
    ANTHROPIC,
    ANTHROPIC_STREAM,
    GOOGLE,
    GOOGLE_STREAM,
    OPENAI,
    OPENAI_SLOW,
    OPENAI_STREAM,
    SERVER_ERROR,
    SLOW_CHUNKS,
    SLOW_SECONDS,
    SPEECH,
    TRANSCRIPT,
    embeddings,
)

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
STREAMED = re.compile(rb'"stream": ?true')
BASE64 = re.compile(rb'"encoding_format": ?"base64"')


class Connection(asyncio.Protocol):
    """One connection, kept alive."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._loop = asyncio.get_running_loop()
        self._write, self._buffer = transport.write, bytearray()  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n") + 4) > 3:
            length = LENGTH.search(self._buffer, 0, end)
            total = end + int(length[1]) if length else end
            if len(self._buffer) < total:
                return
            path, body = self._buffer[:end].split(b" ", 2)[1], self._buffer[end:total]
            self._buffer = self._buffer[total:]
            self._respond(path, body)

    def _respond(self, path: bytearray, body: bytearray) -> None:
        if b"/500/" in path:
            self._write(SERVER_ERROR)
        elif path.endswith(b"/embeddings"):
            self._write(embeddings("base64" if BASE64.search(body) else "float"))
        elif path.endswith(b"/transcriptions"):
            self._write(TRANSCRIPT)
        elif path.endswith(b"/speech"):
            self._write(SPEECH)
        elif b":generateContent" in path:
            self._write(GOOGLE)
        elif b":streamGenerateContent" in path:
            self._write_all(GOOGLE_STREAM)
        elif path.endswith(b"/messages"):
            self._answer(body, ANTHROPIC, ANTHROPIC_STREAM)
        elif b"/slow/" in path:
            self._write_slowly(0)
        else:
            self._answer(body, OPENAI, OPENAI_STREAM)

    def _answer(self, body: bytearray, plain: bytes, stream: list[bytes]) -> None:
        if STREAMED.search(body):
            self._write_all(stream)
        else:
            self._write(plain)

    def _write_all(self, pieces: list[bytes]) -> None:
        for one in pieces:
            self._write(one)

    def _write_slowly(self, place: int) -> None:
        self._write(OPENAI_SLOW[place])
        if place + 1 < len(OPENAI_SLOW):
            self._loop.call_later(SLOW_SECONDS / SLOW_CHUNKS, self._write_slowly, place + 1)


class _UntilClosed(asyncio.Protocol):
    """Ends the process when its parent has ended."""

    def connection_lost(self, exc: Exception | None) -> None:
        os._exit(0)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.connect_read_pipe(_UntilClosed, sys.stdin)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
