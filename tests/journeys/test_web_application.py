"""A FastAPI application that streams answers to browsers which disconnect early."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import fastapi
import uvicorn
from fakevendors import Street
from opening import MESSAGES, Opening, piece


def application(opening: Opening, clients: list[Any]) -> Any:
    """The code of a user: one client for the life of the application, and a route that streams."""
    from starlette.responses import StreamingResponse

    @asynccontextmanager
    async def life(app: Any) -> AsyncIterator[None]:
        async with opening.aio() as client:
            clients.append(client)
            yield

    app = fastapi.FastAPI(lifespan=life)

    @app.get("/chat")
    async def chat() -> Any:
        stream = await clients[0].chat.completions.create(model=opening.pool, messages=MESSAGES, stream=True)

        async def body() -> AsyncIterator[str]:
            async with stream:
                async for chunk in stream:
                    yield piece(chunk)

        return StreamingResponse(body(), media_type="text/plain")

    return app


@contextmanager
def served(app: Any) -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        eventually(lambda: server.started)
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def read(port: int, size: int | None) -> bytes:
    """Read an answer, or only its first bytes before the browser disconnects."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/chat")
    response = connection.getresponse()
    text = response.read(size) if size else response.read()
    connection.close()
    response.close()
    return text


def test_browsers_that_disconnect_close_vendor_streams(street: Street) -> None:
    account = street.account("openai", words=400, pace=0.01)
    clients: list[Any] = []
    with served(application(Opening.of(account), clients)) as port:
        leaving = [threading.Thread(target=read, args=(port, 10)) for _ in range(40)]
        for thread in leaving:
            thread.start()
        for thread in leaving:
            thread.join(60)
        eventually(lambda: account.under_way == 0)
        account.words, account.pace = 4, 0.0
        assert read(port, None).startswith(b"openai answers.")
        usage = clients[0].usage
        assert (len(account.calls), account.left) == (41, 40)
        assert usage.total_requests == 41
        assert usage.total_tokens >= 41


def test_browsers_are_answered_during_an_outage(street: Street) -> None:
    first, second = street.account("openai", "overloaded"), street.account("anthropic")
    clients: list[Any] = []
    with served(application(Opening.of(first, second), clients)) as port:
        assert [read(port, None) for _ in range(3)] == [b"anthropic answers. word0 word1"] * 3
