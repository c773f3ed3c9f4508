"""A caller that leaves cancels the task that serves it, and with that the request to the vendor."""

from __future__ import annotations

from asyncio import Task, current_task
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelmesh_proxy.application.exchange import Exchange


class LeaveWatch:
    """Watches one exchange from the end of its request body to the end of its response.

    Attributes:
        has_left: Whether the caller left.
    """

    __slots__ = ("_connection", "_exchange", "_task", "_waiting", "has_left")

    def __init__(self, exchange: Exchange) -> None:
        """Initialize a watch over the current task."""
        self.has_left = False
        self._exchange = exchange
        self._connection = exchange.connection
        task = current_task()
        assert task is not None
        self._task: Task[Any] = task
        self._waiting: Task[Any] | None = None

    def begin(self) -> None:
        """Watch. Under another ASGI server, nothing else may receive from now on."""
        if self._connection is not None:
            self._connection.watch(self.leave)
        else:
            self._waiting = self._task.get_loop().create_task(self._wait())

    def end(self) -> None:
        """Stop watching."""
        if self._connection is not None:
            self._connection.watch(None)
        elif self._waiting is not None:
            self._waiting.cancel()

    async def _wait(self) -> None:
        while (await self._exchange.receive())["type"] != "http.disconnect":
            pass
        self.leave()

    def leave(self) -> None:
        """Cancel the task: the caller left."""
        self.has_left = True
        self._task.cancel()
