"""Readings of our connectors, through the mesh or, for errors, directly."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing, closing
from typing import Any

from modelmesh_connector_anthropic import AnthropicProvider
from modelmesh_connector_cohere import CohereProvider
from modelmesh_connector_deepseek import DeepSeekProvider
from modelmesh_connector_google import GoogleProvider
from modelmesh_connector_groq import GroqProvider
from modelmesh_connector_huggingface import HuggingFaceProvider
from modelmesh_connector_mistral import MistralProvider
from modelmesh_connector_openai import OpenAIProvider
from modelmesh_connector_openrouter import OpenRouterProvider

import modelmesh
from modelmesh.contracts import CHAT
from modelmesh.contracts.call import Call, Limits
from modelmesh_cdk import BaseProvider
from replaying.questions import asked
from replaying.readings import Reading, of_chunks, of_completion
from replaying.recorded import Recording

PROVIDERS: Mapping[str, type[BaseProvider]] = {
    "openai": OpenAIProvider,
    "anthropic": AnthropicProvider,
    "google": GoogleProvider,
    "groq": GroqProvider,
    "mistral": MistralProvider,
    "cohere": CohereProvider,
    "openrouter": OpenRouterProvider,
    "huggingface": HuggingFaceProvider,
    "deepseek": DeepSeekProvider,
}
KEY = "test-key"


def config(recording: Recording, url: str) -> dict[str, Any]:
    """Return a mesh configuration with one model of the recorded vendor at the server."""
    provider = {
        "connector": PROVIDERS[recording.vendor].id,
        "api_key": KEY,
        "base_url": url + recording.prefix,
        "models": [recording.model],
    }
    return {"providers": {"vendor": provider}, "pools": {"chat-completion": {}}}


def read(recording: Recording, url: str, *, in_task: bool) -> Reading:
    """Send the recorded request through the mesh. Return the application's reading."""
    given = {"model": "chat-completion", **asked(recording.vendor, recording.body), "stream": recording.streams}
    if in_task:
        return asyncio.run(_aread(config(recording, url), given))
    with modelmesh.create(config=config(recording, url)) as client:
        answer = client.chat.completions.create(**given)
        return of_chunks(list(answer)) if recording.streams else of_completion(answer)


async def _aread(settings: dict[str, Any], given: dict[str, Any]) -> Reading:
    async with modelmesh.create_async(config=settings) as client:
        answer = await client.chat.completions.create(**given)
        return of_chunks([chunk async for chunk in answer]) if given["stream"] else of_completion(answer)


def ask(recording: Recording, url: str, *, in_task: bool, **settings: Any) -> list[Any]:
    """Call the connector without a mesh, to get its own error. Return the chunks before the error.

    Args:
        recording: The recorded request.
        url: The server. An empty text keeps the connector's address.
        in_task: Whether to call from a task rather than from a thread.
        **settings: Further settings of the provider.
    """
    address = url + recording.prefix if url else ""
    provider = PROVIDERS[recording.vendor]({"api_key": KEY, "base_url": address, **settings})
    call = Call(CHAT, "chat-completion", asked(recording.vendor, recording.body), recording.streams)
    got: list[Any] = []
    if in_task:
        asyncio.run(_aask(provider, call, recording.model, got))
        return got
    with closing(provider):
        answer = provider.send(call, recording.model, Limits())
        if recording.streams:
            with closing(answer):
                got.extend(answer)
    return got


async def _aask(provider: BaseProvider, call: Call, model: str, got: list[Any]) -> None:
    async with aclosing(provider):
        answer = await provider.asend(call, model, Limits())
        if call.stream:
            async with aclosing(answer):
                async for chunk in answer:
                    got.append(chunk)
