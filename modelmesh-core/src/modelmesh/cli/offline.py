"""A stretch of the program in which nothing can be sent, whatever a connector tries.

Connectors are other people's code, so the promise that nothing is sent is kept where Python itself opens connections:
an audit hook refuses them. It can be put in place once and not taken away, so it looks at a flag.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_REFUSED_EVENTS = frozenset({"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg"})
_ADDRESS_AT = {"socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1}
_collecting: list[list[str]] = []
_installed = False


class OfflineError(ConnectionError):
    """A connection was refused by us; the text is the address that was wanted."""


@contextmanager
def nothing_sent() -> Iterator[list[str]]:
    """Refuse every connection of this process.

    Yields:
        The addresses that were refused, filled as they are.
    """
    global _installed  # noqa: PLW0603 - an audit hook stays for good, so this is once a process
    if not _installed:
        sys.addaudithook(_audit)
        _installed = True
    refused: list[str] = []
    _collecting.append(refused)
    try:
        yield refused
    finally:
        _collecting.remove(refused)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _collecting or event not in _REFUSED_EVENTS:
        return
    address = _written(event, arguments)
    for refused in _collecting:
        refused.append(address)
    message = f"nothing may be sent now, and {address} was to be reached"
    raise OfflineError(message)


def _written(event: str, arguments: tuple[Any, ...]) -> str:
    if event in _ADDRESS_AT:
        address = arguments[_ADDRESS_AT[event]]
        return ":".join(map(str, address[:2])) if isinstance(address, tuple) else str(address)
    host, *rest = arguments
    host = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    return f"{host}:{rest[0]}" if rest and rest[0] else host
