"""Checks of administration requests against other web pages in the same browser, and the headers of every answer.

Without tokens, an administrator is identified by the loopback address alone, and a browser sends requests from there for any
page. Three checks keep other pages out: the origin of a request must be the proxy itself, a request without a token must name a
host that no outside name server can hand out, and a body must be JSON, which no form can send.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from modelmesh_proxy.services import ProxyServices

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
SendEvent = Callable[[Mapping[str, Any]], Awaitable[None]]

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

_CREDENTIALS = (b"authorization", b"x-api-key", b"x-goog-api-key", b"api-key")
_SAFE = ("GET", "HEAD")


class RequestChecks:
    """ASGI application that refuses requests of other pages before another application sees them."""

    def __init__(self, app: Any, services: ProxyServices) -> None:
        self._app, self._services = app, services

    async def __call__(self, scope: Scope, receive: Receive, send: SendEvent) -> None:
        """Serve one request."""
        sent = _with_headers(send, is_data=not scope["path"].startswith("/ui"))
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, sent)
            return
        status, message, code = refusal
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
        await sent({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
        await sent({"type": "http.response.body", "body": json.dumps({"error": error}, separators=(",", ":")).encode()})

    def _refusal(self, scope: Scope) -> tuple[int, str, str] | None:
        """Return status, message and code of a refusal, ``None`` for a request that is served."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1")
        if not any(name in headers for name in _CREDENTIALS) and not self._is_own_name(host):
            message = (
                f"Administration without a token is limited to loopback names, and this request names the host {host!r}. "
                "Use http://127.0.0.1, send a token, or list the name in proxy.hosts."
            )
            return 403, message, "host_not_allowed"
        if _is_foreign(headers, host):
            return (
                403,
                "The administration interface accepts no requests of other web pages. Open /ui instead.",
                "origin_not_allowed",
            )
        kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if scope["method"] not in _SAFE and kind != b"application/json":
            message = f"{scope['method']} needs the header Content-Type: application/json. Set it, also without a body."
            return 415, message, "unsupported_media_type"
        return None

    def _is_own_name(self, host: str) -> bool:
        """Return whether a host is an address, ``localhost``, or a name of ``proxy.hosts``."""
        name = _host_name(host)
        return name == "localhost" or name in (self._services.settings.section.hosts or ()) or _is_address(name)


def _is_foreign(headers: Mapping[bytes, bytes], host: str) -> bool:
    """Return whether another page sent a request. Clients outside of browsers send neither header."""
    site = headers.get(b"sec-fetch-site", b"none")
    origin = headers.get(b"origin")
    if origin is not None:
        return urlsplit(origin.decode("latin-1")).netloc.lower() != host.lower()
    return site not in (b"none", b"same-origin") and headers.get(b"sec-fetch-mode") != b"navigate"


def _host_name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0].lower() if host.count(":") == 1 else host.lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _with_headers(send: SendEvent, *, is_data: bool) -> SendEvent:
    """Return a ``send`` that adds :data:`HEADERS`, and ``cache-control`` to data."""
    extra = (*HEADERS, (b"cache-control", b"no-store")) if is_data else HEADERS

    async def sent(event: Mapping[str, Any]) -> None:
        if event["type"] == "http.response.start":
            event = {**event, "headers": [*event.get("headers", ()), *extra]}
        await send(event)

    return sent
