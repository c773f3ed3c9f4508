"""The official google-genai package."""

from __future__ import annotations

from typing import Any

from google import genai

from subjects.concurrency import in_turn, in_turn_async
from subjects.requests import CHUNKS, MESSAGES
from subjects.setting import Runner, Setting

REQUEST: dict[str, Any] = {"model": "gemini-2.5-flash", "contents": MESSAGES[0]["content"]}


def _client(setting: Setting) -> genai.Client:
    return genai.Client(api_key="test", http_options={"base_url": setting.url})


def call(setting: Setting) -> Runner:
    client = _client(setting)
    return in_turn(lambda: client.models.generate_content(**REQUEST).text)


def acall(setting: Setting) -> Runner:
    client = _client(setting)

    async def once() -> object:
        return (await client.aio.models.generate_content(**REQUEST)).text

    return in_turn_async(setting, once)


def stream(setting: Setting) -> Runner:
    client = _client(setting)

    def once() -> None:
        assert sum(1 for chunk in client.models.generate_content_stream(**REQUEST) if chunk.text) == CHUNKS

    repeat = in_turn(once)
    return lambda times: repeat(times) * CHUNKS


def astream(setting: Setting) -> Runner:
    client = _client(setting)

    async def once() -> None:
        chunks = await client.aio.models.generate_content_stream(**REQUEST)
        assert len([1 async for chunk in chunks if chunk.text]) == CHUNKS

    repeat = in_turn_async(setting, once)
    return lambda times: repeat(times) * CHUNKS
