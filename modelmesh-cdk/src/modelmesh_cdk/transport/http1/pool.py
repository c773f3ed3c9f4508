"""Connections of threads to one origin, with a limit and a fair queue.

An interrupt may arrive between any two lines. A :class:`Lease` therefore owns what a request has taken: its slot and its
connection. A lease that is dropped returns the slot and closes the connection, so a connection in an unknown state is never
reused. Where two assignments belong together, no call stands between them, because interrupts arrive at calls only.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from typing import Any
from weakref import WeakSet

from modelmesh_cdk.transport.connecting import KEEPALIVE_S
from modelmesh_cdk.transport.http1.connection import Connection
from modelmesh_cdk.transport.http1.errors import not_sent


class Lease:
    """The right to one connection of a pool.

    Attributes:
        connection: The connection, ``None`` before there is one.
        is_held: Whether the lease counts against the limit.
    """

    __slots__ = ("__weakref__", "_pool", "connection", "is_cancelled", "is_held", "woken")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.connection: Connection | None = None
        self.is_held = self.is_cancelled = False
        self.woken: Any = None

    def drop(self) -> None:
        """Close the connection and return the slot."""
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.close()
        if self.is_held:
            self._pool.put_back(self)

    def give_back(self) -> None:
        """Return the slot, and the connection for the next request if it is reusable."""
        connection = self.connection
        if connection is None or not connection.is_reusable:
            self.drop()
        else:
            self._pool.put_back(self)

    def __del__(self) -> None:
        if getattr(self, "is_held", False):  # an interrupt may have come before the attribute was set
            try:
                self.drop()
            except BaseException:
                self.drop()
                raise


class Pool:
    """Connections to one origin. At most ``limit`` are open."""

    def __init__(self, limit: int) -> None:
        """Create a pool without connections.

        Args:
            limit: Open connections at most.
        """
        self._limit = limit
        self._held = 0
        self._idle: deque[Connection] = deque()
        self._waiting: deque[Lease] = deque()
        self._open: WeakSet[Connection] = WeakSet()
        self._is_closed = False
        self.lock = threading.RLock()  # the garbage collector may drop a lease while this thread holds the lock

    def take(self, until: float) -> Lease:
        """Return a lease, with an open connection if one is idle. Requests are served in the order of their arrival.

        Args:
            until: End of the wait, monotonic seconds.

        Raises:
            TransportError: No connection was free in time.
        """
        lease = Lease(self)
        with self.lock:
            if self._is_closed:
                raise not_sent("the transport is closed")
            if self._held < self._limit:  # nothing waits then, because the first in the queue gets each free slot
                self._held += 1
                lease.is_held = True
                if self._idle:
                    lease.connection = self._idle.pop()
            else:
                lease.woken = threading.Lock()
                lease.woken.acquire()
                self._waiting.append(lease)
        if not lease.is_held:
            self._wait(lease, until)
        self._replace_unusable(lease)
        return lease

    def _wait(self, lease: Lease, until: float) -> None:
        try:
            lease.woken.acquire(timeout=max(until - time.monotonic(), 0.0))
            with self.lock:
                if self._is_closed:
                    raise not_sent("the transport is closed")
                if not lease.is_held:
                    raise not_sent("PoolTimeout")
        except BaseException:
            lease.is_cancelled = True
            lease.drop()
            with self.lock, contextlib.suppress(ValueError):
                self._waiting.remove(lease)
            raise

    def _replace_unusable(self, lease: Lease) -> None:
        """Replace a connection that must not be reused by another idle one, or by none."""
        while (connection := lease.connection) is not None:
            if connection.idle_since + KEEPALIVE_S > time.monotonic() and connection.is_quiet():
                return
            with self.lock:
                lease.connection = self._idle.pop() if self._idle else None
            connection.close()

    def add(self, connection: Connection) -> None:
        """Register an open connection, so that :meth:`close` reaches it."""
        with self.lock:
            self._open.add(connection)

    def put_back(self, lease: Lease) -> None:
        """Take back the slot and the connection of a lease, for the first waiting request or for a later one.

        Args:
            lease: A lease with a reusable connection, or with none.
        """
        unused: list[Connection] = []
        now = time.monotonic()
        with self.lock:
            if not lease.is_held:
                return
            connection = lease.connection
            if connection is not None:
                connection.idle_since = now
                if self._is_closed:
                    lease.connection = None
                    unused.append(connection)
                    connection = None
            if not self._hand_over(lease, connection):
                lease.connection = None
                lease.is_held = False
                self._held -= 1
                if connection is not None:
                    self._idle.append(connection)
            while self._idle and self._idle[0].idle_since + KEEPALIVE_S < now:
                unused.append(self._idle.popleft())
        for connection in unused:
            connection.close()

    def _hand_over(self, lease: Lease, connection: Connection | None) -> bool:
        """Give the slot and the connection of a lease to the first waiting request. Return whether there is one."""
        waiting = self._waiting
        while waiting:
            first = waiting[0]
            found = not (first.is_held or first.is_cancelled)
            if found:
                first.connection = connection
                lease.connection = None
                first.is_held = True
                lease.is_held = False
                first.woken.release()
            if waiting and waiting[0] is first:
                waiting.popleft()
            if found:
                return True
        return False

    def retire(self) -> None:
        """Close the idle connections, and each other one at the end of its exchange. Requests wait no longer."""
        with self.lock:
            self._is_closed = True
            unused = list(self._idle)
            self._idle.clear()
            while self._waiting:
                self._waiting.popleft().woken.release()
        for connection in unused:
            connection.close()

    def close(self) -> None:
        """Close every connection. Exchanges in other threads end with an error."""
        self.retire()
        with self.lock:
            for connection in list(self._open):
                connection.interrupt()

    def abandon(self) -> None:
        """Close the sockets in a child process. Those of the parent stay open."""
        self.lock = threading.RLock()  # another thread of the parent may have held the lock
        self._is_closed = True
        self._idle.clear()
        for connection in list(self._open):
            connection.close()
