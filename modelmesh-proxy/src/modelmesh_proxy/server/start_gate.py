"""Bound of the requests that begin in one round of the event loop.

All requests that arrived since the last look at the sockets would otherwise begin in one round, and everything that arrives
meanwhile waits for its end: with 128 busy connections about 30 ms. Requests beyond the bound begin in the next rounds, in the
order of their arrival.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable

MAX_STARTS = 32
"""Requests that begin in one round, about 10 ms of work."""


class StartGate:
    """Starts the requests of all connections of one server."""

    __slots__ = ("_is_scheduled", "_left", "_waiting")

    def __init__(self) -> None:
        self._left = MAX_STARTS
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_scheduled = False

    def may_start(self, loop: AbstractEventLoop) -> bool:
        """Return whether a request may begin now. Otherwise it must :meth:`wait`."""
        if not self._is_scheduled:
            self._is_scheduled = True
            loop.call_soon(self._begin_round, loop)
        if not self._left:
            return False
        self._left -= 1
        return True

    def wait(self, start: Callable[[], None]) -> None:
        """Start a request in a later round."""
        self._waiting.append(start)

    def _begin_round(self, loop: AbstractEventLoop) -> None:
        self._left = MAX_STARTS
        self._is_scheduled = bool(self._waiting)
        if not self._is_scheduled:
            return
        loop.call_soon(self._begin_round, loop)
        while self._waiting and self._left:
            self._left -= 1
            self._waiting.popleft()()
