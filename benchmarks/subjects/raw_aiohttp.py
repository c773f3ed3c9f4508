"""Raw aiohttp: calls, and a thousand streams with decoded chunks."""

from __future__ import annotations

import json

import aiohttp

from subjects.concurrency import AsyncCall, in_flight
from subjects.requests import HEADERS, PLAIN, STREAMED
from subjects.setting import Runner, Setting
from subjects.thousand_streams import memory_of, together


async def _open() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=HEADERS)


def acall_in_flight(setting: Setting) -> Runner:
    session, endpoint = setting.loop.run(_open()), f"{setting.url}/v1/chat/completions"

    async def once() -> str:
        async with session.post(endpoint, json=PLAIN) as response:
            return (await response.json())["choices"][0]["message"]["content"]

    return in_flight(setting, once)


def _slow_stream(setting: Setting) -> AsyncCall:
    session, endpoint = setting.loop.run(_open()), f"{setting.url}/slow/v1/chat/completions"

    async def once() -> int:
        async with session.post(endpoint, json=STREAMED) as response:
            count = 0
            async for line in response.content:
                if line.startswith(b"data: {"):
                    count += bool(json.loads(line[6:])["choices"][0]["delta"].get("content"))
            return count

    return once


def slow_streams(setting: Setting) -> Runner:
    return together(setting, _slow_stream(setting))


def slow_streams_memory(setting: Setting) -> Runner:
    return memory_of(setting, _slow_stream(setting))
