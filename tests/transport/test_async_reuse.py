"""A connection of the asynchronous transport is used again only after a complete response with nothing behind it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
import trustme
from async_calls import ask, deadline, pool_of, post, read, slots
from scripted_server import WAIT_S, Peer, echo, scripted_server, serve_echo, sized

from modelmesh.contracts import FailureClass
from modelmesh_cdk.transport.http1 import async_connecting, async_connection
from modelmesh_cdk.transport.http1.async_transport import AsyncHttp1Transport
from modelmesh_cdk.transport.interfaces import TransportError

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def run(coroutine: Any) -> Any:
    return asyncio.run(asyncio.wait_for(coroutine, WAIT_S))


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    authority = trustme.CA()
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    monkeypatch.setattr(async_connecting, "tls_context", lambda: trusting)
    pem = tmp_path / "cert.pem"
    authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


BEYOND = {
    "a whole response": sized(b"EVIL"),
    "the beginning of one": sized(b"EVIL")[:20],
    "one byte": b"H",
    "a line break": b"\r\n",
    "garbage": b"\x00\xff" * 50,
    "more than a read takes": sized(b"EVIL" * 200_000),
}


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("beyond", BEYOND)
def test_surplus_bytes_are_not_the_next_response(
    beyond: str, chunked: bool, secure: bool, request: pytest.FixtureRequest
) -> None:
    def serve(peer: Peer) -> None:
        while asked := peer.request():
            body = asked.partition(b"\r\n\r\n")[2]
            right = CHUNKED + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if chunked else sized(body)
            peer.send(right + (BEYOND[beyond] if peer.number == 1 else b""))

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        for token in (b"first", b"second", b"third"):
            assert await ask(transport, url, token) == token
        await transport.aclose()

    with scripted_server(serve, request.getfixturevalue("tls") if secure else None) as server:
        run(main(server.url))
        assert server.connections == 2


@pytest.mark.parametrize("secure", [False, True])
def test_bytes_that_come_later_close_the_idle_connection(secure: bool, request: pytest.FixtureRequest) -> None:
    def serve(peer: Peer) -> None:
        while asked := peer.request():
            peer.send(echo(asked))
            if peer.number == 1:
                gate.wait(WAIT_S)
                peer.send(sized(b"EVIL"))
                peer.wait_for_end()

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        assert await ask(transport, url, b"first") == b"first"
        assert slots(transport) == (1, 1, 0)
        gate.set()
        await until(lambda: slots(transport) == (0, 0, 0))
        assert await ask(transport, url, b"second") == b"second"
        await transport.aclose()

    gate = threading.Event()
    with scripted_server(serve, request.getfixturevalue("tls") if secure else None) as server:
        run(main(server.url))
        assert server.connections == 2


def test_bytes_in_the_socket_are_seen_before_the_loop_reads_them() -> None:
    def serve(peer: Peer) -> None:
        while asked := peer.request():
            peer.send(echo(asked))
            if peer.number == 1:
                gate.wait(WAIT_S)
                peer.send(sized(b"EVIL"))
                sent.set()

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        assert await ask(transport, url, b"first") == b"first"
        gate.set()
        sent.wait(WAIT_S)  # the event loop does not run in the meantime
        assert await ask(transport, url, b"second") == b"second"
        await transport.aclose()

    gate, sent = threading.Event(), threading.Event()
    with scripted_server(serve) as server:
        run(main(server.url))
        assert server.connections == 2


def test_part_of_a_tls_record_after_the_response_is_surplus(tls: ssl.SSLContext) -> None:
    """The rest of the record would come during the next exchange, and be read as its response."""

    def serve(peer: Peer) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        inner = tls.wrap_bio(incoming, outgoing, server_side=True)

        def step(act: Any) -> Any:
            while True:
                try:
                    found = act()
                    break
                except ssl.SSLWantReadError:
                    peer.send(outgoing.read())
                    data = peer.socket.recv(65_536)
                    if not data:
                        raise OSError from None
                    incoming.write(data)
            return found

        step(inner.do_handshake)
        number = 0
        while True:
            body = step(lambda: inner.read(65_536)).partition(b"\r\n\r\n")[2]
            number += 1
            inner.write(sized(body))
            data = outgoing.read()
            if peer.number == 1:
                inner.write(sized(b"EVIL"))
                evil = outgoing.read()
                peer.send(data + evil[:10])
                gate.wait(WAIT_S)
                peer.send(evil[10:])
            else:
                peer.send(data)

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        assert await ask(transport, url, b"first") == b"first"
        asyncio.get_running_loop().call_later(0.05, gate.set)
        assert await ask(transport, url, b"second") == b"second"
        await transport.aclose()

    gate = threading.Event()
    with scripted_server(serve) as server:
        run(main(server.url.replace("http:", "https:")))
        assert server.connections == 2


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        CHUNKED.replace(b"Transfer", b"Connection: close\r\nTransfer") + b"2\r\nok\r\n0\r\n\r\n",
    ],
)
def test_connection_that_the_server_will_close_is_not_reused(
    response: bytes, secure: bool, request: pytest.FixtureRequest
) -> None:
    def serve(peer: Peer) -> None:
        while peer.request():
            peer.send(response)

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        for _ in range(2):
            assert await ask(transport, url) == b"ok"
            assert slots(transport) == (0, 0, 0)
        await transport.aclose()

    with scripted_server(serve, request.getfixturevalue("tls") if secure else None) as server:
        run(main(server.url))
        server.wait_until_ended(2)


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("size", [1, 200, 100_000, 3_000_000])
def test_tls_carries_bodies_of_any_size_and_is_reused(size: int, secure: bool, request: pytest.FixtureRequest) -> None:
    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        for number in range(3):
            body = bytes([number]) * size
            assert await ask(transport, url, body) == body
        assert slots(transport) == (1, 1, 0)
        await transport.aclose()

    with scripted_server(serve_echo, request.getfixturevalue("tls") if secure else None) as server:
        run(main(server.url))
        assert server.connections == 1
        server.wait_until_ended(1)


def test_server_name_of_tls_is_the_host(tls: ssl.SSLContext) -> None:
    names: list[str | None] = []
    tls.sni_callback = lambda _, name, __: names.append(name)  # type: ignore[assignment]

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        assert await ask(transport, url.replace("127.0.0.1", "localhost")) == b"x"
        await transport.aclose()

    with scripted_server(serve_echo, tls) as server:
        run(main(server.url))
    assert names == ["localhost"]


def test_untrusted_certificate_is_a_connect_failure(tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(async_connecting, "tls_context", ssl.create_default_context)

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        with pytest.raises(TransportError, match="ConnectError: .*CERTIFICATE_VERIFY_FAILED") as caught:
            await ask(transport, url)
        assert caught.value.failure is FailureClass.CONNECT
        assert slots(transport) == (0, 0, 0)
        await transport.aclose()

    with scripted_server(serve_echo, tls) as server:
        run(main(server.url))
        server.wait_until_ended(1)


@pytest.mark.parametrize("act", ["close", "silence", "garbage"])
def test_tls_handshake_that_fails_is_a_connect_failure(act: str, tls: ssl.SSLContext) -> None:
    def serve(peer: Peer) -> None:
        if act == "garbage":
            peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        if act != "close":
            peer.wait_for_end()

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        with pytest.raises(TransportError) as caught:
            await ask(transport, url, connect=0.3)
        assert caught.value.failure is FailureClass.CONNECT
        assert str(caught.value).startswith("ConnectTimeout" if act == "silence" else "ConnectError")
        assert slots(transport) == (0, 0, 0)
        await transport.aclose()

    with scripted_server(serve) as server:
        run(main(server.url.replace("http:", "https:")))
        server.wait_until_ended(1)


@pytest.mark.parametrize("ending", ["close", "reset"])
@pytest.mark.parametrize("after_request", [False, True])
def test_stale_connection_is_retried_on_a_fresh_one(ending: str, after_request: bool) -> None:
    def serve(peer: Peer) -> None:
        peer.send(echo(peer.request()))
        if peer.number == 1:
            if after_request:
                peer.request()
            if ending == "reset":
                peer.reset()
            return
        while asked := peer.request():
            peer.send(echo(asked))

    async def main(url: str, server: Any) -> None:
        transport = AsyncHttp1Transport(url)
        assert await ask(transport, url, b"first") == b"first"
        if not after_request:
            server.wait_until_ended(1)  # the event loop does not see the end before it sends
        assert await ask(transport, url, b"second") == b"second"
        assert slots(transport) == (1, 1, 0)
        await transport.aclose()

    with scripted_server(serve) as server:
        run(main(server.url, server))
        assert server.connections == 2


def test_request_is_sent_at_most_twice() -> None:
    requests: list[bytes] = []

    def serve(peer: Peer) -> None:
        requests.append(asked := peer.request())
        if peer.number == 1:
            peer.send(echo(asked))
            requests.append(peer.request())

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        assert await ask(transport, url) == b"x"
        with pytest.raises(TransportError, match="Server disconnected without sending a response") as caught:
            await ask(transport, url)
        assert caught.value.failure is FailureClass.DISCONNECT
        assert slots(transport) == (0, 0, 0)
        await transport.aclose()

    with scripted_server(serve) as server:
        run(main(server.url))
        assert (server.connections, len(requests)) == (2, 3)


def test_retry_does_not_use_another_idle_connection() -> None:
    def serve(peer: Peer) -> None:
        asked = peer.request()
        if peer.number <= 2:
            barrier.wait(WAIT_S)
        peer.send(echo(asked))
        peer.request()  # and ends the connection without a response

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url, max_connections=2)
        assert await asyncio.gather(ask(transport, url), ask(transport, url)) == [b"x", b"x"]
        assert slots(transport) == (2, 2, 0)
        assert await ask(transport, url, b"third") == b"third"
        assert server.connections == 3
        assert slots(transport) == (2, 2, 0)
        await transport.aclose()

    barrier = threading.Barrier(2)
    with scripted_server(serve) as server:
        run(main(server.url))
        assert server.connections == 3


@pytest.mark.parametrize("begin", [b"H", b"HTTP/1.1 200 OK\r\nContent-", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_request_is_not_repeated_after_a_byte_of_an_answer(begin: bytes) -> None:
    def serve(peer: Peer) -> None:
        peer.send(echo(peer.request()))
        peer.request()
        peer.send(begin)

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        assert await ask(transport, url) == b"x"
        with pytest.raises(TransportError) as caught:
            await ask(transport, url)
        assert caught.value.failure is FailureClass.DISCONNECT
        await transport.aclose()

    with scripted_server(serve) as server:
        run(main(server.url))
        assert server.connections == 1


def test_request_on_a_new_connection_is_not_repeated() -> None:
    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        with pytest.raises(TransportError) as caught:
            await ask(transport, url)
        assert caught.value.failure is FailureClass.DISCONNECT
        await transport.aclose()

    with scripted_server(lambda peer: peer.request() and None) as server:
        run(main(server.url))
        assert server.connections == 1


def test_request_is_not_repeated_after_a_time_limit() -> None:
    def serve(peer: Peer) -> None:
        peer.send(echo(peer.request()))
        peer.wait_for_end()

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        assert await ask(transport, url) == b"x"
        with pytest.raises(TransportError) as caught:
            await ask(transport, url, gap=0.1)
        assert caught.value.failure is FailureClass.TIMEOUT
        await transport.aclose()

    with scripted_server(serve) as server:
        run(main(server.url))
        assert server.connections == 1


def test_response_before_the_request_belongs_to_no_request() -> None:
    def serve(peer: Peer) -> None:
        if peer.number == 1:
            peer.send(sized(b"EVIL"))
        peer.send(echo(peer.request()))
        peer.wait_for_end()

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        found = []
        for _ in range(2):
            with contextlib.suppress(TransportError):
                found.append(await ask(transport, url, b"right"))
        assert found in ([b"right"], [b"EVIL", b"right"])  # the request may be sent before the bytes arrive
        await transport.aclose()

    with scripted_server(serve) as server:
        run(main(server.url))
        # One connection serves both if the first response arrives after the second request was sent. Nothing shows that it is late.
        assert server.connections <= 2


def part_of_a_body(peer: Peer) -> None:
    while asked := peer.request():
        if peer.number == 1:
            peer.send(CHUNKED + b"4\r\npart\r\n")
            peer.wait_for_end()
            return
        peer.send(echo(asked))


def no_headers(peer: Peer) -> None:
    while asked := peer.request():
        if peer.number == 1:
            peer.wait_for_end()
            return
        peer.send(echo(asked))


@pytest.mark.parametrize("secure", [False, True])
def test_cancellation_before_the_headers_aborts_the_connection(secure: bool, request: pytest.FixtureRequest) -> None:
    async def main(url: str, server: Any) -> None:
        transport = AsyncHttp1Transport(url)
        task = asyncio.ensure_future(ask(transport, url))
        await until(lambda: bool(transport._pools) and any(one._exchange for one in pool_of(transport)._open))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert slots(transport) == (0, 0, 0)
        await asyncio.to_thread(server.wait_until_ended, 1)
        assert await ask(transport, url, b"next") == b"next"
        await transport.aclose()

    with scripted_server(no_headers, request.getfixturevalue("tls") if secure else None) as server:
        run(main(server.url, server))


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("way", ["cancel", "close", "close from another task", "drop", "drop while reading"])
def test_response_that_is_left_early_aborts_the_connection(way: str, secure: bool, request: pytest.FixtureRequest) -> None:
    async def main(url: str, server: Any) -> None:
        transport = AsyncHttp1Transport(url)
        response = await post(transport, url)
        assert await anext(response) == b"part"
        if way == "cancel":
            reading = asyncio.ensure_future(anext(response))
            await asyncio.sleep(0)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
        elif way == "close":
            await response.aclose()
        elif way == "close from another task":
            reading = asyncio.ensure_future(anext(response))
            await asyncio.sleep(0)
            await asyncio.ensure_future(response.aclose())
            with pytest.raises(TransportError, match="the response was closed"):
                await reading
        elif way == "drop while reading":
            coroutine = response.__anext__()
            coroutine.send(None)
            coroutine.close()
        del response
        gc.collect()
        await until(lambda: slots(transport) == (0, 0, 0))
        await asyncio.to_thread(server.wait_until_ended, 1)
        assert await ask(transport, url, b"next") == b"next"
        await transport.aclose()

    with scripted_server(part_of_a_body, request.getfixturevalue("tls") if secure else None) as server:
        run(main(server.url, server))


def test_cancellation_in_a_large_body_aborts_the_connection() -> None:
    def serve(peer: Peer) -> None:
        peer.head()
        gate.wait(WAIT_S)
        peer.wait_for_end()

    async def main(url: str, server: Any) -> None:
        transport = AsyncHttp1Transport(url)
        task = asyncio.ensure_future(ask(transport, url, b"x" * 10_000_000))
        await until(lambda: bool(transport._pools) and any(one.is_write_paused for one in pool_of(transport)._open))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert slots(transport) == (0, 0, 0)
        gate.set()
        await asyncio.to_thread(server.wait_until_ended, 1)
        await transport.aclose()

    gate = threading.Event()
    with scripted_server(serve, buffer=65_536) as server:
        run(main(server.url, server))


def test_late_close_of_a_complete_response_leaves_the_next_exchange_alone() -> None:
    def serve(peer: Peer) -> None:
        peer.send(echo(peer.request()))
        asked = peer.request()
        gate.wait(WAIT_S)
        peer.send(echo(asked))
        peer.wait_for_end()

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        first = await post(transport, url, b"first")
        second = asyncio.ensure_future(ask(transport, url, b"second"))
        await until(lambda: any(one._exchange for one in pool_of(transport)._open))
        await first.aclose()
        del first
        gc.collect()
        gate.set()
        assert await second == b"second"
        await transport.aclose()

    gate = threading.Event()
    with scripted_server(serve) as server:
        run(main(server.url))
        assert server.connections == 1


def test_cancellation_after_the_response_ended_keeps_the_connection_and_drops_the_response(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        assert await ask(transport, url, b"first") == b"first"
        task: asyncio.Task[bytes] = asyncio.ensure_future(ask(transport, url, b"cancelled"))
        complete = async_connection.AsyncConnection._complete

        def complete_and_cancel(connection: async_connection.AsyncConnection) -> None:
            complete(connection)
            task.cancel()

        with monkeypatch.context() as patched:
            patched.setattr(async_connection.AsyncConnection, "_complete", complete_and_cancel)
            with pytest.raises(asyncio.CancelledError):
                await task
        assert slots(transport) == (1, 1, 0)
        assert await ask(transport, url, b"second") == b"second"
        await transport.aclose()

    with scripted_server(serve_echo) as server:
        run(main(server.url))
        assert server.connections == 1


def test_early_answer_to_an_unsent_body_is_not_followed_by_another_request() -> None:
    def serve(peer: Peer) -> None:
        peer.head()
        peer.send(sized(b"early").replace(b"200 OK", b"400 No"))
        gate.wait(WAIT_S)
        peer.wait_for_end()

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        assert await ask(transport, url, b"x" * 10_000_000) == b"early"
        assert slots(transport) == (0, 0, 0)
        await transport.aclose()

    gate = threading.Event()
    with scripted_server(serve, buffer=65_536) as server:
        run(main(server.url))
        gate.set()


def test_answer_while_the_event_loop_still_holds_the_request_ends_the_connection() -> None:
    def serve(peer: Peer) -> None:
        if peer.number == 1:
            peer.head()
            peer.send(sized(b"early"))
            gate.wait(WAIT_S)
        serve_echo(peer)

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        body = b"x" * 131_000  # one write, which the socket does not take as a whole
        assert await ask(transport, url, body) == b"early"
        assert slots(transport)[1] == 0
        assert await ask(transport, url, b"next") == b"next"
        await transport.aclose()

    gate = threading.Event()
    with scripted_server(serve, buffer=4096) as server:
        with shrunken_send_buffers():
            run(main(server.url))
        gate.set()
        assert server.connections == 2


@contextlib.contextmanager
def shrunken_send_buffers() -> Any:
    """Make sockets of the transport take few bytes at a time."""
    whole = async_connecting._connect

    async def connect(address: str, port: int) -> Any:
        sock = await whole(address, port)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        return sock

    async_connecting._connect = connect
    try:
        yield
    finally:
        async_connecting._connect = whole


def test_idle_connection_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(async_connection, "KEEPALIVE_S", 0.05)

    async def main(url: str, server: Any) -> None:
        transport = AsyncHttp1Transport(url)
        for number in (1, 2):
            assert await ask(transport, url) == b"x"
            await asyncio.to_thread(server.wait_until_ended, number)
            await until(lambda: slots(transport) == (0, 0, 0))
        await transport.aclose()

    with scripted_server(serve_echo) as server:
        run(main(server.url, server))
        assert server.connections == 2


def test_reader_learns_that_the_transport_was_closed() -> None:
    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        response = await post(transport, url)
        assert await anext(response) == b"part"
        reading = asyncio.ensure_future(anext(response))
        await asyncio.sleep(0)
        await transport.aclose()
        with pytest.raises(TransportError, match="the transport was closed"):
            await reading

    with scripted_server(part_of_a_body) as server:
        run(main(server.url))
        server.wait_until_ended(1)


def test_answer_to_a_request_that_nobody_awaits_is_dropped() -> None:
    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        coroutine = transport.send("POST", url, [], b"x", deadline())
        coroutine.close()
        assert await read(await post(transport, url, b"next")) == b"next"
        await transport.aclose()

    with scripted_server(serve_echo) as server:
        run(main(server.url))


async def until(holds: Any) -> None:
    while not holds():
        await asyncio.sleep(0.005)
