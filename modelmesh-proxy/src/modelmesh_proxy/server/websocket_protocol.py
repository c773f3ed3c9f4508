"""WebSocket connections: uvicorn's protocol, without its log of events and with a drain.

The package ``websockets`` is an optional dependency, so the first WebSocket imports this module.
"""

from __future__ import annotations

import logging
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_log = logging.getLogger("modelmesh.proxy.websockets")
_log.setLevel(logging.WARNING)  # below, the library logs the content of events


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One connection. Names without an underscore override uvicorn's."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        """Begin a connection."""
        super().__init__(*arguments, **keywords)
        self.logger = self.conn.logger = _log
        self.conn.debug = False

    def shutdown(self) -> None:
        """Leave the session open: the application ends it after the time of ``proxy.drain``."""
