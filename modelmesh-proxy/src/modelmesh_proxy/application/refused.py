"""Errors of the application itself, in the format of the interface that the path belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelmesh._engine.gateway import dialects, json_codec
from modelmesh._engine.gateway.dialects import Dialect, dialect_of_head
from modelmesh._engine.gateway.messages import HttpError
from modelmesh_proxy.asgi import JSON

if TYPE_CHECKING:
    from modelmesh_proxy.application.exchange import Exchange
    from modelmesh_proxy.asgi import Header


def error_body(exchange: Exchange, error: HttpError) -> bytes:
    """Return the body of an error."""
    dialect = dialect_of_head(exchange.path, exchange.headers)
    body = dialects.error_body(dialect, error, "")
    body.pop("request_id", None)
    return json_codec.encode(body)


async def send_error(exchange: Exchange, error: HttpError) -> None:
    """Answer a request with an error."""
    headers: list[Header] = [JSON, (b"x-should-retry", b"false"), (b"x-content-type-options", b"nosniff")]
    headers += [(name.encode(), value.encode("latin-1")) for name, value in error.headers]
    if dialect_of_head(exchange.path, exchange.headers) is Dialect.ANTHROPIC:
        headers.append((b"request-id", exchange.request_id().encode("latin-1")))
    await exchange.respond(error.status, headers, error_body(exchange, error))


def with_headers(error: HttpError, **headers: str) -> HttpError:
    """Add response headers to an error. Underscores in the names stand for hyphens."""
    error.headers += [(name.replace("_", "-"), value) for name, value in headers.items()]
    return error
