"""ASGI to the gateway and back: leaving, back pressure, broken bodies and drain, under any ASGI server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgi_calls import make_app

from modelmesh._engine.gateway.messages import GatewayRequest, GatewayResponse
from modelmesh.errors import StreamInterruptedError
from modelmesh_proxy.application.app import ProxyApp
from modelmesh_proxy.application.gateway_bridge import IncompleteResponseError

SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/v1/chat/completions",
    "raw_path": b"/v1/chat/completions",
    "query_string": b"",
    "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
    "client": ("127.0.0.1", 1),
}


class Pieces:
    """A stream that ends, fails or waits after its pieces."""

    def __init__(self, pieces: list[bytes], end: Exception | None = None, *, waits: bool = False, events: bool = True) -> None:
        self.pieces, self.end, self.waits, self.events = pieces, end, waits, events
        self.taken = self.closed = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            self.taken += 1
            yield piece
        if self.waits:
            await asyncio.Event().wait()
        if self.end is not None:
            raise self.end

    def fail(self, error: Exception) -> bytes:
        return b"error" if self.events else b""

    async def aclose(self) -> None:
        self.closed += 1


class Vendor:
    """A gateway with one answer, or none."""

    def __init__(self, content: Any = None) -> None:
        self.content, self.cancelled = content, False

    async def ahandle(self, request: GatewayRequest) -> GatewayResponse:
        if not isinstance(request.body, bytes):
            async for _ in request.body:  # type: ignore[union-attr]
                pass
        if self.content is None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled = True
                raise
        return GatewayResponse(200, [], self.content)


class Caller:
    """One request over ASGI."""

    def __init__(self, app: ProxyApp, content: Any = None, *, form: bool = False) -> None:
        self.vendor = app.services.gateway = Vendor(content)  # type: ignore[assignment]
        self.sent: list[Any] = []
        self.incoming: asyncio.Queue[Any] = asyncio.Queue()
        self.readable = asyncio.Event()
        self.readable.set()
        kind = b"multipart/form-data; boundary=x" if form else b"application/json"
        scope = {**SCOPE, "headers": [(b"host", b"localhost"), (b"content-type", kind)]}
        self.task = asyncio.create_task(app(scope, self.incoming.get, self.send))  # type: ignore[arg-type]

    async def send(self, event: Any) -> None:
        await self.readable.wait()
        self.sent.append(event)

    def put(self, body: bytes, *, more: bool = False) -> None:
        self.incoming.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def leave(self) -> None:
        self.incoming.put_nowait({"type": "http.disconnect"})

    @property
    def body(self) -> list[bytes]:
        return [event["body"] for event in self.sent if event["type"] == "http.response.body"]

    @property
    def is_complete(self) -> bool:
        return bool(self.sent) and self.sent[-1].get("more_body") is False


@pytest.fixture(scope="module")
def app() -> ProxyApp:
    return make_app()


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def run(scenario: Any) -> None:
    asyncio.run(asyncio.wait_for(scenario, 20))


@pytest.mark.parametrize("form", [False, True])
@pytest.mark.parametrize("complete", [True, False])
def test_a_caller_leaves_before_the_answer(app: ProxyApp, form: bool, complete: bool) -> None:
    async def scenario() -> None:
        caller = Caller(app, form=form)
        caller.put(b"{}", more=not complete)
        await settle()
        caller.leave()
        await caller.task
        assert caller.vendor.cancelled is complete
        assert not caller.sent
        assert app.services.in_flight == 0

    run(scenario())


def test_a_caller_leaves_in_a_stream(app: ProxyApp) -> None:
    async def scenario() -> None:
        stream = Pieces([b"a"], waits=True)
        caller = Caller(app, stream)
        caller.put(b"{}")
        await settle()
        assert caller.body == [b"a"], "the first byte does not wait"
        caller.leave()
        await caller.task
        assert stream.closed == 1
        assert not caller.is_complete

    run(scenario())


def test_a_slow_reader_slows_the_stream(app: ProxyApp) -> None:
    async def scenario() -> None:
        stream = Pieces([b"a"] * 100)
        caller = Caller(app, stream)
        caller.readable.clear()
        caller.put(b"{}")
        await settle()
        assert stream.taken <= 1
        caller.readable.set()
        await caller.task
        assert b"".join(caller.body) == b"a" * 100
        assert caller.is_complete

    run(scenario())


def test_a_body_that_breaks_has_no_end(app: ProxyApp) -> None:
    async def scenario() -> None:
        stream = Pieces([b"a"], StreamInterruptedError("cut"))
        caller = Caller(app, stream)
        caller.put(b"{}")
        with pytest.raises(IncompleteResponseError):
            await caller.task
        assert stream.closed == 1
        assert not caller.is_complete

    run(scenario())


@pytest.mark.parametrize("events", [True, False])
def test_a_drain_ends_a_stream_with_an_error(events: bool) -> None:
    async def scenario() -> None:
        app = make_app()
        caller = Caller(app, Pieces([b"a"], waits=True, events=events))
        caller.put(b"{}")
        await settle()
        app.services.draining = True
        caller.task.cancel()
        if events:
            await caller.task
            assert caller.body == [b"a", b"error"]
        else:
            with pytest.raises(IncompleteResponseError):
                await caller.task
        assert caller.is_complete is events

    run(scenario())


def test_a_drain_answers_a_request_that_waits() -> None:
    async def scenario() -> None:
        app = make_app()
        caller = Caller(app)
        caller.put(b"{}")
        await settle()
        app.services.draining = True
        caller.task.cancel()
        await caller.task
        assert caller.sent[0]["status"] == 503
        assert (b"retry-after", b"1") in caller.sent[0]["headers"]

    run(scenario())
