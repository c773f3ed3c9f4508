"""Name resolution with a time limit, which the system's resolver lacks.

One thread resolves each name for all waiting requests, with at most ``MAX_LOOKUPS`` threads. The threads are daemons, so a
resolver that does not answer delays neither a request beyond its limit nor the end of the event loop or the process. The system
caches results, this module does not.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import threading
import time
from concurrent.futures import Future

MAX_LOOKUPS = 32
"""Names in resolution at one time."""


class Resolver:
    """Resolves names in daemon threads."""

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._running: dict[tuple[str, int], Future[list[str]]] = {}

    def resolve(self, host: str, port: int, limit: float | None) -> list[str]:
        """Return the addresses of a host.

        Args:
            host: A name, or an address, which is returned unchanged.
            port: Port of the connection.
            limit: Seconds, ``None`` for the system's limit.

        Raises:
            TimeoutError: The limit has passed.
            OSError: The name has no address.
        """
        if is_address(host):
            return [host]
        ends = None if limit is None else time.monotonic() + limit
        with self._free:
            while (found := self._begin(host, port)) is None:
                if not self._free.wait(None if ends is None else ends - time.monotonic()):
                    raise TimeoutError
        return found.result(None if ends is None else max(ends - time.monotonic(), 0.0))

    async def aresolve(self, host: str, port: int, limit: float | None) -> list[str]:
        """Return the addresses of a host without blocking the event loop. Otherwise like :meth:`resolve`."""
        if is_address(host):
            return [host]
        async with asyncio.timeout(limit):
            while True:
                with self._free:
                    found = self._begin(host, port)
                if found is not None:
                    return await asyncio.wrap_future(found)
                await asyncio.sleep(0.05)

    def _begin(self, host: str, port: int) -> Future[list[str]] | None:
        """Return the future of the addresses, ``None`` while too many names are in resolution."""
        known = self._running.get((host, port))
        if known is not None:
            return known
        if len(self._running) >= MAX_LOOKUPS:
            return None
        found: Future[list[str]] = Future()
        found.set_running_or_notify_cancel()  # a request that stops waiting must not cancel it for the others
        self._running[host, port] = found
        try:
            threading.Thread(
                target=self._look_up, args=(host, port, found), name=f"modelmesh-resolve-{host}", daemon=True
            ).start()
        except RuntimeError:  # no thread can be started
            self._look_up(host, port, found)
        return found

    def _look_up(self, host: str, port: int, found: Future[list[str]]) -> None:
        rows: list[str] = []
        error: Exception | None = None
        try:
            rows = list(dict.fromkeys(str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except (OSError, UnicodeError) as raised:
            error = raised if isinstance(raised, OSError) else OSError(str(raised))
        with self._free:
            self._running.pop((host, port), None)
            self._free.notify_all()
        if error is None:
            found.set_result(rows)
        else:
            found.set_exception(error)


def is_address(host: str) -> bool:
    """Return whether a host is an IP address."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


resolver = Resolver()


def _after_fork() -> None:
    resolver.__init__()  # type: ignore[misc]  # threads and locks of the parent are not in the child


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
