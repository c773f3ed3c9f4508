"""Opening of connections in an event loop, name resolution and TLS included.

The module creates the sockets itself, because only their owner can close them after the event loop is closed.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from time import monotonic

from modelmesh_cdk.transport.connecting import STAGGER_S, UNRESOLVED, interleave, refusal_of
from modelmesh_cdk.transport.http1.async_connection import AsyncConnection, Owner
from modelmesh_cdk.transport.http1.errors import not_sent
from modelmesh_cdk.transport.http1.request_head import Address
from modelmesh_cdk.transport.http1.tls import tls_context
from modelmesh_cdk.transport.http1.tls_layer import TlsLayer
from modelmesh_cdk.transport.interfaces import Deadline
from modelmesh_cdk.transport.resolving import resolver


async def open_connection(address: Address, owner: Owner, deadline: Deadline, *, loopback_only: bool) -> AsyncConnection:
    """Return a new connection.

    Args:
        address: Address of the request.
        owner: The pool.
        deadline: Deadline of the exchange.
        loopback_only: Refuse addresses of other machines.

    Raises:
        TransportError: The connection could not be opened within the limit.
    """
    left = min(deadline.connect_at - monotonic(), deadline.gap)
    if left <= 0:
        raise not_sent("ConnectTimeout: the deadline has passed")
    timed_out = UNRESOLVED.format(address.host)
    try:
        async with asyncio.timeout(left):
            found = await resolver.aresolve(address.host, address.port, None)
            timed_out = "timed out"
            refusal = refusal_of(address.host, found) if loopback_only else None
            if refusal is not None:
                raise not_sent("ConnectError: " + refusal)
            sock = await _first_of(interleave(found), address.port)
            return await _wrap(sock, address, owner)
    except TimeoutError:
        raise not_sent("ConnectTimeout: " + timed_out) from None
    except OSError as error:
        raise not_sent(f"ConnectError: {error}" if str(error) else "ConnectError") from None


async def _wrap(sock: socket.socket, address: Address, owner: Owner) -> AsyncConnection:
    """Attach a socket to the event loop and start TLS."""
    loop = asyncio.get_running_loop()
    try:
        tls = TlsLayer(tls_context(), address.host) if address.scheme == "https" else None
        connection = AsyncConnection(loop, sock, tls, owner)
    except BaseException:
        sock.close()
        raise
    await loop.create_connection(lambda: connection, sock=sock)
    await connection.start_tls()
    return connection


async def _connect(address: str, port: int) -> socket.socket:
    """Return a socket that is connected to an IP address."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (address, port))
    except BaseException as error:
        sock.close()
        if isinstance(error, OSError) and error.errno is not None:
            raise OSError(error.errno, os.strerror(error.errno)) from None  # asyncio has a text of its own
        raise
    return sock


async def _first_of(addresses: Sequence[str], port: int) -> socket.socket:
    """Return the first connected socket. Each attempt starts after a delay, or when the previous attempt failed.

    Raises:
        OSError: Every attempt failed.
    """
    if len(addresses) == 1:
        return await _connect(addresses[0], port)
    waiting, running = list(addresses), set[asyncio.Task[socket.socket]]()
    winner: asyncio.Task[socket.socket] | None = None
    tasks: list[asyncio.Task[socket.socket]] = []
    failed: BaseException | None = None
    try:
        while waiting or running:
            if waiting:
                task = asyncio.ensure_future(_connect(waiting.pop(0), port))
                tasks.append(task)
                running.add(task)
            done, running = await asyncio.wait(
                running, timeout=STAGGER_S if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            for one in done:
                failed = one.exception()
                if failed is None:
                    winner = one
                    return one.result()
    finally:
        for one in tasks:
            if one is not winner:
                one.cancel()
                one.add_done_callback(_close_result)  # without a wait, which a cancellation could end early
    raise failed or OSError("the host has no address")


def _close_result(task: asyncio.Task[socket.socket]) -> None:
    """Close the socket of an attempt that came too late."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()
