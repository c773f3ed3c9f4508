"""Connections of httpcore2: reuse, the end of a response, closed transports and errors."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import httpcore2
import pytest
from raw_server import RawServer, answer_to, raw_server

from modelmesh.contracts import FailureClass
from modelmesh_cdk.transport.deadlines import DeadlineStream, current
from modelmesh_cdk.transport.httpcore2_async_transport import AsyncHttpcoreTransport
from modelmesh_cdk.transport.httpcore2_transport import HttpcoreTransport
from modelmesh_cdk.transport.interfaces import Deadline, TransportError

ASK = b'{"messages": []}'


def limits() -> Deadline:
    return Deadline(connect=9, phase=9, total=9, gap=9)


def hello(_: int, request: bytes) -> bytes:
    return answer_to(request, "hello")


class Threads:
    """The transport of threads with the methods of that of a loop."""

    def __init__(self, url: str) -> None:
        self.transport = HttpcoreTransport(url)

    async def send(self, url: str, *headers: tuple[str, str], body: bytes = ASK) -> Any:
        return self.transport.send("POST", url, headers, body, limits())

    async def read(self, response: Any) -> bytes:
        return b"".join(response)

    async def end(self, response: Any) -> None:
        response.close()

    async def aclose(self) -> None:
        self.transport.close()


class Tasks:
    """The transport of a loop."""

    def __init__(self, url: str) -> None:
        self.transport = AsyncHttpcoreTransport(url)

    async def send(self, url: str, *headers: tuple[str, str], body: bytes = ASK) -> Any:
        return await self.transport.send("POST", url, headers, body, limits())

    async def read(self, response: Any) -> bytes:
        return b"".join([piece async for piece in response])

    async def end(self, response: Any) -> None:
        await response.aclose()

    async def aclose(self) -> None:
        await self.transport.aclose()


HEAD = b"POST / HTTP/1.1\r\nHost: h\r\n\r\n"


class Writes(httpcore2.NetworkStream):
    """Records what is written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.written.append(buffer)


@pytest.mark.parametrize(
    ("parts", "written"),
    [
        ([HEAD, b"{}", b""], [HEAD + b"{}", b""]),
        ([HEAD, b""], [HEAD]),
        ([HEAD, b"\r\n\r\n", b""], [HEAD + b"\r\n\r\n", b""]),
        ([HEAD, b"{}", b"\r\n\r\n", b""], [HEAD + b"{}", b"\r\n\r\n"]),
        ([HEAD, b"x" * 100_000, b""], [HEAD, b"x" * 100_000, b""]),
        ([b"x" * 100_000 + b"\r\n\r\n"], [b"x" * 100_000 + b"\r\n\r\n"]),
    ],
    ids=["head and body", "head", "body like the end of a head", "two parts", "large body", "large head"],
)
def test_head_of_a_request_is_written_with_its_body(
    parts: list[bytes], written: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current, "deadline", None)  # earlier exchanges of this thread leave theirs
    inner = Writes()
    stream = DeadlineStream(inner)
    for part in parts:
        stream.write(part, 9)
    assert inner.written == written


each_kind = pytest.mark.parametrize("kind", [Threads, Tasks])


def run(kind: Any, story: Callable[[Any, RawServer], Awaitable[None]]) -> RawServer:
    async def told(server: RawServer) -> None:
        wire = kind(server.url)
        try:
            await story(wire, server)
        finally:
            await wire.aclose()

    with raw_server(hello) as server:
        asyncio.run(asyncio.wait_for(told(server), 20))
    return server


@each_kind
def test_request_has_its_headers_once_and_its_connection_is_reused(kind: Any) -> None:
    async def story(wire: Any, server: RawServer) -> None:
        for _ in range(3):
            response = await wire.send(f"{server.url}/a%20b?x=1", ("X-Team", "blue"))
            assert response.status == 200
            assert response.headers["content-type"].startswith("application/json")
            assert b"hello" in await wire.read(response)
            await wire.end(response)

    server = run(kind, story)
    assert server.connections == 1
    head, _, body = server.requests[2].partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    host = server.url.partition("://")[2].partition("/")[0].encode()
    assert first.endswith(b"/a%20b?x=1 HTTP/1.1")
    assert lines == [b"Host: " + host, b"X-Team: blue", b"Content-Length: %d" % len(ASK)]
    assert body == ASK


@each_kind
@pytest.mark.parametrize("body", [b"", b"\r\n\r\n", b"x" * 300_000], ids=["none", "line breaks", "large"])
def test_body_arrives_whole(kind: Any, body: bytes) -> None:
    async def story(wire: Any, server: RawServer) -> None:
        for _ in range(2):
            response = await wire.send(server.url, body=body)
            await wire.read(response)
            await wire.end(response)

    server = run(kind, story)
    assert [request.partition(b"\r\n\r\n")[2] for request in server.requests] == [body] * 2
    assert server.connections == 1


@each_kind
def test_second_close_of_a_response_leaves_the_next_exchange_alone(kind: Any) -> None:
    async def story(wire: Any, server: RawServer) -> None:
        first = await wire.send(server.url)
        await wire.read(first)
        await wire.end(first)
        second = await wire.send(server.url)
        await wire.end(first)
        assert b"hello" in await wire.read(second)
        await wire.end(second)
        await wire.end(await wire.send(server.url))

    assert run(kind, story).connections == 1


@each_kind
def test_connection_of_an_unread_response_is_not_reused(kind: Any) -> None:
    async def story(wire: Any, server: RawServer) -> None:
        for _ in range(2):
            await wire.end(await wire.send(server.url))

    assert run(kind, story).connections == 2


@each_kind
@pytest.mark.parametrize(
    ("url", "failure", "text"),
    [
        ("http://127.0.0.1:x/", FailureClass.CONNECT, "InvalidURL: "),
        ("ftp://127.0.0.1/", FailureClass.CONNECT, "UnsupportedProtocol: "),
        ("http://127.0.0.1:1/", FailureClass.CONNECT, "ConnectError: "),
    ],
)
def test_unusable_address_is_a_typed_error(kind: Any, url: str, failure: FailureClass, text: str) -> None:
    async def story(wire: Any, _: RawServer) -> None:
        with pytest.raises(TransportError, match=f"^{text}") as caught:
            await wire.send(url)
        assert caught.value.failure is failure
        assert caught.value.__cause__ is None

    assert run(kind, story).connections == 0


@each_kind
def test_closed_transport_sends_nothing(kind: Any) -> None:
    async def story(wire: Any, server: RawServer) -> None:
        await wire.aclose()
        with pytest.raises(TransportError, match="the transport is closed") as caught:
            await wire.send(server.url)
        assert caught.value.failure is FailureClass.CONNECT

    assert run(kind, story).connections == 0


def test_dropped_transport_closes_its_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Any] = []
    monkeypatch.setattr(httpcore2.ConnectionPool, "close", lambda pool: closed.append(pool))  # noqa: PLW0108 - as a method
    HttpcoreTransport("http://127.0.0.1:9")
    gc.collect()
    assert len(closed) == 1
