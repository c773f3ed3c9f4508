"""Large bodies over every transport: their senders, and servers that count them."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import httpx2
from scripted_server import Peer

from modelmesh_cdk.transport.httpx2_transport import AsyncHttpxTransport, HttpxTransport
from modelmesh_cdk.transport.interfaces import Deadline
from modelmesh_cdk.transport.selection import TRANSPORTS, make_async_transport, make_transport

MIB = 1024 * 1024
KINDS = [*TRANSPORTS, "client of httpx2", "client of httpx"]
OWN = [(kind, mode) for kind in TRANSPORTS for mode in ("sync", "async")]
EVERY = [(kind, mode) for kind in KINDS for mode in ("sync", "async")]


class Body:
    """A body in pieces that are made while it is sent.

    Attributes:
        started: Iterations that began.
        open: Iterations that were not closed.
    """

    def __init__(self, size: int, piece: int = 256 * 1024, *, sent: int | None = None, fails_at: int | None = None) -> None:
        self.size, self._piece = size, piece
        self._sent = size if sent is None else sent
        self._fails_at = fails_at
        self.started = self.open = 0

    def __iter__(self) -> Iterator[bytes]:
        self.started += 1
        return self._pieces()

    def _pieces(self) -> Iterator[bytes]:
        self.open += 1
        try:
            for start in range(0, self._sent, self._piece):
                if self._fails_at is not None and start >= self._fails_at:
                    raise OSError(5, "Input/output error", "a.wav")
                yield piece_at(start, min(self._piece, self._sent - start))
        finally:
            self.open -= 1


def piece_at(start: int, size: int) -> bytes:
    """Return bytes that depend on their place."""
    return (b"%015d\n" % start * (size // 16 + 1))[:size]


def checksum(body: Body) -> tuple[int, int]:
    """Return length and CRC of a body."""
    size = crc = 0
    for piece in body:
        size, crc = size + len(piece), zlib.crc32(piece, crc)
    return size, crc


def read_body(peer: Peer, *, most: int | None = None) -> tuple[int, int]:
    """Return length and CRC of the body of a request, of which at most ``most`` bytes are read. A lost connection ends it."""
    head = peer.head()
    left = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    begun, peer._buffer = peer._buffer, b""
    size, crc = len(begun), zlib.crc32(begun)
    buffer = bytearray(256 * 1024)
    view = memoryview(buffer)
    left = min(left, most if most is not None else left)
    while size < left:
        got = peer.socket.recv_into(view[: min(left - size, len(buffer))])
        if not got:
            break
        size, crc = size + got, zlib.crc32(view[:got], crc)
    return size, crc


def answer(status: str, body: bytes = b"", *, close: bool = False) -> bytes:
    """Return a response."""
    end = b"Connection: close\r\n" if close else b""
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s" % (status.encode(), len(body), end, body)


class Calls:
    """Requests over one transport, in a thread or in an event loop.

    Attributes:
        transport: The transport, also an asynchronous one.
    """

    def __init__(self, kind: str, mode: str, url: str) -> None:
        self._is_async = mode == "async"
        self._runner = asyncio.Runner() if self._is_async else None
        self._client: Any = None
        self.transport: Any
        if kind in TRANSPORTS:
            make: Any = make_async_transport if self._is_async else make_transport
            self.transport = make(kind, url, max_connections=2)
        else:
            library: Any = httpx2 if kind.endswith("2") else httpx
            self._client = library.AsyncClient() if self._is_async else library.Client()
            self.transport = (AsyncHttpxTransport if self._is_async else HttpxTransport)(self._client)

    def send(self, url: str, body: Any, **seconds: float) -> tuple[int, int, int]:
        """Send a request and read its response. Return status, and length and CRC of the response body."""
        method = "POST" if body else "GET"
        deadline = Deadline(**{"connect": 20.0, "phase": 20.0, "total": 40.0, "gap": 20.0, **seconds})
        size = crc = 0
        if self._runner is None:
            response = self.transport.send(method, url + "/v1", [("X-Test", "1")], body, deadline)
            try:
                for piece in response:
                    size, crc = size + len(piece), zlib.crc32(piece, crc)
            finally:
                response.close()
            return response.status, size, crc
        return self._runner.run(self._exchange(method, url, body, deadline))

    async def _exchange(self, method: str, url: str, body: Any, deadline: Deadline) -> tuple[int, int, int]:
        size = crc = 0
        response = await self.transport.send(method, url + "/v1", [("X-Test", "1")], body, deadline)
        try:
            async for piece in response:
                size, crc = size + len(piece), zlib.crc32(piece, crc)
        finally:
            await response.aclose()
        return response.status, size, crc

    def close(self) -> None:
        if self._runner is None:
            self.transport.close()
            if self._client is not None:
                self._client.close()
            return
        self._runner.run(self.transport.aclose())
        if self._client is not None:
            self._runner.run(self._client.aclose())
        self._runner.close()


@contextmanager
def calls(kind: str, mode: str, url: str) -> Iterator[Calls]:
    """Return a caller of one transport for a test."""
    made = Calls(kind, mode, url)
    try:
        yield made
    finally:
        made.close()
