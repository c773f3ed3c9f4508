"""Listening sockets, bound before the server starts, so that a wrong address is one line of text."""

from __future__ import annotations

import errno
import os
import socket
import sys
from contextlib import suppress

from modelmesh.errors import ModelMeshError

BACKLOG = 2048
CAN_SHARE_PORT = sys.platform == "linux" and hasattr(socket, "SO_REUSEPORT")
"""Whether the kernel spreads connections over several sockets of one port."""


class ListenError(ModelMeshError):
    """The proxy cannot listen on its address."""


def bind(host: str, port: int, *, share: bool = False, listen: bool = True) -> list[socket.socket]:
    """Bind one socket for each address of a host.

    Args:
        host: Address or host name.
        port: Port. 0 selects a free one.
        share: Whether other sockets of this user may have the same port.
        listen: Whether connections are queued from now on. A bound socket that does not listen keeps the port reserved.

    Raises:
        ListenError: The address cannot be used.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise _refused(
            host, port, f"the host name cannot be resolved ({error})", "Use an address, e.g. --host 127.0.0.1"
        ) from None
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            with _closed_on_error(socket.socket(family, kind, protocol)) as one:
                if os.name == "posix":  # elsewhere the option permits to take a port that is in use
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if share:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                if family == socket.AF_INET6:
                    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                one.bind((address[0], port or _port_of(sockets), *address[2:]))
                if listen:
                    one.listen(BACKLOG)
            sockets.append(one)
    except OSError as error:
        if sockets and error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
            return sockets  # localhost without IPv6
        for one in sockets:
            one.close()
        raise _explained(host, port, error) from None
    return sockets


def check_free(host: str, port: int) -> None:
    """Check that no other process listens on an address. A shared port would accept it silently.

    Raises:
        ListenError: The address cannot be used.
    """
    if port:
        for one in bind(host, port):
            one.close()


class _closed_on_error:  # noqa: N801 - a context manager
    def __init__(self, one: socket.socket) -> None:
        self._one = one

    def __enter__(self) -> socket.socket:
        return self._one

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            with suppress(OSError):
                self._one.close()


def _port_of(sockets: list[socket.socket]) -> int:
    return int(sockets[0].getsockname()[1]) if sockets else 0


def _explained(host: str, port: int, error: OSError) -> ListenError:
    if error.errno == errno.EADDRINUSE:
        return _refused(host, port, "the port is in use", f"Stop the other process, or use another port: --port {port + 1}")
    if error.errno == errno.EACCES:
        return _refused(host, port, "this user may not use the port", "Use a port from 1024 on, e.g. --port 8080")
    if error.errno == errno.EADDRNOTAVAIL:
        return _refused(host, port, "no network interface has the address", "Use --host 127.0.0.1, or 0.0.0.0 for all interfaces")
    return _refused(host, port, os.strerror(error.errno) if error.errno else str(error), "Use another --host or --port")


def _refused(host: str, port: int, why: str, remedy: str) -> ListenError:
    return ListenError(f"cannot listen on {host}:{port}: {why}. {remedy}.")
