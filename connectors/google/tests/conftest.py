"""A fake vendor on loopback, and a mesh with this vendor as its only provider."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from modelmesh_connector_google import GoogleProvider

import modelmesh
from modelmesh_cdk.testing import Upstream

MODEL = "gemini-3.8-flash"


@pytest.fixture(autouse=True)
def _clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL", "GOOGLE_GENAI_API_VERSION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


class Sync:
    """Synchronous requests."""

    def send(self, config: dict[str, Any], **arguments: Any) -> Any:
        with modelmesh.create(config=config) as client:
            return client.chat.completions.create(model="chat", **arguments)

    def embed(self, config: dict[str, Any], **arguments: Any) -> Any:
        with modelmesh.create(config=config) as client:
            return client.embeddings.create(model="vectors", **arguments)

    def stream(self, config: dict[str, Any], **arguments: Any) -> list[dict[str, Any]]:
        with (
            modelmesh.create(config=config) as client,
            client.chat.completions.create(model="chat", stream=True, **arguments) as stream,
        ):
            return [chunk.model_dump() for chunk in stream]


class Async:
    """Asynchronous requests."""

    def send(self, config: dict[str, Any], **arguments: Any) -> Any:
        async def go() -> Any:
            async with modelmesh.create_async(config=config) as client:
                return await client.chat.completions.create(model="chat", **arguments)

        return asyncio.run(go())

    def embed(self, config: dict[str, Any], **arguments: Any) -> Any:
        async def go() -> Any:
            async with modelmesh.create_async(config=config) as client:
                return await client.embeddings.create(model="vectors", **arguments)

        return asyncio.run(go())

    def stream(self, config: dict[str, Any], **arguments: Any) -> list[dict[str, Any]]:
        async def go() -> list[dict[str, Any]]:
            async with (
                modelmesh.create_async(config=config) as client,
                await client.chat.completions.create(model="chat", stream=True, **arguments) as stream,
            ):
                return [chunk.model_dump() async for chunk in stream]

        return asyncio.run(go())


@pytest.fixture(params=[Sync(), Async()], ids=["sync", "async"])
def way(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def config(upstream: Upstream) -> Callable[..., dict[str, Any]]:
    """Return a function that builds a configuration. Keyword arguments are the provider's options."""

    def make(model: str = MODEL, **options: Any) -> dict[str, Any]:
        provider = GoogleProvider(**{"api_key": "test-key", "base_url": upstream.url, "max_retries": 0, **options})
        return {
            "providers": {"google": {"instance": provider}},
            "models": {
                model: {"provider": "google", "capabilities": ["chat-completion"]},
                "gemini-embedding-2": {"provider": "google", "capabilities": ["text-embeddings"]},
            },
            "pools": {"chat": {"capability": "chat-completion"}, "vectors": {"capability": "text-embeddings"}},
        }

    return make


def answer(
    *parts: dict[str, Any], finish: str | None = "STOP", usage: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """Return an answer, or one stream event, in Gemini's format."""
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    told = {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7} if usage is None else usage
    return {
        "candidates": [{**candidate, **more}],
        "usageMetadata": told,
        "modelVersion": "gemini-3.8-flash-001",
        "responseId": "resp-test-1",
    }


@pytest.fixture(scope="session", name="answer")
def answer_fixture() -> Any:
    return answer
