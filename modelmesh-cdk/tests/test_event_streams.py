"""Chunks of open streams: the same from every split of the bytes, in threads and tasks, and each before the next read."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmesh.contracts import CHAT, FailureClass
from modelmesh.contracts.call import Call, Limits
from modelmesh.errors import ProviderError
from modelmesh_cdk import BaseProvider
from modelmesh_cdk.transport.interfaces import TransportError

TURN = Call(operation=CHAT, pool="p", payload={"messages": [{"role": "user", "content": "?"}]}, stream=True)


def event(delta: dict[str, Any], reason: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return b"data: " + json.dumps({"id": "c", "choices": [choice], **more}).encode() + b"\n\n"


WORDS = [event({"content": f"w{place} é"}) for place in range(20)]
DONE = b"data: [DONE]\n\n"
WHOLE = b"".join(
    [
        event({"role": "assistant", "content": ""}),
        b": comment\r\n\r\n",
        *WORDS[:3],
        event({"tool_calls": [{"index": 0, "id": "t", "function": {"name": "f", "arguments": "{}"}}]}, obfuscation="x"),
        WORDS[3].replace(b"\n", b"\r\n"),
        event({}, "stop"),
        b'data: {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}\n\n',
        DONE,
    ]
)


class Response:
    """An open response. It records how many pieces were read."""

    status = 200

    def __init__(self, *pieces: Any) -> None:
        self.headers = {"content-type": "text/event-stream"}
        self.pieces, self.reads = pieces, 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            self.reads += 1
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            await asyncio.sleep(0)
            yield piece

    def close(self) -> None: ...

    async def aclose(self) -> None: ...


class Wire:
    """Both kinds of transport for one response."""

    def __init__(self, response: Response) -> None:
        self.response = response

    def send(self, *_: Any) -> Response:
        return self.response

    def close(self) -> None: ...


class AsyncWire(Wire):
    async def send(self, *_: Any) -> Response:  # type: ignore[override]
        return self.response

    async def aclose(self) -> None: ...


def provider_of(response: Response) -> Any:
    wires = {"transport": Wire(response), "async_transport": AsyncWire(response)}
    return BaseProvider({"base_url": "http://acme.test", "api_key": "test", "allow_http": True, "models": ["m"]}, **wires)


def opened(response: Response) -> Iterator[dict[str, Any]]:
    return iter(provider_of(response).send(TURN, "m", Limits()))


def read_in_task(response: Response) -> list[dict[str, Any]]:
    async def read() -> list[dict[str, Any]]:
        stream = await provider_of(response).asend(TURN, "m", Limits())
        return [chunk async for chunk in stream]

    return asyncio.run(read())


EXPECTED = list(opened(Response(WHOLE)))


def test_stream_chunks_keep_every_field() -> None:
    texts = [chunk["choices"][0]["delta"].get("content") for chunk in EXPECTED if chunk["choices"]]
    assert texts == ["", "w0 é", "w1 é", "w2 é", None, "w3 é", None]
    assert EXPECTED[4]["obfuscation"] == "x"
    assert EXPECTED[-1]["usage"]["total_tokens"] == 3


@given(st.lists(st.integers(0, len(WHOLE)), max_size=30))
def test_stream_chunks_are_independent_of_splits(places: list[int]) -> None:
    edges = [0, *sorted(places), len(WHOLE)]
    pieces = [WHOLE[a:b] for a, b in itertools.pairwise(edges)]
    assert list(opened(Response(*pieces))) == EXPECTED


@pytest.mark.parametrize("size", [1, 7, 100, 4096])
def test_async_stream_yields_the_same_chunks(size: int) -> None:
    pieces = [WHOLE[place : place + size] for place in range(0, len(WHOLE), size)]
    assert read_in_task(Response(*pieces)) == EXPECTED


def test_stream_yields_every_chunk_of_a_read_before_the_next_read() -> None:
    response = Response(b"".join(WORDS[:10]) + WORDS[10][:20], WORDS[10][20:] + b"".join(WORDS[11:]), DONE)
    chunks = opened(response)
    reads = [response.reads for _ in itertools.islice(chunks, 20)]
    assert reads == [1] * 10 + [2] * 10


def test_async_stream_yields_every_chunk_of_a_read_before_the_next_read() -> None:
    response = Response(b"".join(WORDS[:10]), b"".join(WORDS[10:]), DONE)

    async def read() -> list[int]:
        stream = await provider_of(response).asend(TURN, "m", Limits())
        return [response.reads async for _ in stream]

    assert asyncio.run(read()) == [1] * 10 + [2] * 10


@pytest.mark.parametrize(
    ("last", "failure"),
    [
        (b'data: {"error": {"message": "no", "code": "server_error"}}\n\n', FailureClass.SERVER),
        (b"data: {\n\n", FailureClass.PROTOCOL),
    ],
)
def test_stream_error_in_a_read_follows_the_chunks_before_it(last: bytes, failure: FailureClass) -> None:
    chunks = opened(Response(WORDS[0] + WORDS[1] + last + WORDS[2]))
    assert [next(chunks)["choices"][0]["delta"]["content"] for _ in range(2)] == ["w0 é", "w1 é"]
    with pytest.raises(ProviderError) as caught:
        next(chunks)
    assert caught.value.failure is failure


@pytest.mark.parametrize("tail", [(), (event({"content": "more"}),)])
def test_interrupted_stream_is_complete_only_after_its_finish_reason(tail: tuple[bytes, ...]) -> None:
    cut = TransportError(FailureClass.PROTOCOL, "the connection broke")
    chunks = opened(Response(WORDS[0] + event({}, "stop"), *tail, cut))
    if not tail:
        assert len(list(chunks)) == 2
        return
    with pytest.raises(ProviderError, match="the connection broke"):
        list(chunks)
