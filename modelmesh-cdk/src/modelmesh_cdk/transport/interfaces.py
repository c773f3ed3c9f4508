"""Interface of transports: one method, sync and async, and the deadline of an exchange."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Protocol

from modelmesh.contracts import FailureClass


class TransportError(Exception):
    """The exchange failed below the level of HTTP.

    Attributes:
        failure: Failure class of the attempt.
    """

    def __init__(self, failure: FailureClass, message: str) -> None:
        super().__init__(message)
        self.failure = failure


class TransportTimeoutError(TransportError):
    """A time limit of the exchange was exceeded.

    Attributes:
        phase: The exceeded limit: ``headers``, ``content``, ``total`` or ``gap``.
        seconds: Value of that limit.
    """

    def __init__(self, phase: str, seconds: float, message: str) -> None:
        super().__init__(FailureClass.TIMEOUT, message)
        self.phase = phase
        self.seconds = seconds


_TIMER_S = 0.01


class Deadline:
    """Time limits of one exchange. The reader of a stream calls :meth:`commit` when content has arrived.

    Attributes:
        connect_at: End of the connection phase, monotonic seconds.
        at: End of the current phase.
        gap: Seconds between two arrivals of bytes.
        phase: Seconds until the first content of a stream, or until the end of a plain answer.
        total: Seconds until the end.
    """

    __slots__ = ("_leave_at", "at", "connect_at", "end_at", "gap", "phase", "total")

    def __init__(self, *, connect: float, phase: float, total: float, gap: float) -> None:
        """Start the limits now.

        Args:
            connect: Seconds until the connection is open.
            phase: Seconds until the first content of a stream, or until the end of a plain answer.
            total: Seconds until the end.
            gap: Seconds between two arrivals of bytes.
        """
        now = time.monotonic()
        phase = min(phase, total)
        self.end_at = now + total
        self.at = now + phase
        self.connect_at = now + connect if connect < phase else self.at
        self.gap, self.phase, self.total = gap, phase, total
        self._leave_at = math.inf

    def commit(self) -> None:
        """End the first phase, because content has arrived. Only the total limit remains."""
        self.at = min(self.end_at, self._leave_at)

    def expire_in(self, seconds: float) -> None:
        """Limit the rest of the exchange to this many seconds."""
        self._leave_at = min(self._leave_at, time.monotonic() + seconds)
        self.at = min(self.at, self._leave_at)

    def resume(self) -> None:
        """Undo :meth:`expire_in`, because the answer continues."""
        self._leave_at = math.inf
        self.at = self.end_at

    def start_upload(self) -> None:
        """Suspend the limit of the first phase while a large body is sent."""
        self.at = min(self.end_at, self._leave_at)

    def finish_upload(self) -> None:
        """Start the first phase, because the server has the whole request."""
        self.at = min(self.end_at, self._leave_at, time.monotonic() + self.phase)

    @property
    def limit(self) -> tuple[str, float]:
        """Name and seconds of the limit of the current phase."""
        committed = self.at >= self.end_at and self.phase < self.total
        return ("total", self.total) if committed else ("content", self.phase)

    @property
    def passed(self) -> bool:
        """Whether the current phase has ended. A timer may fire slightly early."""
        return time.monotonic() >= self.at - _TIMER_S


class RequestBody(Protocol):
    """A large request body, read in pieces while it is sent.

    An optional attribute ``in_memory`` is true for a body without files on a disk. An event loop then reads it without a thread.

    Attributes:
        size: Bytes of the whole body, the value of ``Content-Length``.
    """

    size: int

    def __iter__(self) -> Iterator[bytes]:
        """Yield the pieces from the start, of 256 KiB at most. Each iteration starts over, so that a request can be repeated.

        Raises:
            OSError: A file is gone or cannot be read.
        """
        ...


class Response(Protocol):
    """A response. Iteration reads the body."""

    status: int
    headers: Mapping[str, str]

    def __iter__(self) -> Iterator[bytes]:
        """Yield the body as received. An interrupted body raises :class:`TransportError`."""
        ...

    def close(self) -> None:
        """Release the connection. It is reused only if the body was read completely."""
        ...


class AsyncResponse(Protocol):
    """A response for asyncio. Iteration reads the body."""

    status: int
    headers: Mapping[str, str]

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the body as received. An interrupted body raises :class:`TransportError`."""
        ...

    async def aclose(self) -> None:
        """Release the connection. It is reused only if the body was read completely."""
        ...


class Transport(Protocol):
    """Sends requests and waits for the headers of their responses."""

    def send(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes | RequestBody, deadline: Deadline
    ) -> Response:
        """Send a request and return the response. Redirects are not followed.

        A server may answer before it has received the whole body. The rest is then not sent.

        Raises:
            TransportError: There was no answer.
        """
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


class AsyncTransport(Protocol):
    """Sends requests in an event loop."""

    async def send(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes | RequestBody, deadline: Deadline
    ) -> AsyncResponse:
        """Send a request and return the response. Redirects are not followed. Threads read a large body.

        Raises:
            TransportError: There was no answer.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...
