"""Bodies of requests over ASGI: whole for JSON, in pieces for uploads. No body grows beyond its limit."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from modelmesh._engine.gateway.messages import HttpError

if TYPE_CHECKING:
    from modelmesh_proxy.application.exchange import Exchange
    from modelmesh_proxy.application.leave_watch import LeaveWatch


class CallerLeftError(Exception):
    """The caller left before the end of its request."""


def check_stated_size(exchange: Exchange, limit: int) -> None:
    """Check the size that a request states, before its body is read.

    Raises:
        HttpError: It exceeds the limit.
    """
    stated = exchange.headers.get("content-length")
    if stated is not None and stated.isdecimal() and int(stated) > limit:
        raise too_large(limit)


def too_large(limit: int) -> HttpError:
    """Return the error of a body that exceeds its limit."""
    return HttpError(413, f"The body exceeds {limit:,} bytes. Send a smaller one.", code="request_too_large")


async def read_body(exchange: Exchange, limit: int) -> bytes:
    """Read a whole body.

    Raises:
        HttpError: It exceeds the limit.
        CallerLeftError: The caller left.
    """
    receive = exchange.receive
    event = await receive()
    if event["type"] == "http.disconnect":
        raise CallerLeftError
    first: bytes = event.get("body", b"")
    if not event.get("more_body"):
        if len(first) > limit:
            raise too_large(limit)
        return first
    body = bytearray(first)
    while True:
        if len(body) > limit:
            raise too_large(limit)
        event = await receive()
        if event["type"] == "http.disconnect":
            raise CallerLeftError
        body += event.get("body", b"")
        if not event.get("more_body"):
            if len(body) > limit:
                raise too_large(limit)
            return bytes(body)


async def stream_body(exchange: Exchange, watch: LeaveWatch) -> AsyncIterator[bytes]:
    """Yield the pieces of a body. The server reads on from the socket only as pieces are taken.

    Args:
        exchange: The request.
        watch: Begins after the last piece. Until then, a caller that leaves cancels the task here.
    """
    more = True
    while more:
        event = await exchange.receive()
        if event["type"] == "http.disconnect":
            watch.leave()
            await sleep(0)
        more = event.get("more_body", False)
        if not more:
            watch.begin()
        yield event.get("body", b"")
