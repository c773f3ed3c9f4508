"""Network backends that keep a deadline at every read, whatever trickles in.

A read timeout starts anew with every byte, so a peer that sends one byte a second never meets it. Here each read may
last only until the deadline of the exchange it belongs to: the one that the reading thread, or task, is in.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

import httpcore2

from modelmesh_cdk.transport.port import Deadline


class _Current(threading.local):
    deadline: Deadline | None = None


current = _Current()
"""The exchange that this thread is in."""

acurrent: ContextVar[Deadline | None] = ContextVar("modelmesh_deadline", default=None)
"""The exchange that this task is in."""


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
    """A connection whose reads and writes keep the deadline."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read, until the gap or the deadline is over."""
        return self._stream.read(max_bytes, _left(current.deadline, timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write, until the gap or the deadline is over."""
        self._stream.write(buffer, _left(current.deadline, timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> DeadlineStream:
        """Turn to TLS within what is left for connecting."""
        left = _left(current.deadline, timeout, httpcore2.ConnectTimeout, connecting=True)
        return DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        """Answer what the connection below does."""
        return self._stream.get_extra_info(info)


class DeadlineBackend(httpcore2.NetworkBackend):
    """Opens connections that keep the deadline."""

    def __init__(self) -> None:
        self._backend = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> DeadlineStream:
        """Connect within what is left for connecting."""
        left = _left(current.deadline, timeout, httpcore2.ConnectTimeout, connecting=True)
        return DeadlineStream(self._backend.connect_tcp(host, port, left, local_address, socket_options))


class AsyncDeadlineStream(httpcore2.AsyncNetworkStream):
    """The same for asyncio."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read, until the gap or the deadline is over."""
        return await self._stream.read(max_bytes, _left(acurrent.get(), timeout, httpcore2.ReadTimeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write, until the gap or the deadline is over."""
        await self._stream.write(buffer, _left(acurrent.get(), timeout, httpcore2.WriteTimeout))

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> AsyncDeadlineStream:
        """Turn to TLS within what is left for connecting."""
        left = _left(acurrent.get(), timeout, httpcore2.ConnectTimeout, connecting=True)
        return AsyncDeadlineStream(await self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        """Answer what the connection below does."""
        return self._stream.get_extra_info(info)


class AsyncDeadlineBackend(httpcore2.AsyncNetworkBackend):
    """The same for asyncio."""

    def __init__(self) -> None:
        self._backend = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> AsyncDeadlineStream:
        """Connect within what is left for connecting."""
        left = _left(acurrent.get(), timeout, httpcore2.ConnectTimeout, connecting=True)
        return AsyncDeadlineStream(await self._backend.connect_tcp(host, port, left, local_address, socket_options))
