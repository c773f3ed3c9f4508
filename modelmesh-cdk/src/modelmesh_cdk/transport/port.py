"""The transport port: one method, sync and async, and the deadline that both keep."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Protocol

from modelmesh.contracts import FailureClass


class TransportError(Exception):
    """The exchange failed below the level of HTTP.

    Attributes:
        failure: What that means for the attempt.
    """

    def __init__(self, failure: FailureClass, message: str) -> None:
        super().__init__(message)
        self.failure = failure


class TransportTimeoutError(TransportError):
    """A limit of the exchange passed.

    Attributes:
        phase: ``headers``, ``content``, ``total`` or ``gap``: the limit that was exceeded.
        seconds: That limit.
    """

    def __init__(self, phase: str, seconds: float, message: str) -> None:
        super().__init__(FailureClass.TIMEOUT, message)
        self.phase = phase
        self.seconds = seconds


_TIMER_S = 0.01


class Deadline:
    """When an exchange must have got how far. Moved on by who knows that content has arrived.

    Attributes:
        connect_at: When the connection must stand, monotonic seconds.
        at: When the current phase must be over.
        gap: Seconds that may pass between two arrivals.
        phase: Seconds until the first content, or the whole plain answer.
        total: Seconds until the end.
    """

    __slots__ = ("_leave_at", "at", "connect_at", "end_at", "gap", "phase", "total")

    def __init__(self, *, connect: float, phase: float, total: float, gap: float) -> None:
        """Start now.

        Args:
            connect: Seconds until the connection must stand.
            phase: Seconds until the first content, or the whole plain answer.
            total: Seconds until the end.
            gap: Seconds between two arrivals.
        """
        now = time.monotonic()
        self.end_at = now + total
        self.at = min(now + phase, self.end_at)
        self.connect_at = min(now + connect, self.at)
        self.gap, self.phase, self.total = gap, min(phase, total), total
        self._leave_at = math.inf

    def commit(self) -> None:
        """Content has arrived: from here only the end counts."""
        self.at = min(self.end_at, self._leave_at)

    def expire_in(self, seconds: float) -> None:
        """Leave only this much more, whatever comes."""
        self._leave_at = min(self._leave_at, time.monotonic() + seconds)
        self.at = min(self.at, self._leave_at)

    def resume(self) -> None:
        """Take back :meth:`expire_in`: the answer goes on after all."""
        self._leave_at = math.inf
        self.at = self.end_at

    @property
    def limit(self) -> tuple[str, float]:
        """The limit that ends the current phase: its name and its seconds."""
        committed = self.at >= self.end_at and self.phase < self.total
        return ("total", self.total) if committed else ("content", self.phase)

    @property
    def passed(self) -> bool:
        """Whether the current phase should be over; a timer may fire a little early."""
        return time.monotonic() >= self.at - _TIMER_S


class Response(Protocol):
    """What came back: headers now, body as it is iterated."""

    status: int
    headers: Mapping[str, str]

    def __iter__(self) -> Iterator[bytes]:
        """Yield the body as received; raise :class:`TransportError` when it breaks."""
        ...

    def close(self) -> None:
        """Release the connection; it is used again only when the body was read to its end."""
        ...


class AsyncResponse(Protocol):
    """The same for asyncio."""

    status: int
    headers: Mapping[str, str]

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the body as received; raise :class:`TransportError` when it breaks."""
        ...

    async def aclose(self) -> None:
        """Release the connection; it is used again only when the body was read to its end."""
        ...


class Transport(Protocol):
    """Sends one request and waits for the headers of its answer."""

    def send(self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes, deadline: Deadline) -> Response:
        """Exchange; redirects are not followed.

        Raises:
            TransportError: There was no answer.
        """
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


class AsyncTransport(Protocol):
    """The same for asyncio."""

    async def send(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes, deadline: Deadline
    ) -> AsyncResponse:
        """Exchange; redirects are not followed.

        Raises:
            TransportError: There was no answer.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...
