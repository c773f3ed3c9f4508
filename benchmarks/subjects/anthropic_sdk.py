"""The official anthropic package."""

from __future__ import annotations

from typing import Any

import anthropic

from subjects.concurrency import in_turn, in_turn_async
from subjects.requests import CHUNKS, MESSAGES
from subjects.setting import Runner, Setting

REQUEST: dict[str, Any] = {"model": "claude-sonnet-4-5", "messages": MESSAGES, "max_tokens": 1000}
DELTA = "content_block_delta"


def call(setting: Setting) -> Runner:
    create = anthropic.Anthropic(api_key="test", base_url=setting.url, max_retries=0).messages.create
    return in_turn(lambda: create(**REQUEST).content[0].text)


def acall(setting: Setting) -> Runner:
    create = anthropic.AsyncAnthropic(api_key="test", base_url=setting.url, max_retries=0).messages.create

    async def once() -> object:
        return (await create(**REQUEST)).content[0].text

    return in_turn_async(setting, once)


def stream(setting: Setting) -> Runner:
    create = anthropic.Anthropic(api_key="test", base_url=setting.url, max_retries=0).messages.create

    def once() -> None:
        assert sum(1 for event in create(**REQUEST, stream=True) if event.type == DELTA and event.delta.text) == CHUNKS

    repeat = in_turn(once)
    return lambda times: repeat(times) * CHUNKS


def astream(setting: Setting) -> Runner:
    create = anthropic.AsyncAnthropic(api_key="test", base_url=setting.url, max_retries=0).messages.create

    async def once() -> None:
        events = await create(**REQUEST, stream=True)
        assert len([1 async for event in events if event.type == DELTA and event.delta.text]) == CHUNKS

    repeat = in_turn_async(setting, once)
    return lambda times: repeat(times) * CHUNKS
