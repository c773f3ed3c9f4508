"""The exchange without I/O, and its two drivers."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from modelmesh.contracts import CHAT, FailureClass
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import ProviderError
from modelmesh_cdk import BaseProvider
from modelmesh_cdk.provider import event_streams, exchange
from modelmesh_cdk.provider.exchange import CLOSE, ReadBody, Send, attempt, drive_async, drive_sync
from modelmesh_cdk.provider.learned_limits import LearnedLimits
from modelmesh_cdk.transport.interfaces import TransportError

ANSWER = b'{"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}'
EVENTS = b'data: {"choices": [{"index": 0, "delta": {"content": "hi"}}]}\n\ndata: [DONE]\n\n'


class Response:
    """A response for both drivers."""

    def __init__(self, *pieces: Any, status: int = 200, **headers: str) -> None:
        self.status, self.headers, self.pieces, self.closed = status, headers, pieces, 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


class Wire:
    """A transport that returns scripted responses."""

    def __init__(self, *responses: Any) -> None:
        self.responses, self.sent = list(responses), []

    def send(self, *request: Any) -> Any:
        self.sent.append(request)
        found = self.responses.pop(0)
        if isinstance(found, BaseException):
            raise found
        return found

    def close(self) -> None: ...


class AsyncWire(Wire):
    async def send(self, *request: Any) -> Any:
        return super().send(*request)

    async def aclose(self) -> None: ...


def steps_of(*, stream: bool = False, provider: Any = None) -> Any:
    provider = provider or BaseProvider(base_url="http://acme.test", api_key="t", allow_http=True, models=["m"])
    call = Call(operation=CHAT, pool="p", payload={"messages": [{"role": "user", "content": "?"}]}, stream=stream)
    return attempt(provider, call, "m", Limits(), LearnedLimits())


@pytest.fixture(params=["sync", "async"])
def drive(request: pytest.FixtureRequest) -> Callable[..., Any]:
    def driven(steps: Any, *responses: Any) -> Any:
        if request.param == "sync":
            return drive_sync(steps, Wire(*responses))
        return asyncio.run(drive_async(steps, AsyncWire(*responses)))

    return driven


def test_exchange_yields_its_steps_without_io() -> None:
    steps = steps_of()
    sent = next(steps)
    assert isinstance(sent, Send)
    assert (sent.method, sent.url) == ("POST", "http://acme.test/v1/chat/completions")
    read = steps.send(Response())
    assert isinstance(read, ReadBody)
    read.body.feed(ANSWER)
    with pytest.raises(StopIteration) as end:
        steps.send(None)
    assert end.value.value.body["choices"][0]["message"]["content"] == "hi"


def test_exchange_closes_a_response_of_unknown_encoding() -> None:
    steps = steps_of()
    next(steps)
    assert steps.send(Response(**{"content-encoding": "br"})) is CLOSE
    with pytest.raises(ProviderError, match="not offered"):
        steps.send(None)


@pytest.mark.parametrize(
    ("response", "failure"),
    [
        (Response(ANSWER, b"garbage"), FailureClass.PROTOCOL),
        (Response(ANSWER, **{"content-encoding": "br"}), FailureClass.PROTOCOL),
        (Response(TransportError(FailureClass.PROTOCOL, "cut")), FailureClass.PROTOCOL),
        (Response(b"{}", status=503), FailureClass.SERVER),
    ],
)
def test_driver_closes_the_response_of_a_failure(drive: Any, response: Response, failure: FailureClass) -> None:
    before = response.closed
    with pytest.raises(ProviderError) as caught:
        drive(steps_of(), response)
    assert caught.value.failure is failure
    assert response.closed == before + 1


def test_driver_closes_the_response_of_an_interrupt(drive: Any) -> None:
    response = Response(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        drive(steps_of(), response)
    assert response.closed == 1


def test_driver_leaves_an_open_stream_to_its_reader(drive: Any) -> None:
    response = Response(EVENTS, **{"content-type": "text/event-stream"})
    reader = drive(steps_of(stream=True), response)
    assert response.closed == 0
    assert reader.response is response
    assert [chunk["choices"][0]["delta"]["content"] for chunk in event_streams.HttpEventStream(reader)] == ["hi"]


def test_driver_closes_a_page_in_place_of_a_stream(drive: Any) -> None:
    response = Response(b"<html>", **{"content-type": "text/html"})
    with pytest.raises(ProviderError):
        drive(steps_of(stream=True), response)
    assert response.closed == 1


def test_driver_raises_the_error_of_an_unsent_request(drive: Any) -> None:
    with pytest.raises(ProviderError, match="refused") as caught:
        drive(steps_of(), TransportError(FailureClass.CONNECT, "refused"))
    assert caught.value.failure is FailureClass.CONNECT


def test_cancelled_task_closes_its_response() -> None:
    class Slow(Response):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            await asyncio.sleep(60)
            yield b""

    response = Slow()

    async def run() -> None:
        task = asyncio.ensure_future(drive_async(steps_of(), AsyncWire(response)))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert response.closed == 1


def test_exchange_does_no_io_outside_its_drivers() -> None:
    source = inspect.getsource(exchange)
    for driver in (drive_sync, drive_async):
        source = source.replace(inspect.getsource(driver), "")
    assert "await " not in source
    assert "close()" not in source
    assert "in response:" not in source
