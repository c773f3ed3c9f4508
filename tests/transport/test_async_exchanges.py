"""Exchanges of the asynchronous transport over llhttp: bodies of every size, early answers, backpressure and deadlines."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest
from async_calls import ask, deadline, post, read, slots
from scripted_server import WAIT_S, Peer, echo, scripted_server, serve_echo, sized

from modelmesh.contracts import FailureClass
from modelmesh_cdk.transport.http1 import async_connection
from modelmesh_cdk.transport.http1.async_transport import AsyncHttp1Transport
from modelmesh_cdk.transport.interfaces import TransportError, TransportTimeoutError

LARGE = bytes(range(256)) * 40_000  # about 10 MB: more than every buffer


def run(coroutine: Any) -> Any:
    return asyncio.run(asyncio.wait_for(coroutine, WAIT_S))


@pytest.mark.parametrize("size", [0, 1, 131_000, 131_072, 131_073, 300_000, len(LARGE)])
def test_body_of_any_size_arrives(size: int) -> None:
    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        for _ in range(2):
            assert await ask(transport, url, LARGE[:size]) == LARGE[:size]
        assert slots(transport) == (1, 1, 0)
        await transport.aclose()

    with scripted_server(serve_echo) as server:
        run(main(server.url))
        assert server.connections == 1


def test_response_to_head_has_no_body_and_connection_is_reused() -> None:
    def serve(peer: Peer) -> None:
        while request := peer.request():
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" if request.startswith(b"HEAD") else echo(request))

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        response = await transport.send("HEAD", url, [], b"", deadline())
        assert (response.status, response.headers["content-length"]) == (200, "9")
        assert await read(response) == b""
        assert await ask(transport, url) == b"x"
        await transport.aclose()

    with scripted_server(serve) as server:
        run(main(server.url))
        assert server.connections == 1


@pytest.mark.parametrize("last", [b"", b"HTTP/1.0 200 OK\r\n\r\nrest"])
def test_body_until_close_ends_with_the_connection(last: bytes) -> None:
    def serve(peer: Peer) -> None:
        peer.request()
        peer.send(last or b"HTTP/1.1 200 OK\r\n\r\nrest")

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        assert await ask(transport, url) == b"rest"
        assert slots(transport) == (0, 0, 0)
        await transport.aclose()

    with scripted_server(serve) as server:
        run(main(server.url))


def test_body_until_close_that_ends_with_reset_is_an_error() -> None:
    def serve(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nrest")
        gate.wait(WAIT_S)
        peer.reset()

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        response = await post(transport, url)
        assert await anext(response) == b"rest"
        gate.set()
        with pytest.raises(TransportError) as caught:
            await anext(response)
        assert caught.value.failure is FailureClass.PROTOCOL
        await transport.aclose()

    gate = threading.Event()
    with scripted_server(serve) as server:
        run(main(server.url))


def test_pieces_that_came_before_a_cut_are_delivered_before_the_error() -> None:
    def serve(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        response = await post(transport, url)
        assert await anext(response) == b"abc"
        message = "the connection broke in the middle of the answer .*received 3 bytes, expected 9"
        for _ in range(2):
            with pytest.raises(TransportError, match=message):
                await anext(response)
        assert slots(transport) == (0, 0, 0)
        await transport.aclose()

    with scripted_server(serve) as server:
        run(main(server.url))


@pytest.mark.parametrize("status", [400, 413, 500])
@pytest.mark.parametrize("ending", ["close", "reset", "open"])
def test_refusal_of_a_large_body_is_read(status: int, ending: str) -> None:
    def serve(peer: Peer) -> None:
        peer.head()
        peer.send(b"HTTP/1.1 %d No\r\nContent-Length: 7\r\n\r\nrefused" % status)
        if ending == "reset":
            peer.socket.close()  # unread bytes turn the end into a reset
        elif ending == "close":
            peer.socket.shutdown(socket.SHUT_WR)
            peer.wait_for_end()
        else:
            gate.wait(WAIT_S)

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        response = await post(transport, url, LARGE)
        assert response.status == status
        assert await read(response) == b"refused"
        # A server that goes on reading may receive the whole body before its response is read.
        assert slots(transport) in ([(0, 0, 0), (1, 1, 0)] if ending == "close" else [(0, 0, 0)])
        await transport.aclose()

    gate = threading.Event()
    with scripted_server(serve) as server:
        run(main(server.url))
        gate.set()


def test_early_success_does_not_end_the_request() -> None:
    def serve(peer: Peer) -> None:
        head = peer.head()
        size = int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0])
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        left = size
        while left:
            peer._more() if not peer._buffer else None
            data, peer._buffer = peer._buffer, b""
            left -= len(data)
            peer.send(data)
        peer.wait_for_end()

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        assert await ask(transport, url, LARGE) == LARGE
        await transport.aclose()

    with scripted_server(serve, buffer=65_536) as server:
        run(main(server.url))


def test_sender_of_a_large_body_waits_for_the_server() -> None:
    def serve(peer: Peer) -> None:
        gate.wait(WAIT_S)
        peer.send(echo(peer.request()))

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        task = asyncio.ensure_future(ask(transport, url, LARGE))
        await until(lambda: bool(transport._pools) and any(one.is_write_paused for one in pool(transport)._open))
        (connection,) = pool(transport)._open
        assert connection._transport.get_write_buffer_size() < 1_000_000
        gate.set()
        assert await task == LARGE
        await transport.aclose()

    gate = threading.Event()
    with scripted_server(serve, buffer=65_536) as server:
        run(main(server.url))


def test_server_that_does_not_read_a_large_body_exceeds_the_gap() -> None:
    def serve(peer: Peer) -> None:
        gate.wait(WAIT_S)

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        with pytest.raises(TransportTimeoutError, match="no headers came within the limit") as caught:
            await post(transport, url, LARGE, gap=0.2)
        assert (caught.value.phase, caught.value.seconds) == ("headers", 0.2)
        assert slots(transport) == (0, 0, 0)
        await transport.aclose()

    gate = threading.Event()
    with scripted_server(serve, buffer=65_536) as server:
        run(main(server.url))
        gate.set()


def test_large_body_over_a_broken_connection_causes_no_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def serve(peer: Peer) -> None:
        peer.send(echo(peer.request()))
        if peer.number == 1:
            peer.reset()

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        assert await ask(transport, url) == b"x"
        server.wait_until_ended(1)  # without a pause in which the event loop could see the end
        assert await ask(transport, url, LARGE) == LARGE
        await transport.aclose()

    monkeypatch.setattr(async_connection.AsyncConnection, "has_unread", lambda _: False)  # the reset came after the check
    with scripted_server(serve) as server:
        run(main(server.url))
        assert server.connections == 2
    assert not caplog.records  # asyncio would log each further piece


def test_reader_that_does_not_read_stops_the_server() -> None:
    sent = [0]

    def serve(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(LARGE))
        for start in range(0, len(LARGE), 65_536):
            peer.send(LARGE[start : start + 65_536])
            sent[0] = start
        peer.send(echo(peer.request()))

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        response = await post(transport, url)
        (connection,) = pool(transport)._open
        await until(lambda: connection._is_read_paused)
        await stands_still(lambda: sent[0])
        assert sum(len(piece) for piece in response._exchange.pieces) <= async_connection.HIGH_WATER + 262_144
        assert sent[0] < len(LARGE) // 2
        assert await read(response) == LARGE
        assert await ask(transport, url, b"next") == b"next"
        await transport.aclose()

    with scripted_server(serve, buffer=65_536) as server:
        run(main(server.url))
        assert server.connections == 1


HEADERS = "no headers came within the limit"


@pytest.mark.parametrize(
    ("begin", "limits", "seconds"),
    [
        (b"", {"gap": 0.2}, 0.2),
        (b"", {"phase": 0.2}, 0.2),
        (b"HTTP/1.1 200 OK\r\nContent-", {"gap": 0.2}, 0.2),
        (b"HTTP/1.1 100 Continue\r\n\r\n", {"gap": 0.2}, 0.2),
    ],
)
def test_headers_that_do_not_come_exceed_the_limit(begin: bytes, limits: dict[str, float], seconds: float) -> None:
    def serve(peer: Peer) -> None:
        peer.request()
        peer.send(begin)
        peer.wait_for_end()

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        with pytest.raises(TransportTimeoutError, match=HEADERS) as caught:
            await post(transport, url, **limits)
        assert (caught.value.phase, caught.value.seconds) == ("headers", seconds)
        assert slots(transport) == (0, 0, 0)
        await transport.aclose()

    with scripted_server(serve) as server:
        run(main(server.url))
        server.wait_until_ended(1)


def test_headers_that_drip_exceed_the_phase_and_not_the_gap() -> None:
    def serve(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nX: ")
        while not gate.wait(0.02):
            peer.send(b"x")

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        with pytest.raises(TransportTimeoutError, match=HEADERS) as caught:
            await post(transport, url, gap=0.3, phase=0.6)
        assert caught.value.seconds == 0.6
        await transport.aclose()

    gate = threading.Event()
    with scripted_server(serve) as server:
        run(main(server.url))
        gate.set()


@pytest.mark.parametrize(
    ("limits", "commit", "phase", "text"),
    [
        ({"gap": 0.2}, False, "gap", "no byte came for 0.2 s"),
        ({"phase": 0.2}, False, "content", "the answer was not there within the limit"),
        ({"phase": 0.1, "total": 0.3}, True, "total", "the answer was not there within the limit"),
    ],
)
def test_body_that_stops_exceeds_the_limit(limits: dict[str, float], commit: bool, phase: str, text: str) -> None:
    def serve(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        peer.wait_for_end()

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        limit = deadline(**limits)
        response = await transport.send("POST", url, [], b"x", limit)
        assert await anext(response) == b"abc"
        if commit:
            limit.commit()
        with pytest.raises(TransportTimeoutError, match=text) as caught:
            await anext(response)
        assert caught.value.phase == phase
        assert slots(transport) == (0, 0, 0)
        await transport.aclose()

    with scripted_server(serve) as server:
        run(main(server.url))
        server.wait_until_ended(1)


def test_shorter_and_longer_deadlines_hold_from_the_next_read() -> None:
    def serve(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        gate.wait(WAIT_S)
        peer.send(b"def")
        peer.wait_for_end()

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        limit = deadline()
        response = await transport.send("POST", url, [], b"x", limit)
        assert await anext(response) == b"abc"
        limit.expire_in(0.1)
        limit.resume()
        reading = asyncio.ensure_future(anext(response))
        await asyncio.sleep(0.2)
        assert not reading.done()
        gate.set()
        assert await reading == b"def"
        limit.expire_in(0.05)
        with pytest.raises(TransportTimeoutError):
            await anext(response)
        await transport.aclose()

    gate = threading.Event()
    with scripted_server(serve) as server:
        run(main(server.url))


def test_reader_that_pauses_does_not_exceed_the_gap() -> None:
    def serve(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
        gate.wait(WAIT_S)
        peer.send(b"def")
        peer.wait_for_end()

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        response = await post(transport, url, gap=0.3)
        assert await anext(response) == b"abc"
        await asyncio.sleep(0.5)
        gate.set()
        assert await read(response) == b"def"
        await transport.aclose()

    gate = threading.Event()
    with scripted_server(serve) as server:
        run(main(server.url))


def test_exchange_starts_one_timer_for_many_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    def serve(peer: Peer) -> None:
        while peer.request():
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n")
            for _ in range(50):
                asked.acquire(timeout=WAIT_S)
                peer.send(b"x")

    async def main(url: str) -> None:
        loop = asyncio.get_running_loop()
        call_later, timers = loop.call_later, []

        def counted(*rest: Any, **more: Any) -> Any:
            timers.append(rest)
            return call_later(*rest, **more)

        transport = AsyncHttp1Transport(url)
        for number in range(3):
            response = await post(transport, url)
            if number == 0:  # opening a connection has a limit of its own
                monkeypatch.setattr(loop, "call_later", counted)
            for _ in range(50):
                asked.release()
                assert await anext(response) == b"x"
            assert await read(response) == b""
        assert len(timers) <= 1
        await transport.aclose()

    asked = threading.Semaphore(0)
    with scripted_server(serve) as server:
        run(main(server.url))
        assert server.connections == 1


def test_two_readers_of_one_response_are_refused() -> None:
    def serve(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n")
        peer.wait_for_end()

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        response = await post(transport, url)
        reading = asyncio.ensure_future(anext(response))
        await asyncio.sleep(0.05)
        with pytest.raises(RuntimeError, match="another task already reads"):
            await anext(response)
        await response.aclose()
        with pytest.raises(TransportError):
            await reading
        await transport.aclose()

    with scripted_server(serve) as server:
        run(main(server.url))


def test_illegal_header_is_refused_before_a_connection_opens() -> None:
    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        with pytest.raises(TransportError) as caught:
            await transport.send("POST", url, [("X-Key", "secret\r\nEvil: 1")], b"", deadline())
        assert caught.value.failure is FailureClass.CONNECT
        assert "secret" not in str(caught.value)
        await transport.aclose()

    with scripted_server(lambda peer: peer.send(sized(b""))) as server:
        run(main(server.url))
        assert server.connections == 0


def pool(transport: AsyncHttp1Transport) -> Any:
    (found,) = transport._pools.values()
    return found


async def until(holds: Any) -> None:
    while not holds():
        await asyncio.sleep(0.005)


async def stands_still(count: Any) -> None:
    """Wait until a count no longer changes."""
    known = -1
    while count() != known:
        known = count()
        await asyncio.sleep(0.1)
