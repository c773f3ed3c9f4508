"""Raw httpx2: what a program without any SDK does."""

from __future__ import annotations

from collections.abc import Callable

import httpx2

from subjects.concurrency import in_threads, in_turn, in_turn_async
from subjects.requests import CHUNKS, HEADERS, PLAIN, STREAMED
from subjects.setting import Runner, Setting


def _call(setting: Setting) -> Callable[[], object]:
    endpoint, client = f"{setting.url}/v1/chat/completions", httpx2.Client(trust_env=False)
    return lambda: client.post(endpoint, json=PLAIN, headers=HEADERS).json()["choices"][0]["message"]["content"]


def call(setting: Setting) -> Runner:
    return in_turn(_call(setting))


def call_threads(setting: Setting) -> Runner:
    return in_threads(_call(setting))


def acall(setting: Setting) -> Runner:
    endpoint, client = f"{setting.url}/v1/chat/completions", httpx2.AsyncClient(trust_env=False)

    async def once() -> str:
        response = await client.post(endpoint, json=PLAIN, headers=HEADERS)
        return response.json()["choices"][0]["message"]["content"]

    return in_turn_async(setting, once)


def stream(setting: Setting) -> Runner:
    """Only count the bytes of a stream: no chunk is decoded."""
    endpoint, client = f"{setting.url}/v1/chat/completions", httpx2.Client(trust_env=False)

    def once() -> None:
        with client.stream("POST", endpoint, json=STREAMED, headers=HEADERS) as response:
            assert sum(len(part) for part in response.iter_bytes()) > CHUNKS

    repeat = in_turn(once)
    return lambda times: repeat(times) * CHUNKS
