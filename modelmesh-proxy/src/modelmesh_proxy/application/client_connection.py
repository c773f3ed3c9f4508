"""The connection of a caller, as the server of this package offers it to the application.

Another ASGI server offers no such object. The application then learns from ``receive()`` that the caller left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

EXTENSION = "modelmesh.connection"
"""Key in the extensions of the ASGI scope."""


class ClientConnection(Protocol):
    """The connection of one request."""

    def watch(self, on_leave: Callable[[], object] | None) -> None:
        """Call a function when the caller leaves before the end of the response. ``None`` ends the watch."""
        ...

    def abort(self) -> None:
        """Close the connection without an end of the response, so that the caller notices that it is incomplete."""
        ...
