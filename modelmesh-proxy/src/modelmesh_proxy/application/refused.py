"""Errors of the application itself, in the format of the vendor whose interface the path belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelmesh._engine.gateway import json_codec
from modelmesh._engine.gateway.error_responses import anthropic_error, openai_error
from modelmesh._engine.gateway.messages import HttpError

if TYPE_CHECKING:
    from modelmesh_proxy.application.exchange import Exchange, Header

_GEMINI_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    415: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}

JSON = (b"content-type", b"application/json")


def error_body(exchange: Exchange, error: HttpError) -> bytes:
    """Return the body of an error."""
    body: dict[str, Any]
    if exchange.path.startswith("/v1beta/"):
        body = {"error": {"code": error.status, "message": error.message, "status": _GEMINI_STATUS.get(error.status, "INTERNAL")}}
    elif "anthropic-version" in exchange.headers or exchange.path.startswith("/v1/messages"):
        body = anthropic_error(error, "")
        del body["request_id"]
    else:
        body = {"error": openai_error(error)}
    return json_codec.encode(body)


async def send_error(exchange: Exchange, error: HttpError) -> None:
    """Answer a request with an error."""
    headers: list[Header] = [JSON, (b"x-should-retry", b"false"), (b"x-content-type-options", b"nosniff")]
    headers += [(name.encode(), value.encode("latin-1")) for name, value in error.headers]
    await exchange.respond(error.status, headers, error_body(exchange, error))


def with_headers(error: HttpError, **headers: str) -> HttpError:
    """Add response headers to an error. Underscores in the names stand for hyphens."""
    error.headers += [(name.replace("_", "-"), value) for name, value in headers.items()]
    return error
