"""The credential of a request: where the SDKs of each vendor put it."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from modelmesh_proxy.application.exchange import Exchange

_HEADERS = ("x-api-key", "api-key", "x-goog-api-key")
"""Headers of the SDKs of Anthropic, Azure and Google."""

REALTIME_PATH = "/v1/realtime"
"""Path of WebSockets. A page in a browser can set no header of their handshake but the list of subprotocols."""

KEY_PROTOCOL = "openai-insecure-api-key."
"""Beginning of the subprotocol that contains the token, as OpenAI's interface defines it."""

_BEARER, _BASIC = "bearer ", "basic "


BROWSER_PATHS = ("/ui", "/admin/", "/metrics")
"""Paths that accept the token as the password of HTTP Basic: a browser and a scraper can send nothing else by themselves."""


def credential_of(exchange: Exchange) -> str | None:
    """Return the token of a request, ``None`` without one.

    The query is read only for paths of Gemini's interface, because some of its clients have no other place. Elsewhere a token
    in a URL would appear in the logs of every server on the way.
    """
    headers: dict[str, str] = exchange.headers
    authorization = headers.get("authorization")
    if authorization is not None and authorization[:7].lower() == _BEARER:
        return authorization[7:].strip()
    if authorization is not None and authorization[:6].lower() == _BASIC and exchange.path.startswith(BROWSER_PATHS):
        return _password(authorization[6:])
    for name in _HEADERS:
        if name in headers:
            return headers[name]
    if exchange.path == REALTIME_PATH:
        offered = (one.strip() for one in headers.get("sec-websocket-protocol", "").split(","))
        return next((one.removeprefix(KEY_PROTOCOL) for one in offered if one.startswith(KEY_PROTOCOL)), None)
    query: bytes = exchange.scope["query_string"]
    if query and exchange.path.startswith("/v1beta/"):
        return dict(parse_qsl(query.decode("latin-1"))).get("key")
    return None


def _password(encoded: str) -> str | None:
    try:
        user, _, password = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None
    return password or user or None
