"""The handshake of a WebSocket as a request, so that guard, limits, metrics and log apply to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelmesh_proxy.application.exchange import Exchange
from modelmesh_proxy.asgi import Event, Header, Receive, Scope, Send

_RESPONSE = "websocket.http.response"
_SWITCHING, _REFUSED = 101, 1008


class Handshake(Exchange):
    """A request for a WebSocket. Before :meth:`accept`, it can be answered like any other request."""

    __slots__ = ()

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Begin an exchange.

        Args:
            scope: An ASGI scope of the type ``websocket``.
            receive: The ASGI function, after the event ``websocket.connect``.
            send: The ASGI function.
        """
        can_respond = _RESPONSE in (scope.get("extensions") or {})

        async def send_response(event: Event) -> None:
            kind: str = event["type"]
            if not kind.startswith("http.response."):
                await send(event)
            elif can_respond:
                await send({**event, "type": f"websocket.{kind}"})
            elif kind == "http.response.start":
                await send({"type": "websocket.close", "code": _REFUSED})

        super().__init__({**scope, "method": "GET"}, receive, send_response)

    @property
    def subprotocols(self) -> Sequence[str]:
        """The subprotocols that the caller offers."""
        offered: Any = self.scope.get("subprotocols") or ()
        return tuple(offered)

    async def accept(self, headers: list[Header], subprotocol: str | None) -> None:
        """Open the WebSocket."""
        self.status = _SWITCHING
        await self._send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": headers})
