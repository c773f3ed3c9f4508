"""The official openai package with a mesh as its transport, in the process."""

from __future__ import annotations

from typing import Any

import modelmesh
from subjects.concurrency import in_turn, in_turn_async
from subjects.mesh import POOL, config
from subjects.requests import CHUNKS, PLAIN, STREAMED
from subjects.setting import Runner, Setting

ASK: dict[str, Any] = {**PLAIN, "model": POOL}
STREAM: dict[str, Any] = {**STREAMED, "model": POOL}


def _mesh(setting: Setting) -> modelmesh.ModelMesh:
    return modelmesh.ModelMesh(config(setting.url))


def call(setting: Setting) -> Runner:
    create = _mesh(setting).as_openai().chat.completions.create
    return in_turn(lambda: create(**ASK).choices[0].message.content)


def acall(setting: Setting) -> Runner:
    create = _mesh(setting).as_async_openai().chat.completions.create

    async def once() -> object:
        return (await create(**ASK)).choices[0].message.content

    return in_turn_async(setting, once)


def stream(setting: Setting) -> Runner:
    create = _mesh(setting).as_openai().chat.completions.create

    def once() -> None:
        assert sum(1 for chunk in create(**STREAM) if chunk.choices[0].delta.content) == CHUNKS

    repeat = in_turn(once)
    return lambda times: repeat(times) * CHUNKS


def astream(setting: Setting) -> Runner:
    create = _mesh(setting).as_async_openai().chat.completions.create

    async def once() -> None:
        assert len([1 async for chunk in await create(**STREAM) if chunk.choices[0].delta.content]) == CHUNKS

    repeat = in_turn_async(setting, once)
    return lambda times: repeat(times) * CHUNKS
