"""Event loops of the asynchronous transport: connections, tasks and timers end with their loop, however it ends."""

from __future__ import annotations

import asyncio
import gc
import importlib
import importlib.util
import os
import sys
import threading
import warnings
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from async_calls import ask, pool_of, post, slots
from scripted_server import WAIT_S, Peer, echo, scripted_server, serve_echo

from modelmesh_cdk.transport.http1.async_connection import AsyncConnection
from modelmesh_cdk.transport.http1.async_transport import AsyncHttp1Transport
from modelmesh_cdk.transport.interfaces import TransportError
from modelmesh_cdk.transport.loops import LoopTransports

RUNS = 1000
Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
        gc.collect()


def in_run(main: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(main)


def in_loop_that_is_only_closed(main: Coroutine[Any, Any, Any]) -> Any:
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(main)
    finally:
        loop.close()


def in_uvloop(main: Coroutine[Any, Any, Any]) -> Any:
    uvloop = importlib.import_module("uvloop")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def in_uvloop_that_is_only_closed(main: Coroutine[Any, Any, Any]) -> Any:
    warnings.simplefilter("ignore", ResourceWarning)  # uvloop warns of each open connection, and hangs if that is an error
    loop = importlib.import_module("uvloop").new_event_loop()
    try:
        return loop.run_until_complete(main)
    finally:
        loop.close()


def eagerly(main: Coroutine[Any, Any, Any]) -> Any:
    loop = asyncio.new_event_loop()
    loop.set_task_factory(asyncio.eager_task_factory)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main)


WAYS: list[Run] = [in_run, in_loop_that_is_only_closed]
if importlib.util.find_spec("uvloop") is not None:
    WAYS += [in_uvloop, in_uvloop_that_is_only_closed]
if sys.version_info >= (3, 12):
    WAYS += [eagerly]


def sockets() -> int:
    links = (os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd"))  # noqa: PTH118, PTH208
    return sum(os.path.exists(link) and os.readlink(link).startswith("socket:") for link in links)  # noqa: PTH110, PTH115


def alive(*kinds: type) -> int:
    gc.collect()
    return sum(isinstance(one, kinds) for one in gc.get_objects())


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs /proc")  # noqa: PTH112
@pytest.mark.parametrize("run", [in_run, in_loop_that_is_only_closed])
def test_thousand_loops_leave_nothing_behind(run: Run) -> None:
    kinds = (AsyncConnection, asyncio.AbstractEventLoop, asyncio.Task, asyncio.TimerHandle)
    of_loops = LoopTransports()

    async def once(url: str) -> None:
        transport = of_loops.current(lambda: AsyncHttp1Transport(url))
        assert await ask(transport, url) == b"x"

    with scripted_server(serve_echo) as server:
        known, opened = alive(*kinds), sockets()
        for _ in range(RUNS):
            run(once(server.url))
        of_loops.drop_closed()
        assert server.connections == RUNS
        server.wait_until_ended(RUNS)
        assert alive(*kinds) <= known
        assert sockets() <= opened


@pytest.mark.parametrize("run", WAYS)
def test_every_kind_of_loop_serves_exchanges(run: Run) -> None:
    def serve(peer: Peer) -> None:
        while asked := peer.request():
            if asked.endswith(b"hold"):
                peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nho")
                peer.wait_for_end()
                return
            peer.send(echo(asked))

    async def main(url: str) -> None:
        transport = of_loops.current(lambda: AsyncHttp1Transport(url))
        large = os.urandom(3_000_000)
        assert await ask(transport, url, large) == large
        assert sorted(await asyncio.gather(*(ask(transport, url, b"%d" % number) for number in range(150)))) == sorted(
            b"%d" % number for number in range(150)
        )
        response = await post(transport, url, b"hold")
        assert await anext(response) == b"ho"
        reading = asyncio.ensure_future(anext(response))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        waiting = asyncio.ensure_future(ask(transport, url, b"hold"))
        await asyncio.sleep(0.02)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await ask(transport, url, b"last") == b"last"
        assert slots(transport)[0] == slots(transport)[1] == len(pool_of(transport)._open)

    of_loops = LoopTransports()
    with scripted_server(serve) as server:
        for _ in range(2):
            run(main(server.url))
        of_loops.drop_closed()
        server.wait_until_ended(server.connections)


@pytest.mark.parametrize("run", WAYS)
def test_loop_that_ends_during_an_exchange_closes_its_connection(run: Run) -> None:
    def serve(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nho")
        peer.wait_for_end()

    async def main(url: str) -> None:
        transport = of_loops.current(lambda: AsyncHttp1Transport(url))
        responses.append(await post(transport, url))
        assert await anext(responses[0]) == b"ho"

    of_loops = LoopTransports()
    responses: list[Any] = []
    with scripted_server(serve) as server:
        run(main(server.url))
        of_loops.drop_closed()
        server.wait_until_ended(1)
        responses.clear()
        gc.collect()


@pytest.mark.parametrize("dropped_before", [False, True])
def test_response_of_a_closed_loop_is_broken(dropped_before: bool) -> None:
    def serve(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nho")
        peer.wait_for_end()

    async def main(url: str) -> Any:
        response = await post(of_loops.current(lambda: AsyncHttp1Transport(url)), url)
        assert await anext(response) == b"ho"
        return response

    async def rest(response: Any) -> bytes:
        try:
            return await anext(response)
        finally:
            await response.aclose()

    of_loops = LoopTransports()
    with scripted_server(serve) as server:
        response = in_loop_that_is_only_closed(main(server.url))
        if dropped_before:
            of_loops.drop_closed()
        else:
            response._exchange.abort()
        with pytest.raises(TransportError, match="the event loop is closed"):
            in_run(rest(response))
        of_loops.drop_closed()
        server.wait_until_ended(1)


@pytest.mark.parametrize("run", [one for one in WAYS if "only" in one.__name__])
def test_loop_that_is_closed_with_open_tasks_closes_their_connections(run: Run) -> None:
    def serve(peer: Peer) -> None:
        while asked := peer.request():
            if asked.endswith(b"hold"):
                peer.wait_for_end()
                return
            peer.send(echo(asked))

    async def main(url: str) -> None:
        transport = of_loops.current(lambda: AsyncHttp1Transport(url, max_connections=2))
        for _ in range(4):  # two of them wait in the queue
            coroutine = ask(transport, url, b"hold")
            pending.append(asyncio.ensure_future(coroutine))
        await asyncio.sleep(0.05)

    of_loops = LoopTransports()
    pending: list[asyncio.Task[bytes]] = []
    with scripted_server(serve) as server:
        run(main(server.url))
        of_loops.drop_closed()
        server.wait_until_ended(2)
        for task in pending:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        pending.clear()
        gc.collect()


def test_idle_transport_does_not_hold_up_the_end_of_the_loop() -> None:
    async def main(url: str) -> asyncio.AbstractEventLoop:
        transport = AsyncHttp1Transport(url)
        assert await ask(transport, url) == b"x"
        await transport.aclose()
        return asyncio.get_running_loop()

    with scripted_server(serve_echo) as server:
        loop = asyncio.run(main(server.url))
        assert loop.is_closed()


def test_transport_of_another_loop_is_refused() -> None:
    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        assert await ask(transport, url) == b"x"
        failed: list[Exception] = []

        def use() -> None:
            try:
                asyncio.run(ask(transport, url))
            except RuntimeError as error:
                failed.append(error)

        await asyncio.to_thread(use)
        assert "belongs to another event loop" in str(failed[0])
        assert await ask(transport, url) == b"x"
        await transport.aclose()

    with scripted_server(serve_echo) as server:
        asyncio.run(main(server.url))
        assert server.connections == 1


def test_transport_of_a_closed_loop_serves_the_next_loop() -> None:
    with scripted_server(serve_echo) as server:
        transport = AsyncHttp1Transport(server.url)
        for _ in range(3):
            in_loop_that_is_only_closed(ask(transport, server.url))
        transport.abandon()
        server.wait_until_ended(3)


def test_loops_of_several_threads_have_connections_of_their_own() -> None:
    of_loops, found = LoopTransports(), list[bytes]()

    async def main(url: str, number: int) -> None:
        transport = of_loops.current(lambda: AsyncHttp1Transport(url))
        for turn in range(20):
            token = b"%d-%d" % (number, turn)
            assert await ask(transport, url, token) == token
            found.append(token)

    with scripted_server(serve_echo) as server:
        threads = [threading.Thread(target=lambda n=n: asyncio.run(main(server.url, n))) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT_S)
        assert (len(found), server.connections) == (160, 8)


def test_closed_loops_are_dropped_while_other_threads_add_theirs() -> None:
    of_loops, abandoned = LoopTransports(), list[int]()

    class Transport:
        def abandon(self) -> None:
            abandoned.append(1)

    class Loop:
        def is_closed(self) -> bool:
            """Do what another thread may do in the meantime."""
            of_loops._by_loop[Loop()] = (Transport(), None)  # type: ignore[index, assignment]
            return True

    of_loops._by_loop = {Loop(): (Transport(), None) for _ in range(3)}  # type: ignore[misc, assignment]
    of_loops.drop_closed()
    assert (len(abandoned), len(of_loops)) == (3, 3)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_child_process_neither_uses_nor_breaks_the_connections_of_its_parent() -> None:
    async def main(url: str) -> None:
        transport = AsyncHttp1Transport(url)
        assert await ask(transport, url, b"before") == b"before"
        child = os.fork()
        if child == 0:
            status = 1
            try:
                asyncio.events._set_running_loop(None)
                transport._pools, of_child = {}, AsyncHttp1Transport(url)  # what LoopTransports does in a child
                gc.collect()
                found = asyncio.run(ask(of_child, url, b"child"))
                status = 0 if found == b"child" else 1
            finally:
                os._exit(status)
        _, status = await asyncio.to_thread(os.waitpid, child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert await ask(transport, url, b"after") == b"after"
        await transport.aclose()

    with scripted_server(serve_echo) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # fork with threads, which the server has
        asyncio.run(main(server.url))
        assert server.connections == 2
