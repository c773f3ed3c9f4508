"""The allow-list of host names against DNS rebinding: a web page that points its own name at this proxy reads no answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modelmesh._engine.gateway.messages import HttpError
from modelmesh_proxy.application.loopback import is_loopback

if TYPE_CHECKING:
    from modelmesh_proxy.application.exchange import Exchange

_MAX_CHECKED = 1000


class HostPolicy:
    """Accepts or refuses the ``Host`` of a request."""

    def __init__(self, names: Sequence[str] | None, bound_to: str) -> None:
        """Initialize.

        Args:
            names: The key ``proxy.hosts``. ``*.`` at the start of a name stands for every name below it, ``*`` for every name.
                ``None`` means: names of this machine, if the proxy listens on loopback and needs no token. Otherwise all.
            bound_to: The address that the proxy listens on.
        """
        self._names = None if names is None else tuple(name.lower() for name in names)
        self._is_local = is_loopback(bound_to)
        self._accepted: set[str] = set()

    def check(self, exchange: Exchange, *, needs_token: bool, is_admin: bool = False) -> None:
        """Check the host of a request.

        Args:
            exchange: The request.
            needs_token: Whether the proxy requires tokens. A page of another site has none.
            is_admin: Whether the path is one of administrators. Without tokens, only names of this machine administer, on
                every address that the proxy listens on.

        Raises:
            HttpError: The host is not in the list.
        """
        if self._names is None and (needs_token or not (self._is_local or is_admin)):
            return
        host = exchange.headers.get("host", "")
        if host in self._accepted:
            return
        name = _without_port(host)
        if not (is_loopback(name) if self._names is None else any(_matches(name, pattern) for pattern in self._names)):
            message = f"The host {host[:100]!r} is not allowed. Add it to proxy.hosts in the configuration."
            raise HttpError(403, message, code="host_not_allowed")
        if len(self._accepted) < _MAX_CHECKED:
            self._accepted.add(host)


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and (port.isdecimal() or not port) else host).lower().removesuffix(".")


def _matches(name: str, pattern: str) -> bool:
    return pattern in ("*", name) or (pattern.startswith("*.") and name.endswith(pattern[1:]))
