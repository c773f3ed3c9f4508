"""One exchange of threads over HTTP/1.1: limits, early responses, retries and interrupts."""

from __future__ import annotations

import contextlib
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from raw_server import RawServer, deadline, raw_server, read_request, scripted_server, whole

from modelmesh.contracts import FailureClass
from modelmesh_cdk.transport.http1.transport import Http1Response, Http1Transport
from modelmesh_cdk.transport.interfaces import Deadline, TransportError, TransportTimeoutError

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LARGE = b"x" * 20_000_000  # bytes that no buffer of the system takes


@pytest.fixture
def transport() -> Iterator[Http1Transport]:
    made = Http1Transport("http://127.0.0.1:9")
    yield made
    made.close()


def post(transport: Http1Transport, server: RawServer, body: bytes = b"{}", limits: Deadline | None = None) -> Http1Response:
    return transport.send("POST", server.url + "/v1", [("Accept", "*/*")], body, limits or deadline())


def read(response: Http1Response) -> bytes:
    try:
        return b"".join(response)
    finally:
        response.close()


def test_request_arrives_as_sent(transport: Http1Transport) -> None:
    with raw_server(lambda _number, _request: whole(b"hello")) as server:
        response = post(transport, server, b"body")
        assert (response.status, response.headers["content-length"], read(response)) == (200, "5", b"hello")
        assert server.requests == [
            b"POST /v1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: */*\r\nContent-Length: 4\r\n\r\nbody" % server.port
        ]


def test_large_body_arrives_whole(transport: Http1Transport) -> None:
    with raw_server(lambda _number, request: whole(b"%d" % len(request.partition(b"\r\n\r\n")[2]))) as server:
        for _ in range(2):
            assert read(post(transport, server, LARGE)) == b"%d" % len(LARGE)
        assert server.connections == 1


def test_body_is_read_piece_by_piece(transport: Http1Transport) -> None:
    def script(_number: int, connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(CHUNKED)
        for number in range(3):
            connection.sendall(b"1\r\n%d\r\n" % number)
            asked.acquire()
        connection.sendall(b"0\r\n\r\n")
        read_request(connection)

    asked = threading.Semaphore(0)
    with scripted_server(script) as server:
        response = post(transport, server)
        pieces = iter(response)
        for number in range(3):
            assert next(pieces) == b"%d" % number
            asked.release()
        assert next(pieces, None) is None


def test_unread_body_stays_with_the_server(transport: Http1Transport) -> None:
    sent = threading.Event()

    def script(_number: int, connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(LARGE))
        connection.sendall(LARGE)
        sent.set()

    with scripted_server(script) as server:
        response = post(transport, server)
        assert not sent.wait(0.2)
        assert read(response) == LARGE
        assert sent.wait(20)


def test_body_until_close(transport: Http1Transport) -> None:
    def script(_number: int, connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nhello")

    with scripted_server(script) as server:
        assert read(post(transport, server)) == b"hello"
        assert read(post(transport, server)) == b"hello"
        assert server.connections == 2


def test_silent_server_exceeds_the_headers_limit(transport: Http1Transport) -> None:
    with scripted_server(lambda _number, connection: connection.recv(1 << 20) and connection.recv(1)) as server:
        with pytest.raises(TransportTimeoutError) as caught:
            post(transport, server, limits=deadline(phase=0.1))
        assert (caught.value.phase, caught.value.seconds) == ("headers", 0.1)
        with pytest.raises(TransportTimeoutError) as caught:
            post(transport, server, limits=deadline(gap=0.1))
        assert (caught.value.phase, caught.value.seconds) == ("headers", 0.1)


def drip(piece: bytes) -> contextlib.AbstractContextManager[RawServer]:
    """A server that sends a byte of the body now and then, without end."""

    def script(_number: int, connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(CHUNKED)
        while not select.select([connection], [], [], 0.01)[0]:
            connection.sendall(piece)

    return scripted_server(script)


def test_dripping_server_exceeds_the_content_limit(transport: Http1Transport) -> None:
    with drip(b"1\r\nx\r\n") as server:
        response = post(transport, server, limits=deadline(phase=0.2))
        with pytest.raises(TransportTimeoutError) as caught:
            read(response)
        assert (caught.value.phase, caught.value.seconds) == ("content", 0.2)


def test_dripping_server_exceeds_the_total_limit(transport: Http1Transport) -> None:
    with drip(b"1\r\nx\r\n") as server:
        limits = deadline(total=0.3, phase=0.2)
        response = post(transport, server, limits=limits)
        limits.commit()
        with pytest.raises(TransportTimeoutError) as caught:
            read(response)
        assert (caught.value.phase, caught.value.seconds) == ("total", 0.3)


def test_silence_in_the_body_exceeds_the_gap(transport: Http1Transport) -> None:
    def script(_number: int, connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(CHUNKED + b"1\r\nx\r\n")
        connection.recv(1)

    with scripted_server(script) as server:
        response = post(transport, server, limits=deadline(gap=0.1))
        with pytest.raises(TransportTimeoutError, match="no byte came for 0.1 s") as caught:
            read(response)
        assert (caught.value.phase, caught.value.seconds) == ("gap", 0.1)


def test_server_that_takes_no_bytes_exceeds_the_limit(transport: Http1Transport) -> None:
    ended = threading.Event()
    with scripted_server(lambda _number, _connection: ended.wait(20) and None) as server:
        with pytest.raises(TransportTimeoutError) as caught:
            post(transport, server, LARGE, deadline(gap=0.1))
        ended.set()
        assert caught.value.phase == "headers"


def test_passed_deadline_sends_nothing(transport: Http1Transport) -> None:
    with raw_server(lambda _number, _request: whole(b"")) as server:
        read(post(transport, server))
        with pytest.raises(TransportTimeoutError):
            post(transport, server, limits=deadline(phase=0))
        assert len(server.requests) == 1


@pytest.mark.parametrize("closes", [True, False])
def test_response_before_the_end_of_the_request(transport: Http1Transport, closes: bool) -> None:
    """The second request must not follow the part of the first that the server has received."""

    def script(_number: int, connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge")
        while not closes and connection.recv(1 << 20):
            pass

    with scripted_server(script) as server:
        response = post(transport, server, LARGE)
        assert (response.status, read(response)) == (413, b"large")
        assert read(post(transport, server)) == b"large"
        assert server.connections == 2


def test_response_that_begins_before_the_end_of_the_request_does_not_end_it(transport: Http1Transport) -> None:
    def script(_number: int, connection: socket.socket) -> None:
        connection.sendall(CHUNKED + b"5\r\nbegin\r\n")
        length = b"%d" % len(read_request(connection).partition(b"\r\n\r\n")[2])
        connection.sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (len(length), length))

    with scripted_server(script) as server:
        assert read(post(transport, server, LARGE)) == b"begin%d" % len(LARGE)


def test_informational_response_does_not_end_the_request(transport: Http1Transport) -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.sendall(whole(b"%d" % len(read_request(connection).partition(b"\r\n\r\n")[2])))

    with scripted_server(lambda _number, connection: [answer(connection) for _ in range(2)] and None) as server:
        assert read(post(transport, server, LARGE)) == b"%d" % len(LARGE)


@pytest.mark.parametrize("reset", [False, True])
def test_stale_connection_is_replaced_once(transport: Http1Transport, reset: bool) -> None:
    """The server closes the connection as soon as the second request arrives on it."""

    def script(number: int, connection: socket.socket) -> None:
        received.append(read_request(connection))
        connection.sendall(whole(b"%d" % number))
        received.append(read_request(connection))
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    received: list[bytes] = []
    with scripted_server(script) as server:
        assert read(post(transport, server)) == b"1"
        assert read(post(transport, server)) == b"2"
        assert (server.connections, len(received)) == (2, 3)


def test_fresh_connection_is_not_replaced(transport: Http1Transport) -> None:
    with scripted_server(lambda _number, connection: read_request(connection) and None) as server:
        with pytest.raises(TransportError) as caught:
            post(transport, server)
        assert str(caught.value) == "RemoteProtocolError: Server disconnected without sending a response."
        assert caught.value.failure is FailureClass.DISCONNECT
        assert server.connections == 1


@pytest.mark.parametrize("begun", [b"H", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_request_whose_response_began_is_not_repeated(transport: Http1Transport, begun: bytes) -> None:
    def script(_number: int, connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(whole(b"first"))
        read_request(connection)
        connection.sendall(begun)

    with scripted_server(script) as server:
        assert read(post(transport, server)) == b"first"
        with pytest.raises(TransportError) as caught:
            post(transport, server)
        assert caught.value.failure is FailureClass.DISCONNECT
        assert server.connections == 1


def test_request_whose_time_is_over_is_not_repeated(transport: Http1Transport) -> None:
    def script(_number: int, connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(whole(b"first"))
        read_request(connection)
        connection.recv(1)

    with scripted_server(script) as server:
        assert read(post(transport, server)) == b"first"
        with pytest.raises(TransportTimeoutError):
            post(transport, server, limits=deadline(phase=0.1))
        assert server.connections == 1


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        (b"5\r\nhel", "peer closed connection without sending complete message body (incomplete chunked read)"),
        (b"zz\r\n", "Invalid character in chunk size"),
    ],
)
def test_broken_body_is_a_protocol_failure(transport: Http1Transport, rest: bytes, reason: str) -> None:
    def script(_number: int, connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(CHUNKED + b"2\r\nok\r\n" + rest)

    with scripted_server(script) as server:
        response, pieces = post(transport, server), []
        with pytest.raises(TransportError) as caught:
            pieces.extend(iter(response))
        assert caught.value.failure is FailureClass.PROTOCOL
        assert str(caught.value) == f"the connection broke in the middle of the answer (RemoteProtocolError: {reason})"
        response, pieces = post(transport, server), []
        with contextlib.suppress(TransportError):
            for piece in response:
                pieces.append(piece)
        assert b"".join(pieces).startswith(b"ok")


def test_short_body_is_a_protocol_failure(transport: Http1Transport) -> None:
    def script(_number: int, connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello")

    with scripted_server(script) as server, pytest.raises(TransportError, match="received 5 bytes, expected 9"):
        read(post(transport, server))


@pytest.mark.parametrize("answer", [b"SSH-2.0-x\r\n", b"HTTP/1.1 101 Go\r\n\r\n", b"HTTP/2.0 200 OK\nA: b\n\n"])
def test_other_protocol_is_a_disconnect(transport: Http1Transport, answer: bytes) -> None:
    with raw_server(lambda _number, _request: answer) as server, pytest.raises(TransportError) as caught:
        post(transport, server)
    assert caught.value.failure is FailureClass.DISCONNECT
    assert str(caught.value).startswith("RemoteProtocolError: ")


@pytest.mark.parametrize("head", [CHUNKED, b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"])
def test_interrupt_ends_a_read_in_another_thread(transport: Http1Transport, head: bytes) -> None:
    def script(_number: int, connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(head)
        connection.recv(1)

    def reading() -> None:
        try:
            read(response)
        except TransportError as error:
            raised.append(error)

    raised: list[TransportError] = []
    with scripted_server(script) as server:
        response = post(transport, server)
        thread = threading.Thread(target=reading)
        thread.start()
        assert not raised
        response.interrupt()
        thread.join(20)
        assert [error.failure for error in raised] == [FailureClass.PROTOCOL]


def test_interrupt_after_the_end_reaches_no_other_exchange(transport: Http1Transport) -> None:
    with raw_server(lambda number, _request: whole(b"%d" % number)) as server:
        first = post(transport, server)
        first.interrupt()
        second = post(transport, server)
        assert read(first) == b"1"
        first.interrupt()
        assert read(second) == b"2"
        assert server.connections == 1


def test_closed_response_yields_no_end(transport: Http1Transport) -> None:
    with drip(b"1\r\nx\r\n") as server:
        response = post(transport, server)
        response.close()
        with pytest.raises(TransportError, match="the response is closed"):
            list(response)


def test_responses_to_head_have_no_body(transport: Http1Transport) -> None:
    with raw_server(lambda _number, _request: b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n") as server:
        for _ in range(2):
            assert read(transport.send("HEAD", server.url, [], b"", deadline())) == b""
        assert server.connections == 1


def test_import_leaves_out_httpx2() -> None:
    code = "import sys, modelmesh_cdk.transport.http1.transport; print({'httpx2', 'httpcore2', 'h11'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "set()\n"
