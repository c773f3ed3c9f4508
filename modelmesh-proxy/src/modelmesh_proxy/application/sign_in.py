"""The page ``/ui`` for a browser without a token: the page itself, with the status of the refusal.

The page contains no data. It requests a token and sends it with each request to ``/admin/``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from modelmesh._engine.gateway.messages import HttpError

if TYPE_CHECKING:
    from modelmesh_proxy.application.exchange import Exchange
    from modelmesh_proxy.asgi import Event

_UNAUTHORIZED, _OK = 401, 200
_REPLACED = (b"cache-control", b"etag")


def offers_sign_in(exchange: Exchange, error: HttpError) -> bool:
    """Return whether a refused request is that of a browser which opens the page."""
    if error.status != _UNAUTHORIZED or exchange.path != "/ui" or exchange.method != "GET":
        return False
    return "text/html" in exchange.headers.get("accept", "")


async def serve_sign_in(exchange: Exchange, error: HttpError, page: Callable[..., Awaitable[None]]) -> None:
    """Serve the page with the status and headers of the refusal.

    Args:
        exchange: The request.
        error: Why it was refused.
        page: The ASGI application that serves the page.
    """
    send = exchange.send

    async def refused(event: Event) -> None:
        if event["type"] == "http.response.start" and event["status"] == _OK:
            kept = [(name, value) for name, value in event["headers"] if name not in _REPLACED]
            added = [(name.encode(), value.encode("latin-1")) for name, value in error.headers]
            event = {**event, "status": error.status, "headers": [*kept, (b"cache-control", b"no-store"), *added]}
        await send(event)

    scope = dict(exchange.scope)
    scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"if-none-match"]
    await page(scope, exchange.receive, refused)
