"""Transport of threads over blocking sockets."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from time import monotonic

from modelmesh_cdk.transport.http1.connection import Connection
from modelmesh_cdk.transport.http1.dialing import dial
from modelmesh_cdk.transport.http1.errors import InvalidResponseError, before_headers, in_body
from modelmesh_cdk.transport.http1.pool import Lease, Pool
from modelmesh_cdk.transport.http1.request_head import Address, parse_url, request_head
from modelmesh_cdk.transport.interfaces import Deadline, RequestBody
from modelmesh_cdk.transport.request_body import Pieces, body_size


class Http1Response:
    """A response whose body obeys the deadline."""

    def __init__(self, pool: Pool, lease: Lease, connection: Connection, deadline: Deadline) -> None:
        """Take over the lease of an exchange whose headers have come."""
        parser = connection.parser
        self.status: int = parser.status
        self.headers: Mapping[str, str] = parser.headers
        self._pieces: deque[bytes] = parser.body
        self._is_complete: bool = parser.is_complete
        self._pool, self._deadline = pool, deadline
        self._lease: Lease | None = lease
        self._connection: Connection | None = connection
        if self._is_complete:
            self._give_back()

    def __iter__(self) -> Iterator[bytes]:
        try:
            while True:
                while self._pieces:
                    yield self._pieces.popleft()
                if self._is_complete:
                    return
                self._receive()
        finally:
            self.close()

    def _receive(self) -> None:
        connection, deadline = self._connection, self._deadline
        try:
            if connection is None:
                raise InvalidResponseError("the response is closed")
            parser = connection.parser
            if parser.failure is not None:
                raise parser.failure
            connection.receive(deadline)
        except (OSError, InvalidResponseError) as error:
            raise in_body(error, deadline) from None
        if parser.is_complete:
            self._is_complete = True
            self._give_back()

    def _give_back(self) -> None:
        with self._pool.lock:  # from here on, interrupt() must not reach the connection
            lease, self._lease, self._connection = self._lease, None, None
        if lease is not None:
            lease.give_back()

    def interrupt(self) -> None:
        """End a read in another thread."""
        with self._pool.lock:
            if self._connection is not None:
                self._connection.interrupt()

    def close(self) -> None:
        """Release the connection."""
        with self._pool.lock:
            lease, self._lease, self._connection = self._lease, None, None
        if lease is not None:
            lease.drop()


class Http1Transport:
    """Exchanges over HTTP/1.1 for threads."""

    def __init__(self, base_url: str, *, max_connections: int = 100, loopback_only: bool = False) -> None:
        """Create the transport. Nothing is connected.

        Args:
            base_url: The vendor's address.
            max_connections: Open connections to one origin at most.
            loopback_only: Refuse connections to other machines, for a key that must not travel in clear text.
        """
        parse_url(base_url)
        self._max_connections, self._loopback_only = max_connections, loopback_only
        self._reset()
        _transports.add(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._pools: dict[tuple[str, str, int], Pool] = {}
        weakref.finalize(self, _retire, self._pools)  # closes the sockets of a transport that is never closed

    def send(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes | RequestBody, deadline: Deadline
    ) -> Http1Response:
        """Send a request and return the response. Redirects are not followed.

        Raises:
            TransportError: There was no answer.
        """
        address = parse_url(url)
        head = request_head(method, address, headers, body_size(body))
        pool = self._pools.get(address[:3]) or self._new_pool(address)
        lease = pool.take(min(deadline.at, monotonic() + deadline.gap))
        try:
            connection = lease.connection
            if connection is None or not _exchange(connection, method, head, body, deadline, is_reused=True):
                connection = self._open(pool, lease, address, deadline)
                _exchange(connection, method, head, body, deadline, is_reused=False)
            return Http1Response(pool, lease, connection, deadline)
        except (OSError, InvalidResponseError) as error:
            lease.drop()
            raise before_headers(error, deadline) from None
        except BaseException:
            lease.drop()
            raise

    def _new_pool(self, address: Address) -> Pool:
        with self._lock:
            return self._pools.setdefault(address[:3], Pool(self._max_connections))

    def _open(self, pool: Pool, lease: Lease, address: Address, deadline: Deadline) -> Connection:
        """Connect. A connection that the lease already has was closed by the server."""
        stale, lease.connection = lease.connection, None
        if stale is not None:
            stale.close()
        until = min(deadline.connect_at, monotonic() + deadline.gap)
        connection = lease.connection = Connection(dial(address, until, loopback_only=self._loopback_only))
        pool.add(connection)
        return connection

    def close(self) -> None:
        """Close every connection."""
        for pool in list(self._pools.values()):
            pool.close()

    def after_fork(self) -> None:
        """Close the connections in a child process, which shares their sockets with its parent."""
        pools = list(self._pools.values())
        self._reset()
        for pool in pools:
            pool.abandon()


def _exchange(
    connection: Connection, method: str, head: bytes, body: bytes | RequestBody, deadline: Deadline, *, is_reused: bool
) -> bool:
    """Send a request and wait for the headers of its response.

    Returns:
        Whether they came. A server may close an idle connection while a request is on its way. Such a request is sent again,
        but only if no byte of a response came.

    Raises:
        OSError: The connection broke, or a limit was exceeded.
        InvalidResponseError: The server sent something else than a response.
        RequestBodyError: The body cannot be read.
    """
    parser = connection.parser
    try:
        if isinstance(body, bytes):
            connection.send(method, head, body, deadline)
        else:
            with contextlib.closing(Pieces(body, deadline)) as pieces:
                connection.send_pieces(method, head, pieces, deadline)
        while not parser.has_headers and parser.failure is None:
            connection.receive(deadline)
        if not parser.has_headers and parser.failure is not None:
            raise parser.failure
    except TimeoutError:
        raise
    except (OSError, InvalidResponseError):
        if is_reused and not parser.has_bytes:
            return False
        raise
    return True


def _retire(pools: dict[tuple[str, str, int], Pool]) -> None:
    for pool in list(pools.values()):
        pool.retire()


_transports: weakref.WeakSet[Http1Transport] = weakref.WeakSet()


def _after_fork() -> None:
    for transport in list(_transports):
        transport.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
