"""The connection of a caller, as the server of this package offers it to the application.

Another ASGI server offers no such object. The application then learns from ``receive()`` that the caller left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from modelmesh_proxy.asgi import Header

EXTENSION = "modelmesh.connection"
"""Key in the extensions of the ASGI scope."""


class ClientConnection(Protocol):
    """The connection of one request."""

    def watch(self, on_leave: Callable[[], object] | None) -> None:
        """Call a function when the caller leaves before the end of the response. ``None`` ends the watch."""
        ...

    def respond(self, status: int, headers: Sequence[Header], body: bytes) -> bool:
        """Send a complete response with one write. Return ``False``, with nothing sent, where it has to wait for the caller.

        Args:
            status: Status.
            headers: Headers, names in lower case, with the length of the body.
            body: The body.
        """
        ...

    def write(self, data: bytes) -> bool:
        """Send a piece of an unfinished body. Return ``False``, with nothing sent, where it has to wait for the caller.

        Args:
            data: The piece, not empty.
        """
        ...

    def abort(self) -> None:
        """Close the connection without an end of the response, so that the caller notices that it is incomplete."""
        ...
