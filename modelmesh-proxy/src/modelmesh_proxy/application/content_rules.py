"""Media types of request bodies.

A browser sends some types to another origin without a preflight. Requests with those would pass although CORS forbids them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelmesh._engine.gateway.messages import HttpError

if TYPE_CHECKING:
    from modelmesh_proxy.application.exchange import Exchange

_BODIES = frozenset({"POST", "PUT", "PATCH"})
_JSON = "application/json"
_MULTIPART = "multipart/form-data"


def check_content_type(exchange: Exchange) -> None:
    """Check the media type of a body.

    A request without a type passes if it comes from no page: a program that sends none means JSON.

    Raises:
        HttpError: The type is neither JSON nor multipart.
    """
    given = exchange.headers.get("content-type")
    if given == _JSON or exchange.method not in _BODIES:
        return
    if given is None:
        if "origin" not in exchange.headers and "sec-fetch-site" not in exchange.headers:
            return
        given = ""
    kind = given.partition(";")[0].strip().lower()
    if kind in (_JSON, _MULTIPART) or (kind.startswith("application/") and kind.endswith("+json")):
        return
    if exchange.headers.get("content-length") == "0":
        return
    message = f"The media type {kind[:100]!r} is not accepted. Send the header 'Content-Type: application/json'."
    raise HttpError(415, message, code="unsupported_media_type")


def is_multipart(exchange: Exchange) -> bool:
    """Return whether the body is a form with files."""
    return exchange.headers.get("content-type", "")[:19].lower() == _MULTIPART
