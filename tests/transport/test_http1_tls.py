"""Exchanges of threads over TLS."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from raw_server import RawServer, deadline, raw_server, read_request, scripted_server, whole

from modelmesh_cdk.transport.http1.transport import Http1Response, Http1Transport
from modelmesh_cdk.transport.interfaces import TransportError

LARGE = b"x" * 20_000_000
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def transport() -> Iterator[Http1Transport]:
    made = Http1Transport("https://127.0.0.1:9")
    yield made
    made.close()


def post(transport: Http1Transport, server: RawServer, body: bytes = b"{}") -> Http1Response:
    return transport.send("POST", f"https://127.0.0.1:{server.port}", [], body, deadline())


def read(response: Http1Response) -> bytes:
    try:
        return b"".join(response)
    finally:
        response.close()


def scripted(context: ssl.SSLContext, script: Callable[[int, ssl.SSLSocket], None]) -> AbstractContextManager[RawServer]:
    def encrypted(number: int, connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            script(number, wrapped)

    return scripted_server(encrypted)


def test_large_bodies_arrive_whole(transport: Http1Transport, over_tls: ssl.SSLContext) -> None:
    with raw_server(lambda _number, request: whole(request.partition(b"\r\n\r\n")[2]), over_tls) as server:
        for _ in range(2):
            assert read(post(transport, server, LARGE)) == LARGE
        assert server.connections == 1


def test_response_before_the_end_of_the_request(transport: Http1Transport, over_tls: ssl.SSLContext) -> None:
    def script(_number: int, connection: ssl.SSLSocket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge")
        while connection.recv(1 << 20):
            pass

    with scripted(over_tls, script) as server:
        for number in (1, 2):
            response = post(transport, server, LARGE)
            assert (response.status, read(response)) == (413, b"large")
            assert server.connections == number


def test_interrupt_ends_a_read_in_another_thread(transport: Http1Transport, over_tls: ssl.SSLContext) -> None:
    def script(_number: int, connection: ssl.SSLSocket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nbegin")
        connection.recv(1)

    raised: list[TransportError] = []

    def reading() -> None:
        try:
            read(response)
        except TransportError as error:
            raised.append(error)

    with scripted(over_tls, script) as server:
        response = post(transport, server)
        thread = threading.Thread(target=reading)
        thread.start()
        response.interrupt()
        thread.join(20)
        assert len(raised) == 1


@pytest.mark.parametrize("surplus", [b"\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL"])
@pytest.mark.parametrize("apart", [False, True])
def test_surplus_bytes_are_not_the_next_response(
    transport: Http1Transport, over_tls: ssl.SSLContext, surplus: bytes, apart: bool
) -> None:
    """They are in the record of the response, or in one that the client has not decrypted."""

    def script(number: int, connection: ssl.SSLSocket) -> None:
        while read_request(connection):
            body = CHUNKED + b"1\r\n%d\r\n0\r\n\r\n" % number
            if apart:
                connection.sendall(body)
                connection.sendall(surplus)
            else:
                connection.sendall(body + surplus)
            sent.release()

    sent = threading.Semaphore(0)
    with scripted(over_tls, script) as server:
        for number in (b"1", b"2", b"3"):
            response = post(transport, server)
            sent.acquire()
            assert read(response) == number


def test_end_of_a_connection_without_the_end_of_tls_is_no_end_of_a_length(
    transport: Http1Transport, over_tls: ssl.SSLContext
) -> None:
    def script(_number: int, connection: ssl.SSLSocket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")
        socket.socket.shutdown(connection, socket.SHUT_RDWR)

    with scripted(over_tls, script) as server, pytest.raises(TransportError, match="broke in the middle of the answer"):
        read(post(transport, server))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_child_process_does_not_end_the_connection_of_its_parent(transport: Http1Transport, over_tls: ssl.SSLContext) -> None:
    with raw_server(lambda number, _request: whole(b"%d" % number), over_tls) as server:
        assert read(post(transport, server)) == b"1"
        child = os.fork()
        if not child:
            transport.close()
            os._exit(0)
        os.waitpid(child, 0)
        assert read(post(transport, server)) == b"2"
        assert server.connections == 1
