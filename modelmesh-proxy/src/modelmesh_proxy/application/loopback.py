"""Addresses and names of this machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelmesh_proxy.application.exchange import Exchange

_LOOPBACK = re.compile(r"localhost|.+\.localhost|127(\.\d{1,3}){3}|::1|0:0:0:0:0:0:0:1")
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


def is_loopback(address: str | None) -> bool:
    """Return whether an address or host name is this machine."""
    if address is None:
        return False
    name = address.removeprefix("::ffff:").strip("[]").lower().removesuffix(".")
    return _LOOPBACK.fullmatch(name) is not None


def is_local_caller(exchange: Exchange) -> bool:
    """Return whether a request comes from this machine, and not from a reverse proxy on it.

    A request without a peer comes over a Unix socket.
    """
    if exchange.peer is not None and not is_loopback(exchange.peer):
        return False
    return not any(name in exchange.headers for name in _FORWARDED)
