"""Look-ups of names are inside the limit of the connection, and hold up nothing beyond it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from raw_server import answer_to, raw_server

import modelmesh
from modelmesh_cdk.transport.resolving import MAX_LOOKUPS, Resolver

pytestmark = pytest.mark.usefixtures("each_transport")


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Names under ``.test`` and what the system's resolver says: addresses, an error, or an event that it waits for."""
    known: dict[str, Any] = {}
    look_up = socket.getaddrinfo
    waited_for: list[threading.Event] = []

    def resolving(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        said = known.get(host)
        if said is None:
            return look_up(host, port, *rest, **more)
        if isinstance(said, threading.Event):
            waited_for.append(said)
            said.wait()
            said = ["127.0.0.1"]
        if isinstance(said, Exception):
            raise said
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in said]

    monkeypatch.setattr(socket, "getaddrinfo", resolving)
    yield known
    for event in waited_for:
        event.set()


def config(first: str, second: str) -> dict[str, Any]:
    entry = {"connector": "openai.llm.v1", "api_key": "test", "models": ["m"]}
    return {
        "providers": {
            "a": {**entry, "base_url": first, "timeouts": {"connect": 0.3, "total": 30}},
            "b": {**entry, "base_url": second},
        },
        "pools": {"chat-completion": {"retry": {"max_attempts": 0}}},
    }


def ask(settings: dict[str, Any], *, in_task: bool) -> Any:
    asked: dict[str, Any] = {"model": "chat-completion", "messages": [{"role": "user", "content": "Hi"}]}

    async def asking() -> Any:
        async with modelmesh.create_async(config=settings) as client:
            return await client.chat.completions.create(**asked)

    if in_task:
        return asyncio.run(asking())
    with modelmesh.create(config=settings) as client:
        return client.chat.completions.create(**asked)


@pytest.mark.parametrize("in_task", [False, True])
def test_silent_resolver_costs_the_connection_limit(in_task: bool, names: dict[str, Any]) -> None:
    names["slow.test"] = threading.Event()  # set when the test is over: whoever waits for it never ends
    with raw_server(lambda _, request: answer_to(request, "right")) as server:
        answer = ask(config("http://slow.test:9", server.url), in_task=in_task)
    assert answer.choices[0].message.content == "right"
    assert [attempt.failure for attempt in answer.attempts] == ["connect"] * (len(answer.attempts) - 1) + [None]


@pytest.mark.parametrize("in_task", [False, True])
@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["127.0.0.2", "127.0.0.1"], ["::1", "127.0.0.1"]])
def test_every_address_of_a_name_is_tried(in_task: bool, addresses: list[str], names: dict[str, Any]) -> None:
    names["vendor.test"] = addresses
    with raw_server(lambda _, request: answer_to(request, "right")) as server:
        answer = ask(config(f"http://vendor.test:{server.port}", "http://127.0.0.1:9"), in_task=in_task)
    assert answer.provider == "a"


@pytest.mark.parametrize("in_task", [False, True])
def test_name_without_address_is_a_connect_failure(in_task: bool, names: dict[str, Any]) -> None:
    names["nowhere.test"] = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    with raw_server(lambda _, request: answer_to(request, "right")) as server:
        answer = ask(config("http://nowhere.test", server.url), in_task=in_task)
    assert answer.attempts[0].failure == "connect"


def test_resolver_uses_one_thread_per_name(names: dict[str, Any]) -> None:
    resolver, gate = Resolver(), threading.Event()
    names |= {f"{number}.slow.test": gate for number in range(MAX_LOOKUPS)}
    names["fine.test"] = ["127.0.0.1"]
    for number in range(MAX_LOOKUPS):
        for _ in range(3):
            with pytest.raises(TimeoutError):
                resolver.resolve(f"{number}.slow.test", 80, 0.001)
    looking_up = [thread for thread in threading.enumerate() if thread.name.endswith(".slow.test")]
    assert len(looking_up) == MAX_LOOKUPS
    with pytest.raises(TimeoutError):
        resolver.resolve("fine.test", 80, 0.001)
    assert resolver.resolve("127.0.0.1", 80, 0.001) == ["127.0.0.1"]
    gate.set()
    assert resolver.resolve("fine.test", 80, 60) == ["127.0.0.1"]
    assert asyncio.run(resolver.aresolve("fine.test", 80, 60)) == ["127.0.0.1"]
