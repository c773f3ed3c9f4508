"""A server on a raw socket: a function of the test serves each connection."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

WAIT_S = 20.0
"""Limit of every wait of a test. It is reached only where the subject is wrong."""


class Peer:
    """One accepted connection."""

    def __init__(self, connection: socket.socket, number: int) -> None:
        self.socket, self.number = connection, number
        self._buffer = b""

    def request(self) -> bytes:
        """Return the next request, empty at the end of the connection."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._more():
                return b""
        head, _, _ = self._buffer.partition(b"\r\n\r\n")
        lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        size = len(head) + 4 + (lengths[0] if lengths else 0)
        while len(self._buffer) < size:
            if not self._more():
                return b""
        request, self._buffer = self._buffer[:size], self._buffer[size:]
        return request

    def head(self) -> bytes:
        """Return the head of the next request, and leave its body in the socket or the buffer."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._more():
                return b""
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        return head

    def _more(self) -> bool:
        try:
            data = self.socket.recv(65_536)
        except OSError:
            return False
        self._buffer += data
        return bool(data)

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(data)

    def wait_for_end(self) -> None:
        """Read until the client closes the connection."""
        with contextlib.suppress(OSError):
            while self.socket.recv(1 << 18):
                pass

    def reset(self) -> None:
        """Close the connection with a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class ScriptedServer:
    """Serves each connection with ``serve`` in a thread of its own, and closes the connection after it."""

    def __init__(self, serve: Callable[[Peer], None], context: ssl.SSLContext | None, *, buffer: int | None) -> None:
        self._serve, self._context = serve, context
        self.connections = 0
        self.ended = 0
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        if buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
        self.port = self._socket.getsockname()[1]
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{'http' if self._context is None else 'https'}://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                self._sockets.append(connection)
                threading.Thread(target=self._run, args=(connection, self.connections), daemon=True).start()

    def _run(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError):
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
                self._sockets.append(connection)
            self._serve(Peer(connection, number))
        with contextlib.suppress(OSError):
            connection.close()
        self.ended += 1

    def wait_until_ended(self, count: int) -> None:
        """Wait until this many connections have ended."""
        until = time.monotonic() + WAIT_S
        while self.ended < count:
            assert time.monotonic() < until, f"{self.ended} of {count} connections have ended"
            time.sleep(0.005)

    def close(self) -> None:
        self._socket.close()
        for connection in self._sockets:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(OSError):
                connection.close()


@contextmanager
def scripted_server(
    serve: Callable[[Peer], None], context: ssl.SSLContext | None = None, *, buffer: int | None = None
) -> Iterator[ScriptedServer]:
    """Run a server for a test.

    Args:
        serve: Serves one connection.
        context: TLS of the server.
        buffer: Size of the socket buffers.
    """
    server = ScriptedServer(serve, context, buffer=buffer)
    try:
        yield server
    finally:
        server.close()


def sized(body: bytes) -> bytes:
    """Return a response with a length."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


def echo(request: bytes) -> bytes:
    """Return a response with the body of the request."""
    return sized(request.partition(b"\r\n\r\n")[2])


def serve_echo(peer: Peer) -> None:
    """Echo the body of each request."""
    while request := peer.request():
        peer.send(echo(request))
