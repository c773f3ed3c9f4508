"""Requests that both transports treat alike."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from raw_server import completion, deadline, raw_server, whole

import modelmesh
from modelmesh.contracts import FailureClass
from modelmesh_cdk.transport.interfaces import TransportError
from modelmesh_cdk.transport.selection import TRANSPORTS, make_async_transport, make_transport


def exchanged(kind: str, url: str, headers: list[tuple[str, str]], *, asynchronous: bool) -> bytes:
    """Return the body of the response to a request."""

    async def main() -> bytes:
        transport: Any = make_async_transport(kind, "http://127.0.0.1:9", max_connections=1)
        try:
            response = await transport.send("POST", url, headers, b"{}", deadline())
            body = b"".join([piece async for piece in response])
            await response.aclose()
            return body
        finally:
            await transport.aclose()

    if asynchronous:
        return asyncio.run(main())
    transport: Any = make_transport(kind, "http://127.0.0.1:9", max_connections=1)
    try:
        response = transport.send("POST", url, headers, b"{}", deadline())
        body = b"".join(response)
        response.close()
        return body
    finally:
        transport.close()


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("kind", TRANSPORTS)
def test_header_beyond_ascii_arrives_as_latin_1(kind: str, asynchronous: bool) -> None:
    with raw_server(lambda _number, _request: whole(b"hello")) as server:
        assert exchanged(kind, server.url, [("X-Team", "café")], asynchronous=asynchronous) == b"hello"
        assert b"X-Team: caf\xe9\r\n" in server.requests[0]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("kind", TRANSPORTS)
@pytest.mark.parametrize(
    ("path", "header"),
    [("/", ("X-Team", "中")), ("/", ("X-Téam", "a")), ("/", ("X-Team", "a\r\nX: b")), ("/\n", ("X-Team", "a"))],
)
def test_request_that_cannot_be_sent_is_a_connect_failure(
    kind: str, asynchronous: bool, path: str, header: tuple[str, str]
) -> None:
    with raw_server(lambda _number, _request: whole(b"hello")) as server:
        with pytest.raises(TransportError) as caught:
            exchanged(kind, server.url + path, [header], asynchronous=asynchronous)
        assert caught.value.failure is FailureClass.CONNECT
        assert not server.requests


LF = b"HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: %d\n\n%s"


@pytest.mark.usefixtures("each_transport")
def test_server_that_ends_lines_with_lf_serves_a_call() -> None:
    body = json.dumps(completion("hi")).encode()
    with raw_server(lambda _number, _request: LF % (len(body), body)) as server:
        settings = {"openai.llm.v1": {"api_key": "test", "base_url": server.url + "/v1"}}
        with modelmesh.create(config={"providers": settings}) as client:
            for _ in range(2):
                answer = client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "x"}])
                assert answer.choices[0].message.content == "hi"
