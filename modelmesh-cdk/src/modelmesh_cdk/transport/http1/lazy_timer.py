"""A timer that is set for each wait and started seldom."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from time import monotonic

_EARLY_S = 0.001  # an event loop may call slightly early


class LazyTimer:
    """Calls a function at the end of the last wait that was set.

    Most waits end long before their limit. The timer of the event loop therefore stays as it is when a later end is set, and is
    started again when it fires too early.
    """

    __slots__ = ("_call", "_due", "_fires_at", "_handle", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
        """Create the timer without starting it.

        Args:
            loop: The event loop.
            call: The function. It is also called if the wait has ended in the meantime.
        """
        self._loop, self._call = loop, call
        self._handle: asyncio.TimerHandle | None = None
        self._due = self._fires_at = math.inf

    def set(self, due: float, now: float) -> None:
        """Set the end of a wait.

        Args:
            due: The end, monotonic seconds.
            now: The present.
        """
        self._due = due
        if due < self._fires_at:
            self.cancel()
            self._handle = self._loop.call_later(max(due - now, 0.0), self._fire)
            self._fires_at = due

    def cancel(self) -> None:
        """Stop the timer."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._fires_at = math.inf

    def _fire(self) -> None:
        self._handle, self._fires_at = None, math.inf
        now = monotonic()
        if now < self._due - _EARLY_S:
            self.set(self._due, now)
        else:
            self._call()
