"""Large request bodies over every transport, in threads and event loops."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import Iterator

import pytest
from raw_server import deadline
from scripted_server import Peer, scripted_server
from uploads import EVERY, MIB, OWN, Body, Calls, answer, calls, checksum, read_body

from modelmesh.contracts import FailureClass
from modelmesh_cdk.transport.interfaces import TransportError, TransportTimeoutError
from modelmesh_cdk.transport.request_body import RequestBodyError
from modelmesh_cdk.transport.selection import TRANSPORTS

LARGE = 100 * MIB
EXTRA = 2 * MIB


class Uploads:
    """A server that keeps its connections and notes the size and CRC of each body."""

    def __init__(self) -> None:
        self.bodies: list[tuple[int, int]] = []

    def __call__(self, peer: Peer) -> None:
        while (got := read_body(peer))[0]:
            self.bodies.append(got)
            peer.send(answer("200 OK", b"ok"))


@pytest.mark.parametrize(("kind", "mode"), EVERY)
@pytest.mark.parametrize("size", [1, 5000, MIB + 1])
def test_body_arrives_whole_and_the_connection_is_reused(kind: str, mode: str, size: int) -> None:
    body, uploads = Body(size), Uploads()
    with scripted_server(uploads) as server, calls(kind, mode, server.url) as caller:
        for _ in range(2):
            assert caller.send(server.url, body)[:2] == (200, 2)
        assert server.connections == 1
    assert uploads.bodies == [checksum(Body(size))] * 2
    assert (body.started, body.open) == (2, 0)


@pytest.mark.parametrize(("kind", "mode"), EVERY)
def test_large_body_needs_little_memory(kind: str, mode: str) -> None:
    body, uploads = Body(LARGE if kind in TRANSPORTS else LARGE // 5), Uploads()
    with scripted_server(uploads) as server, calls(kind, mode, server.url) as caller:
        assert caller.send(server.url, Body(1000))[0] == 200  # imports and the connection
        gc.collect()
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            assert caller.send(server.url, body)[0] == 200
            extra = tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()
    assert extra < EXTRA
    assert uploads.bodies[1][0] == body.size


@pytest.mark.parametrize(("kind", "mode"), OWN)
def test_body_arrives_over_tls(kind: str, mode: str, over_tls: ssl.SSLContext) -> None:
    body, uploads = Body(5 * MIB + 1), Uploads()
    with scripted_server(uploads, over_tls) as server, calls(kind, mode, server.url) as caller:
        for _ in range(2):
            assert caller.send(server.url, body)[0] == 200
        assert server.connections == 1
    assert uploads.bodies == [checksum(Body(5 * MIB + 1))] * 2


@pytest.mark.parametrize(("kind", "mode"), OWN)
@pytest.mark.parametrize(
    ("body", "why"),
    [
        (Body(4 * MIB, fails_at=2 * MIB), "Input/output error"),
        (Body(4 * MIB, sent=3 * MIB), "more or fewer"),
        (Body(4 * MIB, sent=5 * MIB), "more or fewer"),
    ],
)
def test_unreadable_body_closes_the_connection_and_is_an_error_of_the_caller(kind: str, mode: str, body: Body, why: str) -> None:
    uploads = Uploads()
    with scripted_server(uploads) as server, calls(kind, mode, server.url) as caller:
        assert caller.send(server.url, Body(10))[0] == 200
        with pytest.raises(RequestBodyError, match=why) as caught:
            caller.send(server.url, body)
        assert caught.value.failure is FailureClass.CALLER
        assert caller.send(server.url, Body(10))[0] == 200  # over another connection
        assert server.connections == 2
        server.wait_until_ended(1)
    small = checksum(Body(10))
    assert [one for one in uploads.bodies if one[0] == 10] == [small, small]
    assert all(size < 4 * MIB for size, _ in uploads.bodies)
    assert body.open == 0


@pytest.mark.parametrize(("kind", "mode"), EVERY)
@pytest.mark.parametrize("tls", [False, True])
def test_refusal_in_the_middle_of_a_body_is_returned(kind: str, mode: str, tls: bool, over_tls: ssl.SSLContext) -> None:
    """The server refuses after a part, closes its sending side and reads on, as nginx and others do."""
    body = Body(16 * MIB)

    def serve(peer: Peer) -> None:
        read_body(peer, most=MIB)
        peer.send(answer("413 Content Too Large", b"big", close=True))
        peer.wait_for_end()

    with scripted_server(serve, over_tls if tls else None) as server, calls(kind, mode, server.url) as caller:
        assert caller.send(server.url, body)[:2] == (413, 3)
    assert body.open == 0


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("kind", TRANSPORTS)
@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("closes", [False, True])
def test_refusal_by_a_server_that_reads_no_further_is_returned(
    kind: str, mode: str, tls: bool, closes: bool, over_tls: ssl.SSLContext
) -> None:
    """The server refuses, and then waits or closes the connection with a reset.

    Servers disable Nagle's algorithm, as this one does. With it, the reset would discard the answer before it is sent over TLS.
    """
    body, ended = Body(8 * MIB), threading.Event()

    def serve(peer: Peer) -> None:
        peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.head()
        peer.send(answer("401 Unauthorized", b"key"))
        if not closes:
            ended.wait()

    with scripted_server(serve, over_tls if tls else None) as server, calls(kind, mode, server.url) as caller:
        for sent in (body, b"x" * body.size):
            assert caller.send(server.url, sent)[:2] == (401, 3)
        ended.set()
    assert body.open == 0


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("kind", TRANSPORTS)
def test_success_before_the_end_of_the_body_does_not_end_the_upload(kind: str, mode: str) -> None:
    body, bodies = Body(8 * MIB), []

    def serve(peer: Peer) -> None:
        for _ in range(2):
            head = peer.head()
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nye")
            peer._buffer = head + b"\r\n\r\n" + peer._buffer
            bodies.append(read_body(peer))
            peer.send(b"es")

    with scripted_server(serve) as server, calls(kind, mode, server.url) as caller:
        for _ in range(2):
            assert caller.send(server.url, body)[:2] == (200, 4)
        assert server.connections == 1
    assert bodies == [checksum(Body(8 * MIB))] * 2


@pytest.mark.parametrize(("kind", "mode"), EVERY)
def test_reset_in_the_middle_of_a_body_is_a_lost_connection(kind: str, mode: str) -> None:
    body = Body(16 * MIB)

    def serve(peer: Peer) -> None:
        read_body(peer, most=MIB)
        peer.reset()

    with scripted_server(serve) as server, calls(kind, mode, server.url) as caller:
        with pytest.raises(TransportError) as caught:
            caller.send(server.url, body)
        assert caught.value.failure is FailureClass.DISCONNECT
    assert body.open == 0


@pytest.mark.parametrize(("kind", "mode"), EVERY)
def test_server_that_takes_no_more_bytes_exceeds_the_gap(kind: str, mode: str) -> None:
    body = Body(16 * MIB)

    def serve(peer: Peer) -> None:
        read_body(peer, most=MIB)
        stalled.wait()

    stalled = threading.Event()
    with scripted_server(serve) as server, calls(kind, mode, server.url) as caller:
        try:
            with pytest.raises(TransportTimeoutError) as caught:
                caller.send(server.url, body, gap=0.2)
        finally:
            stalled.set()
    assert caught.value.phase == "headers"
    assert body.open == 0


class SlowBody(Body):
    """A body whose pieces come at intervals of 30 ms."""

    def _pieces(self) -> Iterator[bytes]:
        for piece in super()._pieces():
            time.sleep(0.03)
            yield piece


@pytest.mark.parametrize(("kind", "mode"), EVERY)
def test_first_limit_starts_after_the_upload(kind: str, mode: str) -> None:
    body, uploads, silent = SlowBody(10 * 1000, 1000), Uploads(), threading.Event()

    def serve(peer: Peer) -> None:
        uploads(peer) if not uploads.bodies else silent.wait()

    with scripted_server(serve) as server, calls(kind, mode, server.url) as caller:
        assert caller.send(server.url, body, phase=0.2)[0] == 200
    with scripted_server(serve) as server, calls(kind, mode, server.url) as caller:
        try:
            with pytest.raises(TransportTimeoutError):
                caller.send(server.url, Body(1000), phase=0.2, gap=20.0 if kind in TRANSPORTS else 0.2)
        finally:
            silent.set()


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("kind", TRANSPORTS)
def test_total_limit_ends_an_upload(kind: str, mode: str) -> None:
    body = SlowBody(50 * 100_000, 100_000)
    with scripted_server(Uploads()) as server, calls(kind, mode, server.url) as caller:
        with pytest.raises(TransportTimeoutError):
            caller.send(server.url, body, total=0.2)
    assert body.open == 0


class BlockedBody(Body):
    """A body whose second piece waits for the event loop, so that a blocked loop would wait for ever."""

    def __init__(self) -> None:
        super().__init__(200_000, 100_000)
        self.reached, self.released = threading.Event(), threading.Event()

    def _pieces(self) -> Iterator[bytes]:
        for number, piece in enumerate(super()._pieces()):
            if number:
                self.reached.set()
                assert self.released.wait(20)
            yield piece


@pytest.mark.parametrize("kind", TRANSPORTS)
def test_read_of_a_file_does_not_block_the_event_loop(kind: str) -> None:
    body = BlockedBody()

    async def main(caller: Calls, url: str) -> None:
        sending = asyncio.ensure_future(caller._exchange("POST", url, body, deadline()))
        while not body.reached.is_set():
            await asyncio.sleep(0.005)
        body.released.set()
        assert (await sending)[0] == 200

    with scripted_server(Uploads()) as server, calls(kind, "async", server.url) as caller:
        assert caller._runner is not None
        caller._runner.run(main(caller, server.url))


@pytest.mark.parametrize("kind", TRANSPORTS)
@pytest.mark.parametrize("blocked", [False, True])
def test_cancelled_upload_closes_its_file_and_its_connection(kind: str, blocked: bool) -> None:
    """The task is cancelled while a thread reads the file, or while the server takes no more bytes."""
    body, ended = BlockedBody() if blocked else Body(16 * MIB), threading.Event()

    def serve(peer: Peer) -> None:
        read_body(peer, most=50_000)
        started.set()
        ended.wait()

    started = threading.Event()

    async def main(caller: Calls, url: str) -> None:
        sending = asyncio.ensure_future(caller._exchange("POST", url, body, deadline()))
        while not (started.is_set() and (not isinstance(body, BlockedBody) or body.reached.is_set())):
            await asyncio.sleep(0.005)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        if isinstance(body, BlockedBody):
            body.released.set()
        while body.open:
            await asyncio.sleep(0.005)

    with scripted_server(serve) as server, calls(kind, "async", server.url) as caller:
        assert caller._runner is not None
        try:
            caller._runner.run(main(caller, server.url))
        finally:
            ended.set()
        server.wait_until_ended(1)
