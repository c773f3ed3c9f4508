"""The pool of the asynchronous transport: its limit, its fair queue, and no slot that is lost."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Any

import pytest
from async_calls import ask, pool_of, post, read, slots
from scripted_server import WAIT_S, Peer, echo, scripted_server, serve_echo

from modelmesh.contracts import FailureClass
from modelmesh_cdk.transport.http1 import async_connecting
from modelmesh_cdk.transport.http1.async_pool import AsyncPool
from modelmesh_cdk.transport.http1.async_transport import AsyncHttp1Transport
from modelmesh_cdk.transport.interfaces import TransportError
from modelmesh_cdk.transport.resolving import resolver


def run(coroutine: Any) -> Any:
    return asyncio.run(asyncio.wait_for(coroutine, WAIT_S))


class Gate:
    """A server that answers a request only when the test lets it."""

    def __init__(self) -> None:
        self.order: list[bytes] = []
        self._permits = threading.Semaphore(0)

    def serve(self, peer: Peer) -> None:
        while asked := peer.request():
            self.order.append(asked.partition(b"\r\n\r\n")[2])
            self._permits.acquire(timeout=WAIT_S)
            peer.send(echo(asked))

    def let(self, count: int = 1) -> None:
        self._permits.release(count)


async def until(holds: Any) -> None:
    while not holds():
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("limit", [1, 3])
def test_connections_stay_within_the_limit_and_requests_in_order(limit: int) -> None:
    gate = Gate()

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url, max_connections=limit)
        tasks = []
        for number in range(12):
            tasks.append(asyncio.ensure_future(ask(transport, url, b"%d" % number)))
            await asyncio.sleep(0)
        await until(lambda: len(gate.order) == limit)
        assert slots(transport) == (limit, 0, 12 - limit)
        gate.let(12)
        assert await asyncio.gather(*tasks) == [b"%d" % number for number in range(12)]
        assert slots(transport) == (limit, limit, 0)
        await transport.aclose()

    with scripted_server(gate.serve) as server:
        run(main(server.url))
        assert server.connections == limit
        if limit == 1:
            assert gate.order == [b"%d" % number for number in range(12)]


def test_new_request_does_not_overtake_the_queue() -> None:
    gate = Gate()

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url, max_connections=1)
        finished: list[int] = []

        async def call(number: int) -> None:
            await ask(transport, url, b"%d" % number)
            finished.append(number)
            if number < 3:
                tasks.append(asyncio.ensure_future(call(number + 10)))

        tasks = [asyncio.ensure_future(call(number)) for number in range(4)]
        gate.let(20)
        await until(lambda: len(finished) == 7)
        assert finished == [0, 1, 2, 3, 10, 11, 12]
        await transport.aclose()

    with scripted_server(gate.serve) as server:
        run(main(server.url))
        assert server.connections == 1


def test_queue_has_a_limit() -> None:
    gate = Gate()

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url, max_connections=1)
        first = asyncio.ensure_future(ask(transport, url))
        await until(lambda: len(gate.order) == 1)
        for limits in ({"gap": 0.1}, {"phase": 0.1}):
            with pytest.raises(TransportError, match="PoolTimeout") as caught:
                await ask(transport, url, **limits)
            assert caught.value.failure is FailureClass.CONNECT
        assert slots(transport) == (1, 0, 0)
        gate.let()
        assert await first == b"x"
        await transport.aclose()

    with scripted_server(gate.serve) as server:
        run(main(server.url))


def test_waiting_request_that_is_cancelled_leaves_the_queue() -> None:
    gate = Gate()

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url, max_connections=1)
        tasks = []
        for number in range(3):
            tasks.append(asyncio.ensure_future(ask(transport, url, b"%d" % number)))
            await until(lambda: bool(transport._pools) and slots(transport)[0] == 1)
        await until(lambda: slots(transport)[2] == 2)
        tasks[1].cancel()
        gate.let(2)
        assert await asyncio.gather(tasks[0], tasks[2]) == [b"0", b"2"]
        assert tasks[1].cancelled()
        assert slots(transport) == (1, 1, 0)
        await transport.aclose()

    with scripted_server(gate.serve) as server:
        run(main(server.url))


@pytest.mark.parametrize("with_connection", [False, True])
@pytest.mark.parametrize("cancel_first", [False, True])
@pytest.mark.parametrize("another_waits", [False, True])
def test_request_that_is_cancelled_when_its_turn_comes_passes_it_on(
    with_connection: bool, cancel_first: bool, another_waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slot is given and the task is cancelled in one step of the event loop, in both orders."""

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url, max_connections=1)
        first = await post(transport, url, b"first")
        waiting = asyncio.ensure_future(ask(transport, url, b"cancelled"))
        await until(lambda: slots(transport)[2] == 1)
        other = asyncio.ensure_future(ask(transport, url, b"other")) if another_waits else None
        await asyncio.sleep(0)
        pool, give = pool_of(transport), AsyncPool._return

        def give_and_cancel(self: AsyncPool, connection: Any) -> None:
            monkeypatch.setattr(AsyncPool, "_return", give)
            if cancel_first:
                waiting.cancel()
            give(self, connection)
            assert len(pool._waiters) == (0 if cancel_first else another_waits)
            waiting.cancel()

        monkeypatch.setattr(AsyncPool, "_return", give_and_cancel)
        if with_connection:
            gate.set()
            assert await read(first) == b"first"
        else:
            await first.aclose()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        if other is not None:
            assert await other == b"other"
        assert await ask(transport, url, b"next") == b"next"
        assert slots(transport) == (1, 1, 0)
        await transport.aclose()

    gate = threading.Event()
    with scripted_server(lambda peer: hold_first(peer, gate)) as server:
        run(main(server.url))
        assert server.connections == (1 if with_connection else 2)


def hold_first(peer: Peer, gate: threading.Event) -> None:
    """Serve, but hold the body of the response to the request ``first``."""
    while asked := peer.request():
        if asked.endswith(b"first"):
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
            gate.wait(WAIT_S)
            peer.send(b"first")
        else:
            peer.send(echo(asked))


def test_granted_connection_that_breaks_before_its_turn_is_replaced() -> None:
    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url, max_connections=1)
        first = await post(transport, url, b"first")
        waiting = asyncio.ensure_future(ask(transport, url, b"second"))
        await until(lambda: slots(transport)[2] == 1)
        (connection,) = pool_of(transport)._open
        give_back = pool_of(transport).give_back

        def give_back_and_break(given: Any) -> None:
            give_back(given)
            connection.abort()

        pool_of(transport).give_back = give_back_and_break
        gate.set()
        assert await read(first) == b"first"
        pool_of(transport).give_back = give_back
        assert await waiting == b"second"
        assert slots(transport) == (1, 1, 0)
        await transport.aclose()

    gate = threading.Event()
    with scripted_server(lambda peer: hold_first(peer, gate)) as server:
        run(main(server.url))
        assert server.connections == 2


def test_connection_that_was_used_last_is_used_first() -> None:
    gate = Gate()

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        tasks = [asyncio.ensure_future(ask(transport, url)) for _ in range(3)]
        await until(lambda: len(gate.order) == 3)
        gate.let(3)
        await asyncio.gather(*tasks)
        last = next(reversed(pool_of(transport)._idle))
        fourth = asyncio.ensure_future(ask(transport, url))
        await until(lambda: len(gate.order) == 4)
        assert last._exchange is not None
        gate.let()
        await fourth
        await transport.aclose()

    with scripted_server(gate.serve) as server:
        run(main(server.url))


def test_failure_to_connect_frees_the_slot() -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as unused:
            url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        transport = AsyncHttp1Transport(url, max_connections=1)
        for _ in range(3):
            with pytest.raises(TransportError, match=r"ConnectError: \[Errno \d+\] Connection refused") as caught:
                await ask(transport, url)
            assert caught.value.failure is FailureClass.CONNECT
        assert slots(transport) == (0, 0, 0)
        await transport.aclose()

    run(main())


def test_origins_have_limits_of_their_own() -> None:
    async def main(urls: list[str]) -> None:
        transport = AsyncHttp1Transport(urls[0], max_connections=1)
        responses = [await post(transport, url, b"first") for url in urls]
        for response in responses:
            await response.aclose()
        await transport.aclose()

    gate = threading.Event()
    with (
        scripted_server(lambda peer: hold_first(peer, gate)) as one,
        scripted_server(lambda peer: hold_first(peer, gate)) as other,
    ):
        run(main([one.url, other.url]))
        gate.set()
        assert (one.connections, other.connections) == (1, 1)


def test_close_ends_those_that_wait() -> None:
    gate = Gate()

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url, max_connections=1)
        tasks = [asyncio.ensure_future(ask(transport, url)) for _ in range(3)]
        await until(lambda: len(gate.order) == 1)
        await transport.aclose()
        for error in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(error, TransportError)
        assert transport._pools == {}

    with scripted_server(gate.serve) as server:
        run(main(server.url))
        gate.let(5)
        server.wait_until_ended(1)


@pytest.mark.parametrize("during", ["resolution", "connection"])
def test_close_while_a_connection_opens_closes_it(during: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        reached, go_on = asyncio.Event(), asyncio.Event()
        if during == "resolution":
            resolve = resolver.aresolve

            async def slow(*rest: Any) -> list[str]:
                reached.set()
                await go_on.wait()
                return await resolve(*rest)

            monkeypatch.setattr(async_connecting.resolver, "aresolve", slow)
        else:
            connect = async_connecting._connect

            async def slow_connect(*rest: Any) -> socket.socket:
                sock = await connect(*rest)
                reached.set()
                await go_on.wait()
                return sock

            monkeypatch.setattr(async_connecting, "_connect", slow_connect)
        task = asyncio.ensure_future(ask(transport, url))
        await reached.wait()
        await transport.aclose()
        go_on.set()
        with pytest.raises(TransportError, match="the transport is closed"):
            await task

    with scripted_server(serve_echo) as server:
        run(main(server.url))
        server.wait_until_ended(1)


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    async def resolved(*_: Any) -> list[str]:
        return list(addresses)

    monkeypatch.setattr(async_connecting.resolver, "aresolve", resolved)


def test_second_address_is_tried_while_the_first_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "127.0.0.2", "127.0.0.1", "127.0.0.3")
    monkeypatch.setattr(async_connecting, "STAGGER_S", 0.02)
    connect, tried, cancelled = async_connecting._connect, [], []

    async def connecting(address: str, port: int) -> socket.socket:
        tried.append(address)
        if address == "127.0.0.2":
            try:
                await asyncio.sleep(WAIT_S)
            except asyncio.CancelledError:
                cancelled.append(address)
                raise
        return await connect(address, port)

    monkeypatch.setattr(async_connecting, "_connect", connecting)

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        assert await ask(transport, url.replace("127.0.0.1", "vendor.test")) == b"x"
        assert (tried, cancelled) == (["127.0.0.2", "127.0.0.1"], ["127.0.0.2"])
        assert len(asyncio.all_tasks()) == 2  # this one, and that of the time limit of the test
        await transport.aclose()

    with scripted_server(serve_echo) as server:
        run(main(server.url))


def test_attempt_that_succeeds_too_late_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "127.0.0.2", "127.0.0.1")
    monkeypatch.setattr(async_connecting, "STAGGER_S", 0.0)
    connect, opened = async_connecting._connect, list[socket.socket]()

    async def main(url: str) -> None:
        both = asyncio.Event()
        transport = AsyncHttp1Transport(url)

        async def connect_together(address: str, port: int) -> socket.socket:
            sock = await connect("127.0.0.1", port)
            opened.append(sock)
            if len(opened) == 2:
                both.set()
            await both.wait()  # so that both end in one step of the event loop
            return sock

        monkeypatch.setattr(async_connecting, "_connect", connect_together)
        assert await ask(transport, url.replace("127.0.0.1", "vendor.test")) == b"x"
        await until(lambda: sum(one.fileno() < 0 for one in opened) == 1)
        await transport.aclose()

    with scripted_server(serve_echo) as server:
        run(main(server.url))
        server.wait_until_ended(2)


def test_every_address_that_refuses_is_a_connect_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "127.0.0.2", "127.0.0.3")

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        with pytest.raises(TransportError, match="Connection refused") as caught:
            await ask(transport, url.replace("127.0.0.1", "vendor.test"))
        assert caught.value.failure is FailureClass.CONNECT
        await transport.aclose()

    with scripted_server(serve_echo) as server:
        run(main(server.url))


def test_name_without_an_address_is_a_connect_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch)

    async def main() -> None:
        transport = AsyncHttp1Transport("http://vendor.test")
        with pytest.raises(TransportError, match="the host has no address"):
            await ask(transport, "http://vendor.test")
        await transport.aclose()

    run(main())


def test_name_resolution_is_inside_the_connection_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(*_: Any) -> list[str]:
        await asyncio.sleep(WAIT_S)
        return []

    monkeypatch.setattr(async_connecting.resolver, "aresolve", silent)

    async def main() -> None:
        transport = AsyncHttp1Transport("http://vendor.test")
        message = "ConnectTimeout: the name vendor.test was not resolved within the limit"
        with pytest.raises(TransportError, match=message) as caught:
            await ask(transport, "http://vendor.test", connect=0.1)
        assert caught.value.failure is FailureClass.CONNECT
        assert slots(transport) == (0, 0, 0)
        await transport.aclose()

    run(main())


def test_key_does_not_leave_this_machine_in_clear_text(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "127.0.0.1", "192.0.2.1")

    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url, loopback_only=True)
        message = r"ConnectError: the API key is not sent over plain http:// to vendor.test \(192.0.2.1\)"
        with pytest.raises(TransportError, match=message):
            await ask(transport, url.replace("127.0.0.1", "vendor.test"))
        await transport.aclose()

    with scripted_server(serve_echo) as server:
        run(main(server.url))
        assert server.connections == 0


@pytest.mark.parametrize("steps", range(12))
def test_cancellation_at_any_step_of_opening_leaves_no_socket(steps: int) -> None:
    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url, max_connections=1)
        task = asyncio.ensure_future(ask(transport, url))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert await ask(transport, url, b"next") == b"next"
        assert slots(transport) == (1, 1, 0)
        await transport.aclose()

    with scripted_server(serve_echo) as server:
        run(main(server.url))
        server.wait_until_ended(server.connections)
