"""pydantic-ai over ``as_async_openai()`` and ``as_async_anthropic()``: text, streams, tools and typed output."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel

import modelmesh

pydantic_ai = pytest.importorskip("pydantic_ai")


class City(BaseModel):
    name: str


def model_of(mesh: modelmesh.ModelMesh, sdk: str) -> Any:
    if sdk == "anthropic":
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        return AnthropicModel("chat-completion", provider=AnthropicProvider(anthropic_client=mesh.as_async_anthropic()))
    from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
    from pydantic_ai.providers.openai import OpenAIProvider

    kind = OpenAIChatModel if sdk == "chat" else OpenAIResponsesModel
    return kind("chat-completion", provider=OpenAIProvider(openai_client=mesh.as_async_openai()))


@pytest.mark.parametrize("sdk", ["chat", "responses", "anthropic"])
def test_an_agent_with_tools(mesh: modelmesh.ModelMesh, vendor: str, sdk: str) -> None:
    agent = pydantic_ai.Agent(model_of(mesh, sdk))
    cities: list[str] = []

    @agent.tool_plain
    def weather(city: str) -> str:
        """Return the temperature of a city."""
        cities.append(city)
        return "12 degrees"

    @agent.tool_plain
    def difference(a: int, b: int) -> int:
        """Return the difference of two numbers."""
        return a - b

    async def main() -> None:
        result = await agent.run("How is the weather?")
        assert result.output.startswith(f"{vendor} answers.")
        assert sorted(cities) == ["Oslo", "Rome"]
        assert result.usage.output_tokens > 0
        async with agent.run_stream("Hello") as streamed:
            assert "".join([text async for text in streamed.stream_text(delta=True)]).startswith(f"{vendor} answers.")

    asyncio.run(main())


@pytest.mark.parametrize("sdk", ["chat", "anthropic"])
def test_typed_output(oslo: modelmesh.ModelMesh, sdk: str) -> None:
    agent = pydantic_ai.Agent(model_of(oslo, sdk), output_type=City)
    assert asyncio.run(agent.run("Name a city.")).output == City(name="Oslo")
