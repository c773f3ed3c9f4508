"""Failures have the same class, limit and text over both transports."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable
from typing import Any

import pytest
from raw_server import deadline, read_request, scripted_server, whole

from modelmesh.contracts import FailureClass
from modelmesh_cdk.transport.interfaces import Deadline, TransportError
from modelmesh_cdk.transport.selection import FAST, HTTPX2, make_async_transport, make_transport

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
Script = Callable[[int, socket.socket], None]


def sending(data: bytes, *, waits: bool = False) -> Script:
    """Send bytes after the request, and close the connection, or wait for the client to close it."""

    def script(_number: int, connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(data)
        if waits:
            connection.recv(1)

    return script


def resetting(_number: int, connection: socket.socket) -> None:
    read_request(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


SILENT = sending(b"", waits=True)
DRIPPING = sending(CHUNKED + b"5\r\nhello\r\n", waits=True)
CASES: dict[str, tuple[Script, dict[str, float]]] = {
    "closed without a response": (sending(b""), {}),
    "reset without a response": (resetting, {}),
    "closed in the head": (sending(b"HTTP/1.1 200 OK\r\nA: b"), {}),
    "no HTTP": (sending(b"SSH-2.0-OpenSSH_9.9\r\n"), {}),
    "no headers in time": (SILENT, {"phase": 0.1}),
    "no headers in the gap": (SILENT, {"gap": 0.1}),
    "no content in time": (DRIPPING, {"phase": 0.5}),
    "no content in the gap": (DRIPPING, {"gap": 0.5}),
    "no end in time": (DRIPPING, {"phase": 0.5, "total": 0.5}),
    "closed in a chunk": (sending(CHUNKED + b"5\r\nhel"), {}),
    "closed between chunks": (sending(CHUNKED + b"5\r\nhello\r\n"), {}),
    "closed before the length": (sending(whole(b"hello")[:-2]), {}),
    "an invalid chunk": (sending(CHUNKED + b"5\r\nhello\r\nzz\r\n"), {}),
}


def failure(kind: str, url: str, limits: Deadline, *, in_task: bool) -> TransportError:
    async def ask() -> None:
        transport: Any = make_async_transport(kind, url, max_connections=1)
        try:
            response = await transport.send("POST", url, [], b"{}", limits)
            async for _ in response:
                pass
        finally:
            await transport.aclose()

    with pytest.raises(TransportError) as caught:
        if in_task:
            asyncio.run(ask())
        else:
            transport = make_transport(kind, url, max_connections=1)
            try:
                list(transport.send("POST", url, [], b"{}", limits))
            finally:
                transport.close()
    return caught.value


def described(error: TransportError) -> tuple[Any, ...]:
    """Return everything but the details that the libraries state differently."""
    text = re.sub(r"(RemoteProtocolError|ReadError): (?!peer).*", r"\1", str(error))
    return type(error), error.failure, getattr(error, "phase", None), getattr(error, "seconds", None), text.rstrip(")")


@pytest.mark.parametrize("in_task", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_failures_are_the_same_over_both_transports(case: str, in_task: bool) -> None:
    script, limits = CASES[case]
    with scripted_server(script) as server:
        found = [described(failure(kind, server.url, deadline(**limits), in_task=in_task)) for kind in (FAST, HTTPX2)]
    assert found[0] == found[1]


@pytest.mark.parametrize("in_task", [False, True])
def test_refused_connection_is_the_same_failure(in_task: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    found = [failure(kind, url, deadline(), in_task=in_task) for kind in (FAST, HTTPX2)]
    assert [error.failure for error in found] == [FailureClass.CONNECT] * 2
    assert all(str(error).startswith("ConnectError: ") for error in found)


@pytest.mark.parametrize("in_task", [False, True])
def test_passed_deadline_is_the_same_failure(in_task: bool) -> None:
    with scripted_server(SILENT) as server:
        found = [described(failure(kind, server.url, deadline(phase=0), in_task=in_task)) for kind in (FAST, HTTPX2)]
    assert found[0][:4] == found[1][:4]
