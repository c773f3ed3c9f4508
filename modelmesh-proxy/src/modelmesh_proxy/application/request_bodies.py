"""Bodies of requests over ASGI: whole for JSON, in pieces for uploads. No body grows beyond its limit."""

from __future__ import annotations

from asyncio import current_task, sleep
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from modelmesh._engine.gateway.messages import HttpError

if TYPE_CHECKING:
    from modelmesh_proxy.application.exchange import Exchange


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


async def stream_body(exchange: Exchange) -> AsyncIterator[bytes]:
    """Yield the pieces of a body. The server reads on from the socket only as pieces are taken.

    A caller that leaves cancels the task that reads.
    """
    while True:
        event = await exchange.receive()
        if event["type"] == "http.disconnect":
            task = current_task()
            assert task is not None
            task.cancel()
            await sleep(0)
        yield event.get("body", b"")
        if not event.get("more_body"):
            return
