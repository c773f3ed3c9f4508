"""Servers that send arbitrary bytes: every exchange ends, and no later request reads what an earlier one left."""

from __future__ import annotations

import contextlib
import random
import socket

import pytest
from raw_server import deadline, read_request, scripted_server, whole

from modelmesh_cdk.transport.http1.transport import Http1Transport
from modelmesh_cdk.transport.interfaces import TransportError

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
EVIL = whole(b"EVIL")
PARTS = [
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"Content-Length: 4\r\n",
    b"Content-Length: 0\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"0\r\n\r\n",
    b"4\r\nEVIL\r\n",
    b"EVIL",
    EVIL,
    CHUNKED,
    b"\x00\xff\x7f",
]
"""No sequence of these contains the answer of a regular request."""


@pytest.mark.parametrize("seed", range(40))
def test_arbitrary_bytes_never_answer_another_request(seed: int) -> None:
    """The server sends noise instead of every second response."""
    chance = random.Random(seed)
    noise = [b"".join(chance.choices(PARTS, k=chance.randint(1, 8))) for _ in range(8)]

    def script(_number: int, connection: socket.socket) -> None:
        while request := read_request(connection):
            body = request.partition(b"\r\n\r\n")[2]
            if not body.startswith(b"noise"):
                connection.sendall(whole(body))
                continue
            connection.sendall(noise[int(body[5:])])

    transport = Http1Transport("http://127.0.0.1:9", max_connections=1)
    with scripted_server(script) as server:
        for number in range(len(noise)):
            with contextlib.suppress(TransportError):
                b"".join(transport.send("POST", server.url, [], b"noise%d" % number, deadline(gap=0.05)))
            name = b"regular %d" % number
            assert b"".join(transport.send("POST", server.url, [], name, deadline())) == name
    transport.close()


@pytest.mark.parametrize("seed", range(10))
def test_random_bytes_end_the_exchange(seed: int) -> None:
    chance = random.Random(seed)

    def script(_number: int, connection: socket.socket) -> None:
        read_request(connection)
        noise = chance.randbytes(chance.randint(1, 2000)).lstrip(b"\r\n") or b"x"  # an empty line would end the head
        connection.sendall(chance.choice([b"", CHUNKED, b"HTTP/1.1 200 OK\r\n"]) + noise)

    transport = Http1Transport("http://127.0.0.1:9", max_connections=1)
    with scripted_server(script) as server:
        for _ in range(10):
            with pytest.raises(TransportError):
                list(transport.send("POST", server.url, [], b"{}", deadline()))
    assert all(not pool._held for pool in transport._pools.values())
    transport.close()


def test_endless_informational_responses_end_the_exchange() -> None:
    def script(_number: int, connection: socket.socket) -> None:
        read_request(connection)
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n")

    transport = Http1Transport("http://127.0.0.1:9")
    with scripted_server(script) as server, pytest.raises(TransportError, match="informational responses"):
        transport.send("POST", server.url, [], b"{}", deadline())
    transport.close()


def test_endless_head_ends_the_exchange() -> None:
    def script(_number: int, connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b"A: b\r\n" * 1000)

    transport = Http1Transport("http://127.0.0.1:9")
    with scripted_server(script) as server, pytest.raises(TransportError, match="the head of the response exceeds"):
        transport.send("POST", server.url, [], b"{}", deadline())
    transport.close()
