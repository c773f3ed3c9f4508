"""A connection is used again only when nothing but the answer came: what came beyond it may be somebody else's answer."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import pytest
from raw_server import answer_to, raw_server

import modelmesh

pytestmark = pytest.mark.usefixtures("each_transport")

MODES = [(stream, in_task) for stream in (False, True) for in_task in (False, True)]
ASKED = 3


def texts(url: str, *, stream: bool, in_task: bool) -> list[str]:
    """Ask three times on one client."""
    config = {
        "providers": {"a": {"connector": "openai.llm.v1", "api_key": "test", "base_url": url, "models": ["m"]}},
        "pools": {"chat-completion": {"retry": {"max_attempts": 0}}},
    }
    asked: dict[str, Any] = {"model": "chat-completion", "messages": [{"role": "user", "content": "Hi"}], "stream": stream}

    async def in_tasks() -> list[str]:
        found = []
        async with modelmesh.create_async(config=config) as client:
            for _ in range(ASKED):
                answer: Any = await client.chat.completions.create(**asked)
                pieces = [chunk async for chunk in answer] if stream else answer
                found.append(said(pieces, stream=stream))
        return found

    if in_task:
        return asyncio.run(in_tasks())
    with modelmesh.create(config=config) as client:
        return [said(list(answer) if stream else answer, stream=stream) for answer in asking(client, asked)]


def asking(client: Any, asked: dict[str, Any]) -> Any:
    for _ in range(ASKED):
        yield client.chat.completions.create(**asked)


def said(answer: Any, *, stream: bool) -> str:
    if not stream:
        return str(answer.choices[0].message.content)
    return "".join(chunk.choices[0].delta.content or "" for chunk in answer)


def numbered(number: int, request: bytes) -> bytes:
    return answer_to(request, f"right {number}")


BEYOND = {
    "a whole answer": lambda request: answer_to(request, "EVIL"),
    "the beginning of one": lambda request: answer_to(request, "EVIL")[:40],
    "one byte": lambda _: b"H",
    "a line break": lambda _: b"\r\n",
    "garbage": lambda _: b"\x00\xff" * 50,
    "more than a read takes": lambda request: answer_to(request, "EVIL" * 100_000),
}


@pytest.mark.parametrize(("stream", "in_task"), MODES)
@pytest.mark.parametrize("beyond", BEYOND)
def test_surplus_bytes_are_not_the_next_response(beyond: str, stream: bool, in_task: bool) -> None:
    def answer(number: int, request: bytes) -> bytes:
        return numbered(number, request) + (BEYOND[beyond](request) if number == 1 else b"")

    with raw_server(answer) as server:
        assert texts(server.url, stream=stream, in_task=in_task) == ["right 1", "right 2", "right 3"]
        assert len(server.requests) == ASKED
        assert server.connections == 2


@pytest.mark.parametrize(("stream", "in_task"), MODES)
def test_connection_without_surplus_bytes_is_reused(stream: bool, in_task: bool) -> None:
    with raw_server(numbered) as server:
        assert texts(server.url, stream=stream, in_task=in_task) == ["right 1", "right 2", "right 3"]
        assert server.connections == 1


@pytest.mark.parametrize(("stream", "in_task"), MODES)
@pytest.mark.parametrize("beyond", [None, "a whole answer", "more than a read takes"])
def test_tls_connection_is_reused_only_without_surplus(
    stream: bool, in_task: bool, beyond: str | None, over_tls: ssl.SSLContext
) -> None:
    def answer(number: int, request: bytes) -> bytes:
        return numbered(number, request) + (BEYOND[beyond](request) if beyond and number == 1 else b"")

    with raw_server(answer, over_tls) as server:
        assert texts(server.url, stream=stream, in_task=in_task) == ["right 1", "right 2", "right 3"]
        assert server.connections == (2 if beyond else 1)
