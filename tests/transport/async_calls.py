"""Calls of the asynchronous transport in tests."""

from __future__ import annotations

from typing import Any

from modelmesh_cdk.transport.http1.async_transport import AsyncHttp1Transport
from modelmesh_cdk.transport.interfaces import Deadline


def deadline(**seconds: float) -> Deadline:
    """Return a deadline with long limits but these."""
    return Deadline(**{"connect": 20.0, "phase": 20.0, "total": 40.0, "gap": 20.0, **seconds})


async def post(transport: Any, url: str, body: bytes = b"x", **seconds: float) -> Any:
    """Send a request and return the open response."""
    return await transport.send("POST", url + "/v1", [("X-Test", "1")], body, deadline(**seconds))


async def read(response: Any) -> bytes:
    """Read the body and close the response."""
    try:
        return b"".join([piece async for piece in response])
    finally:
        await response.aclose()


async def ask(transport: Any, url: str, body: bytes = b"x", **seconds: float) -> bytes:
    """Return the body of the response to a request."""
    return await read(await post(transport, url, body, **seconds))


def pool_of(transport: AsyncHttp1Transport) -> Any:
    """Return the only pool of a transport."""
    (pool,) = transport._pools.values()
    return pool


def slots(transport: AsyncHttp1Transport) -> tuple[int, int, int]:
    """Return the slots in use, the idle connections and the waiting requests."""
    pool = pool_of(transport)
    return pool._slots, len(pool._idle), len(pool._waiters)
