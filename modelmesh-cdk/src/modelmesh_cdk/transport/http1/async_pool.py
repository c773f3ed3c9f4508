"""Connections of one event loop to one server: idle ones, and a fair queue of those that wait for one.

The pool counts slots. A slot belongs to an idle connection, to a connection that is being opened, or to an exchange. Whichever
ends gives its slot to the request that has waited longest, and only else back to the pool.
"""

from __future__ import annotations

import asyncio
from collections import deque
from time import monotonic

from modelmesh_cdk.transport.http1.async_connecting import open_connection
from modelmesh_cdk.transport.http1.async_connection import AsyncConnection
from modelmesh_cdk.transport.http1.errors import not_sent
from modelmesh_cdk.transport.http1.request_head import Address
from modelmesh_cdk.transport.interfaces import Deadline, TransportError


class AsyncPool:
    """Connections to one server."""

    def __init__(self, max_connections: int, *, loopback_only: bool) -> None:
        """Create an empty pool.

        Args:
            max_connections: Open connections at most.
            loopback_only: Refuse connections to other machines.
        """
        self._max, self._loopback_only = max_connections, loopback_only
        self._slots = 0
        self._idle: dict[AsyncConnection, None] = {}  # in the order in which they became idle
        self._open: set[AsyncConnection] = set()
        self._waiters: deque[asyncio.Future[AsyncConnection | None]] = deque()
        self._is_closed = False
        self._all_closed: asyncio.Future[None] | None = None

    def take_idle(self) -> AsyncConnection | None:
        """Return the idle connection that was used last, ``None`` without one."""
        idle = self._idle
        while idle:
            connection, _ = idle.popitem()
            if not connection.has_unread():
                return connection
            connection.abort()
            self.free_slot()
        return None

    async def acquire(self, address: Address, deadline: Deadline, *, fresh: bool = False) -> AsyncConnection:
        """Return an idle connection or a new one. The caller starts an exchange on it at once.

        Args:
            address: Address of the request.
            deadline: Deadline of the exchange.
            fresh: Return a new connection.

        Raises:
            TransportError: No connection was free or could be opened within the limit.
        """
        self._check_open()
        known = None if fresh else self.take_idle()
        if known is not None:
            return known
        given = await self._take_slot(deadline)
        if given is not None:
            if not fresh and not given.has_unread():
                return given
            given.abort()
        connection: AsyncConnection | None = None
        try:
            connection = await open_connection(address, self, deadline, loopback_only=self._loopback_only)
            self._check_open()
        except BaseException:
            if connection is not None:
                connection.abort()
            self.free_slot()
            raise
        return connection

    def _check_open(self) -> None:
        if self._is_closed:
            raise _closed()

    async def _take_slot(self, deadline: Deadline) -> AsyncConnection | None:
        """Take a slot, with its idle connection if it has one."""
        if self._slots < self._max:
            self._slots += 1
            return None
        if self._idle:
            return self._idle.popitem()[0]
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[AsyncConnection | None] = loop.create_future()
        self._waiters.append(waiter)
        timer = loop.call_later(max(min(deadline.gap, deadline.at - monotonic()), 0.0), _expire, waiter)
        try:
            return await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._return(waiter.result())  # cancelled in the moment in which the slot came
            elif waiter in self._waiters:
                self._waiters.remove(waiter)
            raise
        finally:
            timer.cancel()

    def _return(self, connection: AsyncConnection | None) -> None:
        """Give a slot to the request that has waited longest, else back to the pool."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done() and not waiter.get_loop().is_closed():
                waiter.set_result(connection)
                return
        if connection is None:
            self._slots -= 1
        elif self._is_closed:
            connection.abort()
            self._slots -= 1
        else:
            self._idle[connection] = None

    # What connections report.

    def add(self, connection: AsyncConnection) -> None:
        """Register an open connection."""
        self._open.add(connection)

    def give_back(self, connection: AsyncConnection) -> None:
        """Take a connection that may serve another exchange."""
        self._return(connection)

    def free_slot(self) -> None:
        """Take the slot of a connection that was closed."""
        self._return(None)

    def discard(self, connection: AsyncConnection) -> None:
        """Remove a closed connection."""
        self._open.discard(connection)
        if connection in self._idle:
            del self._idle[connection]
            self.free_slot()
        if not self._open and self._all_closed is not None and not self._all_closed.done():
            self._all_closed.set_result(None)

    # The end.

    async def aclose(self) -> None:
        """Close every connection, and wait until the event loop has closed their sockets."""
        self._is_closed = True
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(_closed())
        for connection in list(self._open):
            connection.close()
        if self._open:
            self._all_closed = asyncio.get_running_loop().create_future()
            await self._all_closed

    def abandon(self) -> None:
        """Close the sockets of an event loop that was closed."""
        self._is_closed = True
        self._waiters.clear()
        for connection in list(self._open):
            connection.abandon()
        self._open.clear()
        self._idle.clear()


def _expire(waiter: asyncio.Future[AsyncConnection | None]) -> None:
    if not waiter.done():
        waiter.set_exception(not_sent("PoolTimeout"))


def _closed() -> TransportError:
    return not_sent("ConnectError: the transport is closed")
