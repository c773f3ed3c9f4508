"""Context manager that refuses all connections of the process.

Connectors are third-party code, so an audit hook refuses connections where Python opens them. An audit hook cannot be
removed. It is installed once and checks whether a context is active.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_REFUSED_EVENTS = frozenset({"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg"})
_ADDRESS_AT = {"socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1}
_active: list[list[str]] = []
_installed = False


class OfflineError(ConnectionError):
    """A connection was refused. The text contains the address."""


@contextmanager
def refuse_connections() -> Iterator[list[str]]:
    """Refuse every connection of this process.

    Yields:
        The refused addresses, appended as they occur.
    """
    global _installed  # noqa: PLW0603 - an audit hook cannot be removed: once per process
    if not _installed:
        sys.addaudithook(_audit)
        _installed = True
    refused: list[str] = []
    _active.append(refused)
    try:
        yield refused
    finally:
        _active.remove(refused)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _active or event not in _REFUSED_EVENTS:
        return
    address = _address_of(event, arguments)
    for refused in _active:
        refused.append(address)
    message = f"connections are refused now, and {address} was requested"
    raise OfflineError(message)


def _address_of(event: str, arguments: tuple[Any, ...]) -> str:
    if event in _ADDRESS_AT:
        address = arguments[_ADDRESS_AT[event]]
        return ":".join(map(str, address[:2])) if isinstance(address, tuple) else str(address)
    host, *rest = arguments
    host = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    return f"{host}:{rest[0]}" if rest and rest[0] else host
