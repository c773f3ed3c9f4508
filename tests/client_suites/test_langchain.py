"""LangChain over ``as_openai()``: text, streams, tools and structured output."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel

import modelmesh

langchain_openai = pytest.importorskip("langchain_openai")
QUESTION = "How is the weather?"


class City(BaseModel):
    """A city."""

    name: str


def weather(city: str) -> str:
    """Return the temperature of a city."""
    return f"12 degrees in {city}"


def difference(a: int, b: int) -> int:
    """Return the difference of two numbers."""
    return a - b


def chat(mesh: modelmesh.ModelMesh) -> Any:
    sdk, async_sdk = mesh.as_openai(), mesh.as_async_openai()
    return langchain_openai.ChatOpenAI(
        model="chat-completion",
        root_client=sdk,
        client=sdk.chat.completions,
        root_async_client=async_sdk,
        async_client=async_sdk.chat.completions,
    )


def test_text_and_streams(mesh: modelmesh.ModelMesh, vendor: str) -> None:
    model = chat(mesh)
    assert model.invoke("Hello").content.startswith(f"{vendor} answers.")
    assert "".join(chunk.content for chunk in model.stream("Hello")).startswith(f"{vendor} answers.")

    async def main() -> None:
        assert (await model.ainvoke("Hello")).content.startswith(f"{vendor} answers.")
        assert "".join([chunk.content async for chunk in model.astream("Hello")]).startswith(f"{vendor} answers.")

    asyncio.run(main())


def test_tools(mesh: modelmesh.ModelMesh, vendor: str) -> None:
    from langchain_core.messages import HumanMessage, ToolMessage

    model = chat(mesh).bind_tools([weather, difference])
    history: list[Any] = [HumanMessage(QUESTION)]
    for _ in range(3):
        reply = model.invoke(history)
        history.append(reply)
        for call in reply.tool_calls:
            run = {"weather": weather, "difference": difference}[call["name"]]
            history.append(ToolMessage(str(run(**call["args"])), tool_call_id=call["id"]))
    assert history[-1].content.startswith(f"{vendor} answers.")
    assert len([one for one in history if isinstance(one, ToolMessage)]) == 3


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
def test_structured_output(oslo: modelmesh.ModelMesh, method: str) -> None:
    model = chat(oslo).with_structured_output(City, method=method)
    assert model.invoke("Name a city as JSON.") == City(name="Oslo")
    assert asyncio.run(model.ainvoke("Name a city as JSON.")) == City(name="Oslo")
