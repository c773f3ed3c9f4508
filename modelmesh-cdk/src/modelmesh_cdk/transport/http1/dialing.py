"""Blocking connections: name resolution, the first address that answers, and TLS, all within the connection limit."""

from __future__ import annotations

import os
import selectors
import socket
import time
from collections.abc import Sequence

from modelmesh_cdk.transport.connecting import STAGGER_S, UNRESOLVED, interleave, refusal_of
from modelmesh_cdk.transport.http1.errors import not_sent
from modelmesh_cdk.transport.http1.request_head import Address
from modelmesh_cdk.transport.http1.tls import tls_context
from modelmesh_cdk.transport.resolving import resolver

_TIMED_OUT = "ConnectTimeout: timed out"


def dial(address: Address, until: float, *, loopback_only: bool) -> socket.socket:
    """Return a connected socket, with TLS for ``https``.

    Args:
        address: Address of the server.
        until: End of the connection phase, monotonic seconds.
        loopback_only: Refuse addresses of other machines.

    Raises:
        TransportError: There is no connection.
    """
    connected = _connect(address, until, loopback_only=loopback_only)
    try:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if address.scheme != "https":
            return connected
        connected.settimeout(_seconds_left(until))
        return tls_context().wrap_socket(connected, server_hostname=address.host)
    except TimeoutError:
        connected.close()
        raise not_sent(_TIMED_OUT) from None
    except OSError as error:
        connected.close()
        raise not_sent(_failed(error)) from None
    except BaseException:
        connected.close()
        raise


def _connect(address: Address, until: float, *, loopback_only: bool) -> socket.socket:
    try:
        addresses = resolver.resolve(address.host, address.port, _seconds_left(until))
    except TimeoutError:
        raise not_sent("ConnectTimeout: " + UNRESOLVED.format(address.host)) from None
    except OSError as error:
        raise not_sent(_failed(error)) from None
    refusal = refusal_of(address.host, addresses) if loopback_only else None
    if refusal is not None:
        raise not_sent("ConnectError: " + refusal)
    attempts = _Attempts(interleave(addresses), address.port)
    try:
        return attempts.first_connected(until)
    finally:
        attempts.close()


class _Attempts:
    """Connection attempts to the addresses of one host. Each begins after a delay, or when the previous attempt failed."""

    def __init__(self, addresses: Sequence[str], port: int) -> None:
        self._waiting = list(reversed(addresses))
        self._port = port
        self._error: OSError | None = None
        self._running: set[socket.socket] = set()
        self._selector = selectors.DefaultSelector()

    def first_connected(self, until: float) -> socket.socket:
        """Return the first connected socket.

        Raises:
            TransportError: Every attempt failed, or the time is over.
        """
        while self._waiting or self._running:
            connected = self._begin_next() or self._first_of_running(until)
            if connected is not None:
                self._running.discard(connected)
                return connected
        raise not_sent(_failed(self._error) if self._error else "ConnectError: the host has no address")

    def close(self) -> None:
        """Close every socket but the connected one."""
        for one in self._running:
            one.close()
        self._selector.close()

    def _begin_next(self) -> socket.socket | None:
        """Begin an attempt. Return its socket if it is connected already."""
        while self._waiting:
            address = self._waiting.pop()
            one: socket.socket | None = None
            try:
                one = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
                self._running.add(one)
                one.setblocking(False)
                one.connect((address, self._port))
            except BlockingIOError:
                self._selector.register(one, selectors.EVENT_WRITE)  # type: ignore[arg-type]
                return None
            except OSError as error:
                self._fail(one, error)
            else:
                return one
        return None

    def _first_of_running(self, until: float) -> socket.socket | None:
        """Wait for a connection, or until the next attempt may begin."""
        stagger_at = time.monotonic() + STAGGER_S if self._waiting else until
        while self._running:
            left = _seconds_left(until)
            ready = self._selector.select(max(min(left, stagger_at - time.monotonic()), 0.0))
            for key, _ in ready:
                one: socket.socket = key.fileobj  # type: ignore[assignment]
                self._selector.unregister(one)
                number = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if not number:
                    return one
                self._fail(one, OSError(number, os.strerror(number)))
            if self._waiting and (ready or time.monotonic() >= stagger_at):
                return None
        return None

    def _fail(self, one: socket.socket | None, error: OSError) -> None:
        self._error = error
        if one is not None:
            self._running.discard(one)
            one.close()


def _seconds_left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise not_sent(_TIMED_OUT)
    return left


def _failed(error: OSError) -> str:
    return f"ConnectError: {error}" if str(error) else "ConnectError"
