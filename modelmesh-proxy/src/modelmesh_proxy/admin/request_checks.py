"""The media type of administration requests, and the headers of every answer.

The guard has checked origin and host before. A body must be JSON, which no form of another page can send.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from modelmesh._engine.gateway.messages import HttpError
from modelmesh_proxy.admin.json_bodies import encode_error
from modelmesh_proxy.asgi import JSON, Event, Receive, Scope, Send

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = tuple(
    (name.encode(), value.encode())
    for name, value in {
        "content-security-policy": CONTENT_POLICY,
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }.items()
)
"""Headers of every answer."""

_SAFE = ("GET", "HEAD")


class RequestChecks:
    """ASGI application that refuses bodies of another type before an application sees them."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        sent = _with_headers(send, is_data=not scope["path"].startswith("/ui"))
        kind = dict(scope["headers"]).get(b"content-type", b"").partition(b";")[0].strip().lower()
        if scope["method"] in _SAFE or kind == b"application/json":
            await self._app(scope, receive, sent)
            return
        message = f"{scope['method']} needs the header Content-Type: application/json. Set it, also without a body."
        error = HttpError(415, message, code="unsupported_media_type")
        await sent({"type": "http.response.start", "status": error.status, "headers": [JSON]})
        await sent({"type": "http.response.body", "body": encode_error(error)})


def _with_headers(send: Send, *, is_data: bool) -> Send:
    """Return a ``send`` that adds :data:`HEADERS`, and ``cache-control`` to data."""
    extra = (*HEADERS, (b"cache-control", b"no-store")) if is_data else HEADERS

    async def sent(event: Event) -> None:
        if event["type"] == "http.response.start":
            event = {**event, "headers": [*event.get("headers", ()), *extra]}
        await send(event)

    return sent
