"""The hot path: a request over ASGI to the gateway, and its response back."""

from __future__ import annotations

from asyncio import CancelledError
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from modelmesh._engine.gateway.messages import GatewayRequest, GatewayResponse, HttpError
from modelmesh.errors import ModelMeshError
from modelmesh_proxy.application.content_rules import check_content_type, is_multipart
from modelmesh_proxy.application.leave_watch import LeaveWatch
from modelmesh_proxy.application.refused import with_headers
from modelmesh_proxy.application.request_bodies import CallerLeftError, check_stated_size, read_body, stream_body

if TYPE_CHECKING:
    from modelmesh_proxy.application.exchange import Exchange
    from modelmesh_proxy.asgi import Header
    from modelmesh_proxy.services import ProxyServices


class IncompleteResponseError(Exception):
    """The body of a response broke off. The ASGI server must close the connection without an end of the body."""


async def serve_gateway(exchange: Exchange, services: ProxyServices) -> None:
    """Serve one request.

    Args:
        exchange: The request.
        services: State of the proxy. A reload may replace its gateway while the body is read.

    Raises:
        HttpError: The request is refused before it reaches the gateway, or the server ended it.
        CallerLeftError: The caller left. The request to the vendor was cancelled, and what was produced is counted.
    """
    check_content_type(exchange)
    watch, limits = LeaveWatch(exchange), services.settings.section.limits
    body: Any
    if is_multipart(exchange):
        check_stated_size(exchange, limits.upload_body)
        body = stream_body(exchange, watch)
    else:
        check_stated_size(exchange, limits.json_body)
        body = await read_body(exchange, limits.json_body)
        watch.begin()
    if exchange.requests is not services.requests:
        exchange.count_in(services.requests)
    query: bytes = exchange.scope["query_string"]
    request = GatewayRequest(
        exchange.method,
        exchange.path,
        parse_qsl(query.decode("latin-1"), keep_blank_values=True) if query else (),
        exchange.headers,
        body,
        caller=exchange.caller,
    )
    try:
        response = await services.gateway.ahandle(request)
        content: Any = response.content
        if isinstance(content, bytes):
            headers = [*map(_encode, response.headers), (b"content-length", b"%d" % len(content))]
            await exchange.send_whole(response.status, headers, content)
        else:
            await _send_stream(exchange, response, content, services, watch)
    except CancelledError:
        if watch.has_left:
            raise CallerLeftError from None
        if not services.draining or exchange.is_started:
            raise
        raise _drain_ended() from None
    finally:
        watch.end()


async def _send_stream(
    exchange: Exchange, response: GatewayResponse, content: Any, services: ProxyServices, watch: LeaveWatch
) -> None:
    write = exchange.write
    try:
        await exchange.start(response.status, [*map(_encode, response.headers)])
        async for piece in content:
            await write(piece, more=True)
    except CancelledError:
        if watch.has_left or not services.draining:
            raise
        last = content.fail(_drain_ended())
        if last:
            await write(last)
        else:
            _abort(exchange)
        return
    except ModelMeshError:  # a body of bytes broke: an end would look like a complete body
        _abort(exchange)
        return
    finally:
        await content.aclose()
    await write(b"")


def _drain_ended() -> HttpError:
    error = HttpError(503, "The server is shutting down and ended this request. Send it again.", code="server_shutdown")
    return with_headers(error, retry_after="1")


def _abort(exchange: Exchange) -> None:
    """Break off a response.

    Raises:
        IncompleteResponseError: The ASGI server must do so.
    """
    connection = exchange.connection
    if connection is None:
        raise IncompleteResponseError
    connection.abort()


@lru_cache(maxsize=128)
def _encode(header: tuple[str, str]) -> Header:
    """Return a header as bytes. Most of them are the same in each response."""
    name, value = header
    if not (value.isascii() and value.isprintable()):  # a line break would begin another header
        value = "".join(mark if mark.isprintable() else " " for mark in value)
    return name.encode("latin-1"), value.encode("latin-1", "replace")
