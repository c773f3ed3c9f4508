"""Common fixtures: an environment without keys, and vendors on loopback."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from attrs import frozen

import modelmesh
from modelmesh_cdk.testing import Upstream


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.endswith(("_API_KEY", "_BASE_URL", "_HOST", "_TOKEN")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = socket.getaddrinfo

    def local(host: Any, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        assert name in (None, "localhost", "::1") or str(name).startswith("127."), f"a test reached for {name!r}"
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", local)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


@pytest.fixture
def other() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


MESSAGES = [{"role": "user", "content": "Hello!"}]
MODES = ("sync", "async", "stream", "async stream")


def _config(*bases: str, **pool: Any) -> dict[str, Any]:
    """One provider for each address, named a, b, c …, each with one model of the same letter."""
    names = "abcdefgh"
    providers = {
        names[place]: {
            "connector": "openai.llm.v1",
            "api_key": f"sk-test-{names[place]}",
            "base_url": base,
            "models": [f"model-{names[place]}"],
        }
        for place, base in enumerate(bases)
    }
    return {"providers": providers, "pools": {"chat-completion": pool}}


@pytest.fixture
def config() -> Callable[..., dict[str, Any]]:
    return _config


@frozen
class Asked:
    """An answer in a form common to all four modes."""

    text: str
    model: str
    attempts: Any


@pytest.fixture(params=MODES)
def ask(request: pytest.FixtureRequest) -> Callable[..., Asked]:
    """Send a chat with a configuration, in each of the four modes."""
    mode = request.param

    def asking(config: dict[str, Any], **arguments: Any) -> Asked:
        given = {"model": "chat-completion", "messages": MESSAGES, **arguments}
        if mode == "sync":
            with modelmesh.create(config=config) as client:
                reply = client.chat.completions.create(**given)
                return Asked(reply.choices[0].message.content, reply.model, reply.attempts)
        if mode == "stream":
            with modelmesh.create(config=config) as client, client.chat.completions.create(**given, stream=True) as stream:
                chunks = list(stream)
                return Asked(_text(chunks), chunks[-1].model, stream.attempts)
        return asyncio.run(_asked(config, given, stream=mode == "async stream"))

    return asking


async def _asked(config: dict[str, Any], given: dict[str, Any], *, stream: bool) -> Asked:
    async with modelmesh.create_async(config=config) as client:
        if not stream:
            reply = await client.chat.completions.create(**given)
            return Asked(reply.choices[0].message.content, reply.model, reply.attempts)
        async with await client.chat.completions.create(**given, stream=True) as opened:
            chunks = [chunk async for chunk in opened]
            return Asked(_text(chunks), chunks[-1].model, opened.attempts)


def _text(chunks: list[Any]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


@pytest.fixture
def refused() -> str:
    """An address without a listener."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
