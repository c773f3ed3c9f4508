"""ModelMesh: calls, streams, and failover."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import modelmesh
from subjects.concurrency import AsyncCall, in_flight, in_threads, in_turn, in_turn_async
from subjects.requests import CHUNKS, MESSAGES, MODEL
from subjects.setting import Runner, Setting
from subjects.thousand_streams import Stream, memory_of, together

POOL = "chat-completion"
ASK: dict[str, Any] = {"model": POOL, "messages": MESSAGES}

HTTPX2 = {"transport": "httpx2"}


class FirstOfPool:
    """The strategy of the failover row: the failing model stays first."""

    id = "benchmark.first.v1"

    def select(self, candidates: Any, request: Any) -> Any:
        return candidates.first()


VENDORS = {
    "openai": {"connector": "openai.llm.v1", "models": [MODEL]},
    "anthropic": {"connector": "anthropic.claude.v1", "models": ["claude-sonnet-4-5"]},
    "google": {"connector": "google.gemini.v1", "models": ["gemini-2.5-flash"]},
}
"""Connector and model of each vendor."""


def config(*base_urls: str, vendor: str = "openai", **settings: Any) -> dict[str, Any]:
    """Return a configuration with one account for each address."""
    account = {**VENDORS[vendor], "api_key": "test", **settings}
    providers = {f"account{place}": {**account, "base_url": url} for place, url in enumerate(base_urls)}
    return {"providers": providers, "pools": {POOL: {}}}


def _call(setting: Setting, **settings: Any) -> Callable[[], object]:
    create = modelmesh.create(config=config(setting.url, **settings)).chat.completions.create
    return lambda: create(**ASK).choices[0].message.content


def _acall(setting: Setting, **settings: Any) -> AsyncCall:
    create = modelmesh.create_async(config=config(setting.url, **settings)).chat.completions.create

    async def once() -> object:
        return (await create(**ASK)).choices[0].message.content

    return once


def call(setting: Setting, vendor: str = "openai") -> Runner:
    return in_turn(_call(setting, vendor=vendor))


def call_threads(setting: Setting) -> Runner:
    return in_threads(_call(setting))


def acall(setting: Setting, vendor: str = "openai") -> Runner:
    return in_turn_async(setting, _acall(setting, vendor=vendor))


def acall_in_flight(setting: Setting) -> Runner:
    return in_flight(setting, _acall(setting))


def call_httpx2(setting: Setting) -> Runner:
    """A call with the setting ``transport: httpx2``."""
    return in_turn(_call(setting, **HTTPX2))


def acall_in_flight_httpx2(setting: Setting) -> Runner:
    """64 calls in flight with the setting ``transport: httpx2``."""
    return in_flight(setting, _acall(setting, **HTTPX2))


def call_failover(setting: Setting) -> Runner:
    """A call that fails over: the first model answers 500 immediately."""
    settings = config(f"{setting.url}/500/v1", f"{setting.url}/v1")
    # No circuit breaker, so that the first model is tried each time.
    settings["pools"][POOL] = {"strategy_instance": FirstOfPool(), "deactivation": {"error_codes": [599]}}
    create = modelmesh.create(config=settings).chat.completions.create
    assert len(create(**ASK).attempts) == 2
    return in_turn(lambda: create(**ASK).choices[0].message.content)


def chunks_in_turn(create: Any) -> Runner:
    """Repeat a stream and read the text of its chunks."""

    def once() -> None:
        assert sum(1 for chunk in create(**ASK, stream=True) if chunk.choices[0].delta.content) == CHUNKS

    repeat = in_turn(once)
    return lambda times: repeat(times) * CHUNKS


def _astream(setting: Setting, create: Any) -> Runner:
    async def once() -> None:
        assert len([1 async for chunk in await create(**ASK, stream=True) if chunk.choices[0].delta.content]) == CHUNKS

    repeat = in_turn_async(setting, once)
    return lambda times: repeat(times) * CHUNKS


def stream(setting: Setting, vendor: str = "openai") -> Runner:
    return chunks_in_turn(modelmesh.create(config=config(setting.url, vendor=vendor)).chat.completions.create)


def astream(setting: Setting, vendor: str = "openai") -> Runner:
    return _astream(setting, modelmesh.create_async(config=config(setting.url, vendor=vendor)).chat.completions.create)


def _slow_stream(setting: Setting) -> Stream:
    settings = config(f"{setting.url}/slow/v1", connection_pool={"max_connections": 2000})
    create = modelmesh.create_async(config=settings).chat.completions.create

    async def once() -> int:
        return len([1 async for chunk in await create(**ASK, stream=True) if chunk.choices[0].delta.content])

    return once


def slow_streams(setting: Setting) -> Runner:
    """A thousand streams at once."""
    return together(setting, _slow_stream(setting))


def slow_streams_memory(setting: Setting) -> Runner:
    """Memory of a thousand open streams."""
    return memory_of(setting, _slow_stream(setting))
