"""One connection of a thread, which serves one exchange after the other.

The socket is non-blocking, and the thread waits with ``poll``. A socket with a timeout would ``poll`` before each call, even
before a send that never waits. Each system call lets another thread run, so with many threads it costs more than its own time.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time
from collections.abc import Iterable

from modelmesh_cdk.transport.http1.response_parser import ResponseParser
from modelmesh_cdk.transport.interfaces import Deadline
from modelmesh_cdk.transport.waiting import WOULD_BLOCK, wait_for_either

_READ = 65_536
_REFUSED = 300  # lowest status with which a server may ignore the rest of a request
_SMALL = 65_536  # bytes of a request that are sent with one call


class Connection:
    """A socket, the parser of its responses, and what remains of the exchange.

    Attributes:
        parser: Parser of the responses.
        idle_since: When the last exchange ended, monotonic seconds.
    """

    __slots__ = ("__weakref__", "_interrupted", "_poll", "_socket", "_tls", "_write_failed", "idle_since", "parser")

    def __init__(self, connected: socket.socket) -> None:
        """Take over a connected socket."""
        connected.setblocking(False)
        self._socket = connected
        self._tls = isinstance(connected, ssl.SSLSocket)
        self._poll: select.poll | None = None
        self._write_failed = self._interrupted = False
        self.parser = ResponseParser()
        self.idle_since = 0.0

    @property
    def is_reusable(self) -> bool:
        """Whether the exchange has ended exactly with the last byte received, and the connection stays open."""
        return self.parser.is_reusable and not self._write_failed

    def is_quiet(self) -> bool:
        """Return whether the connection is open and no byte waits. Bytes before a request belong to no response."""
        connected = self._socket
        try:
            if connected.fileno() < 0 or (self._tls and connected.pending()):  # type: ignore[attr-defined]
                return False
            return not self._is_readable(0)
        except (OSError, ValueError):
            return False

    def _is_readable(self, seconds: float) -> bool:
        """Wait until the socket has bytes or is closed. Return whether it did in time."""
        if not hasattr(select, "poll"):  # Windows
            return bool(select.select([self._socket], [], [], seconds)[0])
        if self._poll is None:
            self._poll = select.poll()
            self._poll.register(self._socket, select.POLLIN)
        return bool(self._poll.poll(seconds * 1000))

    def send(self, method: str, head: bytes, body: bytes, deadline: Deadline) -> None:
        """Send a request. A server may respond and close before it has received everything.

        Args:
            method: Method of the request.
            head: Head of the request.
            body: Body of the request.
            deadline: Deadline of the exchange.

        Raises:
            TimeoutError: The server takes no more bytes.
        """
        self.parser.start(method)
        small = len(body) <= _SMALL
        data = head + (body if small else body[:_SMALL])
        _seconds_left(deadline)  # raises if none is left
        try:
            try:
                sent = self._socket.send(data)
            except WOULD_BLOCK:
                sent = 0
            if sent < len(data) or not small:
                self._send_rest(memoryview(data)[sent:], deadline)
                if not small:
                    self._send_rest(memoryview(body)[_SMALL:], deadline)
        except TimeoutError:
            raise
        except OSError:  # the server may have sent its response before it closed the connection. TLS loses such a response.
            self._write_failed = True

    def send_pieces(self, method: str, head: bytes, pieces: Iterable[bytes], deadline: Deadline) -> None:
        """Send a request with a body in pieces, as :meth:`send` does. Only the piece that is sent is in memory.

        Raises:
            TimeoutError: The server takes no more bytes.
            RequestBodyError: The body cannot be read.
        """
        self.parser.start(method)
        try:
            for piece in pieces:
                self._send_rest(memoryview(head + piece if head else piece), deadline)
                head = b""
                if self._write_failed:
                    return
            self._send_rest(memoryview(head), deadline)  # the body is empty
        except TimeoutError:
            raise
        except OSError:  # as above
            self._write_failed = True

    def _send_rest(self, data: memoryview, deadline: Deadline) -> None:
        """Send until the end, or until the server has refused or answered the request."""
        connected, parser = self._socket, self.parser
        while data and not self._write_failed:
            readable = wait_for_either(connected, _seconds_left(deadline))
            with contextlib.suppress(*WOULD_BLOCK):
                if readable:
                    self._feed(connected.recv(_READ))
                    if parser.failure is not None or parser.is_complete or parser.status >= _REFUSED:
                        self._write_failed = True  # the rest of the body is not sent, so no request can follow it
                        return
            with contextlib.suppress(*WOULD_BLOCK):
                data = data[connected.send(data) :]

    def receive(self, deadline: Deadline) -> None:
        """Wait for bytes and parse them.

        Raises:
            TimeoutError: None came within the limits.
            OSError: The connection is broken.
        """
        seconds = _seconds_left(deadline)
        is_ready = self._tls  # TLS may hold bytes that the socket has no longer
        while True:
            if not is_ready and not self._is_readable(seconds):
                raise TimeoutError
            try:
                data = self._socket.recv(_READ)
                break
            except ssl.SSLWantWriteError:
                wait_for_either(self._socket, seconds)
                is_ready = True
            except WOULD_BLOCK:  # a part of a TLS record, or bytes with a wrong checksum
                is_ready = False
            seconds = _seconds_left(deadline)
        self._feed(data)

    def _feed(self, data: bytes) -> None:
        if data:
            self.parser.feed(data)
        elif self._interrupted:  # the end of the bytes is not that of the response
            raise ConnectionAbortedError("interrupted")
        else:
            self.parser.feed_eof()

    def interrupt(self) -> None:
        """End a read in another thread. Closing the socket would not wake that thread."""
        self._interrupted = True
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # SSLSocket.shutdown would drop the TLS state

    def close(self) -> None:
        """Close the socket. A copy of it in another process stays open."""
        self.parser.release()
        with contextlib.suppress(OSError):
            self._socket.close()


def _seconds_left(deadline: Deadline) -> float:
    left = deadline.at - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return min(left, deadline.gap)
