"""``/health`` of a busy server: the answer does not wait for the requests that are ahead of it in the event loop."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from modelmesh._engine.gateway import json_codec
from modelmesh_proxy.application.health import health_report

if TYPE_CHECKING:
    from modelmesh_proxy.services import ProxyServices

BUSY = 16
"""Running requests from which on the connection answers by itself. Below it, the application does, with all its headers."""

HealthAnswer = Callable[[bool], bytes | None]

_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_%b\r\nconnection: %b\r\ncontent-length: %d\r\n\r\n"
)


def busy_health(services: ProxyServices) -> HealthAnswer:
    """Return a function that returns the response of a busy server, ``None`` while it is not busy.

    Args:
        services: State of the proxy.
    """

    def answer(keep_alive: bool) -> bytes | None:  # noqa: FBT001 - called by the protocol alone
        if services.in_flight < BUSY:
            return None
        body = json_codec.encode(health_report(services))
        return _HEAD % (os.urandom(16).hex().encode(), b"keep-alive" if keep_alive else b"close", len(body)) + body

    return answer
