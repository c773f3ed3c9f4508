"""Network backends that enforce the deadline of an exchange at every read.

A read timeout restarts with every byte, so a peer that sends one byte a second never exceeds it. Here each read may last only
until the deadline of the exchange that the thread or task performs.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from typing import Any

import httpcore2

from modelmesh_cdk.transport.abandoned_connections import AbandonedConnections
from modelmesh_cdk.transport.connecting import STAGGER_S, UNRESOLVED, refusal_of
from modelmesh_cdk.transport.early_answers import LARGE, AsyncEarlyAnswer, EarlyAnswer
from modelmesh_cdk.transport.held_head import HeldHead
from modelmesh_cdk.transport.interfaces import Deadline
from modelmesh_cdk.transport.resolving import resolver
from modelmesh_cdk.transport.surplus_bytes import has_in_event_loop, has_in_tls


class _Current(threading.local):
    deadline: Deadline | None = None


current = _Current()
"""Deadline of the exchange of this thread."""

acurrent: ContextVar[Deadline | None] = ContextVar("modelmesh_deadline", default=None)
"""Deadline of the exchange of this task."""


def _left(
    deadline: Deadline | None, timeout: float | None, expired: type[Exception], *, connecting: bool = False
) -> float | None:
    if deadline is None:
        return timeout
    left = (deadline.connect_at if connecting else deadline.at) - time.monotonic()
    if left <= 0:
        raise expired("the deadline has passed")
    return left if timeout is None else min(left, timeout)


class DeadlineStream(httpcore2.NetworkStream):
    """A connection whose reads and writes obey the deadline."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream
        self._held = HeldHead()
        self._early = EarlyAnswer()
        self.spoiled = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read, until the gap or the deadline is over."""
        if self._early:
            return self._early.take(max_bytes)
        return self._stream.read(max_bytes, _left(current.deadline, timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write, until the gap or the deadline is over."""
        for part in self._held.join(buffer):
            if len(part) > LARGE:
                self._early.watch_write(self._stream, part, lambda: _left(current.deadline, timeout, httpcore2.WriteTimeout))
            else:
                self._stream.write(part, _left(current.deadline, timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> DeadlineStream:
        """Start TLS within the rest of the connection phase."""
        left = _left(current.deadline, timeout, httpcore2.ConnectTimeout, connecting=True)
        return DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        """Return a fact of the inner connection. A connection with unread bytes is readable, so the pool does not reuse it."""
        found = self._stream.get_extra_info(info)
        if info == "is_readable" and not found:
            return self.spoiled or bool(self._early) or has_in_tls(self._stream.get_extra_info("ssl_object"))
        return found


class DeadlineBackend(httpcore2.NetworkBackend):
    """Opens connections that obey the deadline."""

    def __init__(self, *, loopback_only: bool = False) -> None:
        """Create the backend.

        Args:
            loopback_only: Refuse addresses of other machines.
        """
        self._backend = httpcore2.SyncBackend()
        self._loopback_only = loopback_only

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> DeadlineStream:
        """Connect within the rest of the connection phase, name resolution included."""
        deadline = current.deadline
        try:
            addresses = resolver.resolve(host, port, _left(deadline, timeout, httpcore2.ConnectTimeout, connecting=True))
        except TimeoutError:
            raise httpcore2.ConnectTimeout(UNRESOLVED.format(host)) from None
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from None
        _check(host, addresses, loopback_only=self._loopback_only)
        failed: Exception | None = None
        for place, address in enumerate(addresses):
            left = _left(deadline, timeout, httpcore2.ConnectTimeout, connecting=True)
            share = left if left is None else left / (len(addresses) - place)
            try:
                return DeadlineStream(self._backend.connect_tcp(address, port, share, local_address, socket_options))
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failed = error
        raise failed or httpcore2.ConnectError(f"{host} has no address")


class AsyncDeadlineStream(httpcore2.AsyncNetworkStream):
    """A connection for asyncio whose reads and writes obey the deadline."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream
        self._held = HeldHead()
        self._early = AsyncEarlyAnswer()
        self.spoiled = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read, until the gap or the deadline is over."""
        early = await self._early.next(max_bytes, _left(acurrent.get(), timeout, httpcore2.ReadTimeout))
        if early is not None:
            return early
        return await self._stream.read(max_bytes, _left(acurrent.get(), timeout, httpcore2.ReadTimeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write, until the gap or the deadline is over."""
        for part in self._held.join(buffer):
            left = _left(acurrent.get(), timeout, httpcore2.WriteTimeout)
            if len(part) > LARGE:
                await self._early.watch(self._stream, part, left)
            else:
                await self._stream.write(part, left)

    async def aclose(self) -> None:
        """Close the connection."""
        self._early.cancel()
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> AsyncDeadlineStream:
        """Start TLS within the rest of the connection phase."""
        left = _left(acurrent.get(), timeout, httpcore2.ConnectTimeout, connecting=True)
        return AsyncDeadlineStream(await self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        """Return a fact of the inner connection. A connection with unread bytes is readable, so the pool does not reuse it."""
        found = self._stream.get_extra_info(info)
        if info == "is_readable" and not found:
            return (
                self.spoiled
                or bool(self._early)
                or has_in_tls(self._stream.get_extra_info("ssl_object"))
                or has_in_event_loop(self._stream)
            )
        return found


class AsyncDeadlineBackend(httpcore2.AsyncNetworkBackend):
    """Opens connections for asyncio that obey the deadline."""

    def __init__(self, *, loopback_only: bool = False) -> None:
        """Create the backend. The argument is that of :class:`DeadlineBackend`."""
        self._backend = httpcore2.AnyIOBackend()
        self._loopback_only = loopback_only
        self.abandoned_connections = AbandonedConnections()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> AsyncDeadlineStream:
        """Connect within the rest of the connection phase, name resolution included."""
        deadline = acurrent.get()
        try:
            addresses = await resolver.aresolve(host, port, _left(deadline, timeout, httpcore2.ConnectTimeout, connecting=True))
        except TimeoutError:
            raise httpcore2.ConnectTimeout(UNRESOLVED.format(host)) from None
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from None
        _check(host, addresses, loopback_only=self._loopback_only)

        async def connect(address: str) -> httpcore2.AsyncNetworkStream:
            left = _left(deadline, timeout, httpcore2.ConnectTimeout, connecting=True)
            stream = await self._backend.connect_tcp(address, port, left, local_address, socket_options)
            self.abandoned_connections.add(stream)
            return stream

        if len(addresses) == 1:
            return AsyncDeadlineStream(await connect(addresses[0]))
        return AsyncDeadlineStream(await _first_of([connect(address) for address in addresses]))


def _check(host: str, addresses: Sequence[str], *, loopback_only: bool) -> None:
    """Refuse to send a key to another machine in clear text.

    Raises:
        ConnectError: An address belongs to another machine.
    """
    refusal = refusal_of(host, addresses) if loopback_only else None
    if refusal is not None:
        raise httpcore2.ConnectError(refusal)


async def _first_of(attempts: Sequence[Any]) -> httpcore2.AsyncNetworkStream:
    """Return the first open connection. Each attempt starts after a delay, or when the previous attempt failed.

    Raises:
        ConnectError: Every attempt failed.
    """
    waiting, running = list(attempts), set[asyncio.Task[Any]]()
    failed: BaseException | None = None
    try:
        while waiting or running:
            if waiting:
                running.add(asyncio.ensure_future(waiting.pop(0)))
            done, running = await asyncio.wait(
                running, timeout=STAGGER_S if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            for one in done:
                failed = one.exception()
                if failed is None:
                    return one.result()  # type: ignore[no-any-return]
    finally:
        for attempt in waiting:
            attempt.close()
        for one in running:
            one.cancel()
        for left in await asyncio.gather(*running, return_exceptions=True):
            if isinstance(left, httpcore2.AsyncNetworkStream):
                await left.aclose()
    raise failed or httpcore2.ConnectError("the host has no address")
