"""Connections of threads: which are reused, how many are open, and who waits for them."""

from __future__ import annotations

import gc
import os
import socket
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from raw_server import RawServer, deadline, raw_server, read_request, scripted_server, whole

from modelmesh.contracts import FailureClass
from modelmesh_cdk.transport.http1 import pool as pools
from modelmesh_cdk.transport.http1.pool import Lease, Pool
from modelmesh_cdk.transport.http1.request_head import parse_url
from modelmesh_cdk.transport.http1.transport import Http1Response, Http1Transport
from modelmesh_cdk.transport.interfaces import Deadline, TransportError

NUMBERED = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d"


@pytest.fixture
def transport() -> Iterator[Http1Transport]:
    made = Http1Transport("http://127.0.0.1:9", max_connections=2)
    yield made
    made.close()


def post(transport: Http1Transport, server: RawServer, limits: Deadline | None = None) -> Http1Response:
    return transport.send("POST", server.url, [], b"{}", limits or deadline())


def read(response: Http1Response) -> bytes:
    try:
        return b"".join(response)
    finally:
        response.close()


def numbered(number: int, _request: bytes) -> bytes:
    return whole(b"%d" % number)


def only_pool(transport: Http1Transport) -> Any:
    (pool,) = transport._pools.values()
    return pool


def waiting(pool: Any, count: int) -> None:
    """Wait until this many requests are in the queue."""
    while len(pool._waiting) < count:
        threading.Event().wait(0.001)


def test_complete_response_frees_its_connection_before_it_is_read(transport: Http1Transport) -> None:
    with raw_server(numbered) as server:
        responses = [post(transport, server) for _ in range(5)]
        assert [read(response) for response in responses] == [b"1", b"2", b"3", b"4", b"5"]
        assert server.connections == 1


def test_response_closed_before_its_end_closes_its_connection(transport: Http1Transport) -> None:
    def script(number: int, connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n%d" % number)

    with scripted_server(script) as server:
        for number in (b"1", b"2", b"3"):
            response = post(transport, server)
            assert next(iter(response)) == number
            response.close()
        assert only_pool(transport)._held == 0
        assert server.connections == 3


def test_dropped_response_frees_its_slot(transport: Http1Transport) -> None:
    def script(_number: int, connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx")

    with scripted_server(script) as server:
        for _ in range(5):
            post(transport, server)
            gc.collect()
        assert only_pool(transport)._held == 0


@pytest.mark.parametrize("late", [b"\r\n", b"H", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL", None])
def test_late_bytes_or_a_close_between_two_requests(transport: Http1Transport, late: bytes | None) -> None:
    """Bytes that come after the response was read are in the socket, not in the parser."""

    def script(number: int, connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(NUMBERED % number)
        go.acquire()
        if late is None:
            connection.shutdown(socket.SHUT_WR)
        else:
            connection.sendall(late)
        gone.release()
        read_request(connection)

    go, gone = threading.Semaphore(0), threading.Semaphore(0)
    with scripted_server(script) as server:
        for number in (b"1", b"2", b"3"):
            assert read(post(transport, server)) == number
            go.release()
            gone.acquire()
            (idle,) = only_pool(transport)._idle
            while idle.is_quiet():
                threading.Event().wait(0.001)


def test_unused_connection_expires(transport: Http1Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(numbered) as server:
        read(post(transport, server))
        (idle,) = only_pool(transport)._idle
        idle.idle_since -= pools.KEEPALIVE_S + 1
        read(post(transport, server))
        assert server.connections == 2
        assert idle._socket.fileno() == -1
        monkeypatch.setattr(pools, "KEEPALIVE_S", -1.0)
        read(post(transport, server))
        assert len(only_pool(transport)._idle) == 0


def test_expired_connections_are_closed_by_other_requests(transport: Http1Transport) -> None:
    with raw_server(numbered) as server:
        pool = only_pool_after(transport, server)
        first, second = pool.take(deadline().at), pool.take(deadline().at)
        second.connection = transport._open(pool, second, address_of(server), deadline())
        for lease in (first, second):
            lease.connection.send("POST", b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", b"", deadline())
            while not lease.connection.parser.is_complete:
                lease.connection.receive(deadline())
            lease.give_back()
        assert len(pool._idle) == 2
        old = pool._idle[0]
        old.idle_since -= pools.KEEPALIVE_S + 1
        read(post(transport, server))
        assert old._socket.fileno() == -1
        assert len(pool._idle) == 1


def only_pool_after(transport: Http1Transport, server: RawServer) -> Any:
    read(post(transport, server))
    return only_pool(transport)


def address_of(server: RawServer) -> Any:
    return parse_url(server.url)


def test_origins_have_their_own_limit(transport: Http1Transport) -> None:
    with raw_server(numbered) as one, raw_server(numbered) as other:
        for server in (one, other, one, other):
            read(post(transport, server))
        assert (one.connections, other.connections) == (1, 1)
        assert len(transport._pools) == 2


def test_requests_beyond_the_limit_are_served_in_order() -> None:
    pool, order = Pool(1), []
    first = pool.take(deadline().at)

    def wait(number: int) -> None:
        lease = pool.take(deadline().at)
        order.append(number)
        lease.drop()

    threads = []
    for number in range(5):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        waiting(pool, number + 1)
    first.drop()
    for thread in threads:
        thread.join(20)
    assert order == [0, 1, 2, 3, 4]
    assert pool._held == 0


@pytest.mark.parametrize("limits", [{"gap": 0.05}, {"phase": 0.05}, {"total": 0.05}])
def test_wait_beyond_the_limit_is_a_connect_failure(transport: Http1Transport, limits: dict[str, float]) -> None:
    def script(_number: int, connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx")

    with scripted_server(script) as server:
        responses = [post(transport, server) for _ in range(2)]
        with pytest.raises(TransportError, match="^PoolTimeout$") as caught:
            post(transport, server, deadline(**limits))
        assert caught.value.failure is FailureClass.CONNECT
        assert server.connections == 2
        for response in responses:
            response.close()
        post(transport, server).close()
        assert (only_pool(transport)._held, len(only_pool(transport)._waiting)) == (0, 0)


def test_wait_for_a_connection_may_exceed_the_connect_limit() -> None:
    gate = threading.Event()

    def script(_number: int, connection: socket.socket) -> None:
        while read_request(connection):
            gate.wait(20)
            connection.sendall(NUMBERED % 1)

    transport = Http1Transport("http://127.0.0.1:9", max_connections=1)
    with scripted_server(script) as server:
        bodies: list[bytes] = []
        limits = deadline(), deadline(connect=0)
        threads = [threading.Thread(target=lambda one=one: bodies.append(read(post(transport, server, one)))) for one in limits]
        threads[0].start()
        while not transport._pools or not only_pool(transport)._open:
            threading.Event().wait(0.001)
        threads[1].start()
        while threads[1].is_alive() and not only_pool(transport)._waiting:
            threading.Event().wait(0.001)
        gate.set()
        for thread in threads:
            thread.join(20)
        assert bodies == [b"1", b"1"]
        assert server.connections == 1
    transport.close()


def test_waiting_request_gets_the_connection_of_a_finished_one() -> None:
    transport = Http1Transport("http://127.0.0.1:9", max_connections=1)
    go = threading.Event()

    def answer(number: int, _request: bytes) -> bytes:
        go.wait(20)
        return whole(b"%d" % number)

    with raw_server(answer) as server:
        found: list[bytes] = []
        threads = [threading.Thread(target=lambda: found.append(read(post(transport, server)))) for _ in range(4)]
        for thread in threads:
            thread.start()
        while not transport._pools:
            threading.Event().wait(0.001)
        waiting(only_pool(transport), 3)
        go.set()
        for thread in threads:
            thread.join(20)
        assert sorted(found) == [b"1", b"2", b"3", b"4"]
        assert server.connections == 1
    transport.close()


def test_many_threads_get_their_own_answers() -> None:
    transport = Http1Transport("http://127.0.0.1:9", max_connections=4)
    wrong: list[bytes] = []

    def ask(server: RawServer, thread: int) -> None:
        for number in range(50):
            name = b"%d.%d" % (thread, number)
            response = transport.send("POST", server.url, [], name, deadline())
            if number % 7 == 3:
                response.close()
            elif read(response) != name:
                wrong.append(name)

    with raw_server(lambda _number, request: whole(request.partition(b"\r\n\r\n")[2])) as server:
        threads = [threading.Thread(target=ask, args=(server, number)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert wrong == []
        assert only_pool(transport)._held == 0
        assert len(only_pool(transport)._idle) <= 4
    transport.close()


def test_failed_connection_frees_its_slot(transport: Http1Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    for _ in range(5):
        with pytest.raises(TransportError):
            transport.send("POST", url, [], b"{}", deadline())
    assert only_pool(transport)._held == 0


def test_close_ends_exchanges_of_other_threads(transport: Http1Transport) -> None:
    def script(_number: int, connection: socket.socket) -> None:
        read_request(connection)
        asked.set()
        connection.recv(1)

    asked, raised = threading.Event(), []

    def ask(server: RawServer) -> None:
        try:
            post(transport, server)
        except TransportError as error:
            raised.append(error.failure)

    with scripted_server(script) as server:
        thread = threading.Thread(target=ask, args=(server,))
        thread.start()
        asked.wait(20)
        transport.close()
        thread.join(20)
        assert raised == [FailureClass.DISCONNECT]
        with pytest.raises(TransportError, match="the transport is closed"):
            post(transport, server)


def test_close_ends_the_wait_for_a_connection() -> None:
    pool, raised = Pool(1), []
    first = pool.take(deadline().at)

    def wait() -> None:
        try:
            pool.take(deadline().at)
        except TransportError as error:
            raised.append(str(error))

    thread = threading.Thread(target=wait)
    thread.start()
    waiting(pool, 1)
    pool.close()
    thread.join(20)
    assert raised == ["the transport is closed"]
    first.drop()
    assert pool._held == 0


def test_collected_transport_closes_its_sockets() -> None:
    transport = Http1Transport("http://127.0.0.1:9")
    with raw_server(numbered) as server:
        read(post(transport, server))
        (idle,) = only_pool(transport)._idle
        gone = weakref.ref(transport)
        del transport
        gc.collect()
        assert gone() is None
        assert idle._socket.fileno() == -1


def test_closed_connection_is_collected_without_a_cycle(transport: Http1Transport) -> None:
    gc.collect()
    gc.disable()
    try:
        with raw_server(
            lambda _number, _request: whole(b"")[:-2].replace(b"200 OK", b"200 OK\r\nConnection: close") + b"\r\n"
        ) as server:
            response = post(transport, server)
            (idle,) = [*only_pool(transport)._open] or [None]
            gone = weakref.ref(idle) if idle is not None else (lambda: None)
            del idle
            read(response)
            assert gone() is None
    finally:
        gc.enable()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.parametrize("calls_hook", [False, True])
def test_child_process_uses_its_own_connections(transport: Http1Transport, calls_hook: bool) -> None:
    with raw_server(numbered) as server:
        assert read(post(transport, server)) == b"1"
        (idle,) = only_pool(transport)._idle
        child = in_child(lambda: child_part(transport, server, idle, calls_hook=calls_hook))
        assert child == 0
        assert read(post(transport, server)) == b"3"
        assert server.connections == 2


def child_part(transport: Http1Transport, server: RawServer, idle: Any, *, calls_hook: bool) -> bool:
    if calls_hook:
        transport.after_fork()
    closed = idle._socket.fileno() == -1
    answer = read(post(transport, server))
    transport.close()
    return closed and answer == b"2"


def in_child(part: Callable[[], bool]) -> int:
    """Return the exit code of a child process: 0 if ``part`` returns true."""
    child = os.fork()
    if not child:
        code = 1
        try:
            code = 0 if part() else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_child_process_does_not_wait_for_locks_of_the_parent(transport: Http1Transport) -> None:
    with raw_server(numbered) as server:
        read(post(transport, server))
        taken, done = threading.Event(), threading.Event()

        def hold() -> None:
            with only_pool(transport).lock:
                taken.set()
                done.wait(20)

        thread = threading.Thread(target=hold)
        thread.start()
        taken.wait(20)
        try:
            assert in_child(lambda: read(post(transport, server)) == b"2") == 0
        finally:
            done.set()
            thread.join(20)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_stream_of_the_parent_fails_in_the_child_only(transport: Http1Transport) -> None:
    def script(_number: int, connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
        go.wait(20)
        connection.sendall(b"b")

    def in_the_child() -> bool:
        try:
            read(response)
        except TransportError:
            return only_pool_is_unused(transport)
        return False

    go = threading.Event()
    with scripted_server(script) as server:
        response = post(transport, server)
        assert in_child(in_the_child) == 0
        go.set()
        assert read(response) == b"ab"


def only_pool_is_unused(transport: Http1Transport) -> bool:
    return all(pool._held == 0 for pool in transport._pools.values())


def test_lease_that_is_dropped_twice_returns_one_slot() -> None:
    pool = Pool(2)
    first, second = pool.take(deadline().at), pool.take(deadline().at)
    first.drop()
    first.drop()
    assert pool._held == 1
    del second
    assert pool._held == 0


def test_cancelled_wait_passes_the_slot_on() -> None:
    pool = Pool(1)
    first = pool.take(deadline().at)
    cancelled = Lease(pool)
    cancelled.is_cancelled = True
    pool._waiting.append(cancelled)
    first.drop()
    assert pool._held == 0
    assert not cancelled.is_held


def test_request_that_stops_waiting_leaves_the_queue() -> None:
    pool = Pool(1)
    first = pool.take(deadline().at)
    for _ in range(3):
        with pytest.raises(TransportError, match="PoolTimeout"):
            pool.take(deadline(connect=0).connect_at)
    assert len(pool._waiting) == 0
    first.drop()
    assert pool._held == 0
