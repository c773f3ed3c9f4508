"""The OpenAI Agents SDK over ``as_async_openai()``, over chat completions and over responses."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel

import modelmesh

agents = pytest.importorskip("agents")


class City(BaseModel):
    name: str


@agents.function_tool
def weather(city: str) -> str:
    """Return the temperature of a city."""
    return f"12 degrees in {city}"


@agents.function_tool
def difference(a: int, b: int) -> int:
    """Return the difference of two numbers."""
    return a - b


def agent(mesh: modelmesh.ModelMesh, kind: str, **more: Any) -> Any:
    agents.set_tracing_disabled(True)
    model = getattr(agents, kind)(model="chat-completion", openai_client=mesh.as_async_openai())
    return agents.Agent(name="Assistant", instructions="Be brief.", model=model, **more)


@pytest.mark.parametrize("kind", ["OpenAIChatCompletionsModel", "OpenAIResponsesModel"])
def test_tools_and_streams(mesh: modelmesh.ModelMesh, vendor: str, kind: str) -> None:
    async def main() -> None:
        one = agent(mesh, kind, tools=[weather, difference])
        result = await agents.Runner.run(one, "How is the weather?")
        assert result.final_output.startswith(f"{vendor} answers.")
        streamed = agents.Runner.run_streamed(one, "How is the weather?")
        kinds = [event.type async for event in streamed.stream_events()]
        assert "raw_response_event" in kinds
        assert streamed.final_output.startswith(f"{vendor} answers.")

    asyncio.run(main())


def test_typed_output(oslo: modelmesh.ModelMesh) -> None:
    one = agent(oslo, "OpenAIChatCompletionsModel", output_type=City)
    assert asyncio.run(agents.Runner.run(one, "Name a city.")).final_output == City(name="Oslo")
