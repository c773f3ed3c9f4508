"""The official openai package."""

from __future__ import annotations

from collections.abc import Callable

import openai

from subjects.concurrency import AsyncCall, in_flight, in_threads, in_turn, in_turn_async
from subjects.requests import CHUNKS, PLAIN, STREAMED
from subjects.setting import Runner, Setting


def _client(setting: Setting) -> openai.OpenAI:
    return openai.OpenAI(api_key="test", base_url=f"{setting.url}/v1", max_retries=0)


def _async_client(setting: Setting) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(api_key="test", base_url=f"{setting.url}/v1", max_retries=0)


def _call(setting: Setting) -> Callable[[], object]:
    create = _client(setting).chat.completions.create
    return lambda: create(**PLAIN).choices[0].message.content


def _acall(setting: Setting) -> AsyncCall:
    create = _async_client(setting).chat.completions.create

    async def once() -> object:
        return (await create(**PLAIN)).choices[0].message.content

    return once


def call(setting: Setting) -> Runner:
    return in_turn(_call(setting))


def call_threads(setting: Setting) -> Runner:
    return in_threads(_call(setting))


def acall(setting: Setting) -> Runner:
    return in_turn_async(setting, _acall(setting))


def acall_in_flight(setting: Setting) -> Runner:
    return in_flight(setting, _acall(setting))


def stream(setting: Setting) -> Runner:
    create = _client(setting).chat.completions.create

    def once() -> None:
        assert sum(1 for chunk in create(**STREAMED) if chunk.choices[0].delta.content) == CHUNKS

    repeat = in_turn(once)
    return lambda times: repeat(times) * CHUNKS


def astream(setting: Setting) -> Runner:
    create = _async_client(setting).chat.completions.create

    async def once() -> None:
        assert len([1 async for chunk in await create(**STREAMED) if chunk.choices[0].delta.content]) == CHUNKS

    repeat = in_turn_async(setting, once)
    return lambda times: repeat(times) * CHUNKS
