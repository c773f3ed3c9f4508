"""A server on a raw socket: it says the bytes that a test gives it, whatever HTTP would have."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from modelmesh_cdk.transport.interfaces import Deadline


class RawServer:
    """Answers each request with what ``answer(number, request)`` returns, and keeps the connection."""

    def __init__(self, answer: Callable[[int, bytes], bytes], context: ssl.SSLContext | None = None) -> None:
        self.answer, self._context = answer, context
        self.connections = 0
        self._is_closed = False
        self.requests: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{'http' if self._context is None else 'https'}://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                if self._is_closed:
                    connection.close()
                    return
                self.connections += 1
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            while request := _read(connection):
                self.requests.append(request)
                connection.sendall(self.answer(len(self.requests), request))
        except OSError:  # the client or the test closed the connection
            pass
        finally:
            connection.close()

    def close(self) -> None:
        self._is_closed = True
        self._socket.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.close()


def _read(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, begun = data.partition(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    body = bytearray(begun)
    while len(body) < (lengths[0] if lengths else 0):
        piece = connection.recv(1 << 20)
        if not piece:
            return b""
        body += piece
    return head + b"\r\n\r\n" + body


@contextmanager
def raw_server(answer: Callable[[int, bytes], bytes], context: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """Run a server for a test."""
    server = RawServer(answer, context)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def scripted_server(script: Callable[[int, socket.socket], None]) -> Iterator[RawServer]:
    """Run a server that performs ``script(number, connection)`` on each connection, and closes it at the end."""

    class Scripted(RawServer):
        def _serve(self, connection: socket.socket) -> None:
            number = self.connections
            with contextlib.suppress(OSError, ValueError), connection:  # another thread may close the socket
                script(number, connection)

    server = Scripted(lambda _number, _request: b"")
    try:
        yield server
    finally:
        server.close()


def read_request(connection: socket.socket) -> bytes:
    """Read one request, empty at the end of the connection."""
    return _read(connection)


def deadline(*, connect: float = 20, phase: float = 20, total: float = 30, gap: float = 20) -> Deadline:
    """Return a deadline that a test does not reach."""
    return Deadline(connect=connect, phase=phase, total=total, gap=gap)


def completion(text: str) -> dict[str, Any]:
    """Return an answer in OpenAI's format."""
    message = {"role": "assistant", "content": text}
    return {"id": "x", "object": "chat.completion", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


def whole(body: Any, kind: str = "application/json") -> bytes:
    """Return a response with a length."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (kind.encode(), len(data), data)


def streamed(text: str) -> bytes:
    """Return a stream of server-sent events as a chunked response."""
    deltas: list[tuple[dict[str, Any], str | None]] = [({"content": text}, None), ({}, "stop")]
    chunks = [{"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]} for delta, finish in deltas]
    events = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(events), events)


def answer_to(request: bytes, text: str) -> bytes:
    """Return an answer of the form that was asked for."""
    return streamed(text) if b'"stream":true' in request else whole(completion(text))
