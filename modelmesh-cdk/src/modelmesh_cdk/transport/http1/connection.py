"""One blocking connection of a thread, which serves one exchange after the other."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time

from modelmesh_cdk.transport.http1.response_parser import ResponseParser
from modelmesh_cdk.transport.interfaces import Deadline

_READ = 65_536
_REFUSED = 300  # lowest status with which a server may ignore the rest of a request
_LATE_S = 0.005  # a read may exceed its limit by this
_SMALL = 65_536  # bytes of a request that are sent with one call


class Connection:
    """A socket, the parser of its responses, and what remains of the exchange.

    Attributes:
        parser: Parser of the responses.
        idle_since: When the last exchange ended, monotonic seconds.
    """

    __slots__ = ("__weakref__", "_interrupted", "_poll", "_socket", "_timeout", "_tls", "_write_failed", "idle_since", "parser")

    def __init__(self, connected: socket.socket) -> None:
        """Take over a connected socket."""
        self._socket = connected
        self._tls = isinstance(connected, ssl.SSLSocket)
        self._timeout = -1.0
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
            number = connected.fileno()
            if number < 0 or (self._tls and connected.pending()):  # type: ignore[attr-defined]
                return False
            if not hasattr(select, "poll"):  # Windows
                return not select.select([connected], [], [], 0)[0]
            if self._poll is None:
                self._poll = select.poll()
                self._poll.register(number, select.POLLIN)
            return not self._poll.poll(0)
        except (OSError, ValueError):
            return False

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
        try:
            self._set_timeout(_seconds_left(deadline))
            sent = self._socket.send(data)
            if sent < len(data) or not small:
                self._send_rest(memoryview(data)[sent:], deadline)
                if not small:
                    self._send_rest(memoryview(body)[_SMALL:], deadline)
        except TimeoutError:
            raise
        except OSError:  # the server may have sent its response before it closed the connection. TLS loses such a response.
            self._write_failed = True

    def _send_rest(self, data: memoryview, deadline: Deadline) -> None:
        """Send until the end, or until the server has refused or answered the request."""
        connected, parser = self._socket, self.parser
        while data and not self._write_failed:
            readable = _wait_for_either(connected, _seconds_left(deadline))
            self._set_timeout(0.0)
            with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                if readable:
                    self._feed(connected.recv(_READ))
                    if parser.failure is not None or parser.is_complete or parser.status >= _REFUSED:
                        self._write_failed = True  # the rest of the body is not sent, so no request can follow it
                        return
            with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                data = data[connected.send(data) :]

    def receive(self, deadline: Deadline) -> None:
        """Wait for bytes and parse them.

        Raises:
            TimeoutError: None came within the limits.
            OSError: The connection is broken.
        """
        self._set_timeout(_seconds_left(deadline))
        self._feed(self._socket.recv(_READ))

    def _set_timeout(self, seconds: float) -> None:
        """Limit the next call of the socket. A limit that is nearly the same remains, which saves a system call."""
        if not seconds <= self._timeout <= seconds + _LATE_S:
            self._socket.settimeout(seconds)
            self._timeout = seconds

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


def _wait_for_either(connected: socket.socket, seconds: float) -> bool:
    """Wait until the socket takes bytes or has some. Return whether it has some.

    Raises:
        TimeoutError: Neither happened in time.
    """
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(connected, select.POLLIN | select.POLLOUT)
        events = poll.poll(seconds * 1000)
        if events:
            return bool(events[0][1] & ~select.POLLOUT)
    else:  # Windows
        readable, writable, _ = select.select([connected], [connected], [], seconds)
        if readable or writable:
            return bool(readable)
    raise TimeoutError
