"""Waiting for a non-blocking socket that may have to send and to receive."""

from __future__ import annotations

import select
import socket
import ssl

WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


def wait_for_either(connected: socket.socket, seconds: float | None) -> bool:
    """Wait until the socket takes bytes or has some. Return whether it has some.

    Raises:
        TimeoutError: Neither happened in time.
    """
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(connected, select.POLLIN | select.POLLOUT)
        events = poll.poll(None if seconds is None else seconds * 1000)
        if events:
            return bool(events[0][1] & ~select.POLLOUT)
    else:  # Windows
        readable, writable, _ = select.select([connected], [connected], [], seconds)
        if readable or writable:
            return bool(readable)
    raise TimeoutError
