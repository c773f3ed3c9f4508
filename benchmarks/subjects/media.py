"""Large bodies with the openai package, to a vendor and over a mesh in the process: embeddings, an upload, a download."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import modelmesh
from subjects.concurrency import in_turn, in_turn_async
from subjects.requests import MODEL
from subjects.setting import Runner, Setting

FILE = ("speech.wav", bytes(10_000_000), "audio/wav")
"""A file of 10 MB."""

TEXTS, DIMENSIONS = ["text"] * 2048, 3072
CAPABILITIES = {"embed": "text-embeddings", "upload": "speech-to-text", "download": "text-to-speech"}


def _embed(client: Any, model: str) -> Any:
    return client.embeddings.create(model=model, input=TEXTS)


def _upload(client: Any, model: str) -> Any:
    return client.audio.transcriptions.create(model=model, file=FILE)


def _download(client: Any, model: str) -> Any:
    return client.audio.speech.create(model=model, voice="alloy", input="Hello")


def _check_embed(reply: Any) -> None:
    assert len(reply.data) == len(TEXTS)
    assert len(reply.data[-1].embedding) == DIMENSIONS


def _check_upload(reply: Any) -> None:
    assert reply.text


def _check_download(reply: Any) -> None:
    assert len(reply.content) == len(FILE[1])


REQUESTS: dict[str, tuple[Callable[[Any, str], Any], Callable[[Any], None]]] = {
    "embed": (_embed, _check_embed),
    "upload": (_upload, _check_upload),
    "download": (_download, _check_download),
}


def _mesh(setting: Setting, name: str) -> modelmesh.ModelMesh:
    capability = CAPABILITIES[name]
    account = {
        "connector": "openai.llm.v1",
        "api_key": "test",
        "base_url": f"{setting.url}/v1",
        "models": [{"id": MODEL, "capabilities": [capability]}],
    }
    return modelmesh.ModelMesh({"providers": {"account": account}, "pools": {capability: {}}})


def _sdk(setting: Setting) -> dict[str, Any]:
    return {"api_key": "test", "base_url": f"{setting.url}/v1", "max_retries": 0}


def _sync(client: Any, name: str, model: str) -> Runner:
    request, check = REQUESTS[name]
    return in_turn(lambda: check(request(client, model)))


def _async(setting: Setting, client: Any, name: str, model: str) -> Runner:
    request, check = REQUESTS[name]

    async def once() -> None:
        check(await request(client, model))

    return in_turn_async(setting, once)


def bridge(setting: Setting, name: str) -> Runner:
    """The openai package over a mesh in the process."""
    return _sync(_mesh(setting, name).as_openai(), name, CAPABILITIES[name])


def abridge(setting: Setting, name: str) -> Runner:
    """The same, for asyncio."""
    return _async(setting, _mesh(setting, name).as_async_openai(), name, CAPABILITIES[name])


def openai_sdk(setting: Setting, name: str) -> Runner:
    """The openai package to the vendor."""
    return _sync(importlib.import_module("openai").OpenAI(**_sdk(setting)), name, MODEL)


def aopenai_sdk(setting: Setting, name: str) -> Runner:
    """The same, for asyncio."""
    return _async(setting, importlib.import_module("openai").AsyncOpenAI(**_sdk(setting)), name, MODEL)
