"""Further frameworks over ``as_openai()``, each with the client or the transport that it accepts.

They are heavy, so the session ``client_suites`` installs them.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel

import modelmesh
from modelmesh.integrations.openai import async_transport, transport

pytestmark = pytest.mark.filterwarnings("default")  # those of other packages
ASK: list[Any] = [{"role": "user", "content": "Hello"}]
QUESTION: list[Any] = [{"role": "user", "content": "How is the weather?"}]


class City(BaseModel):
    name: str


def weather(city: str) -> str:
    """Return the temperature of a city.

    Args:
        city: Its name.
    """
    return f"12 degrees in {city}"


def difference(a: int, b: int) -> int:
    """Return the difference of two numbers.

    Args:
        a: The first.
        b: The second.
    """
    return a - b


def test_litellm(mesh: modelmesh.ModelMesh, vendor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # otherwise its import downloads one
    litellm = pytest.importorskip("litellm")
    sdk = mesh.as_openai()
    reply = litellm.completion(model="openai/chat-completion", messages=ASK, client=sdk, api_key="any")
    assert reply.choices[0].message.content.startswith(f"{vendor} answers.")
    stream = litellm.completion(model="openai/chat-completion", messages=ASK, client=sdk, api_key="any", stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream).startswith(f"{vendor} answers.")
    reply = asyncio.run(
        litellm.acompletion(model="openai/chat-completion", messages=ASK, client=mesh.as_async_openai(), api_key="any")
    )
    assert reply.choices[0].message.content.startswith(f"{vendor} answers.")


def test_dspy(oslo: modelmesh.ModelMesh, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its language models and programs are deep copies."""
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    dspy = pytest.importorskip("dspy")
    given: dict[str, Any] = {"model": "openai/chat-completion", "api_key": "any", "cache": False}
    program = dspy.Predict("question -> name").deepcopy()
    with dspy.context(lm=dspy.LM(**given, client=oslo.as_openai()).copy(temperature=0.5), adapter=dspy.JSONAdapter()):
        assert program(question="Name a city.").name == "Oslo"
    with dspy.context(lm=dspy.LM(**given, client=oslo.as_async_openai()).copy(), adapter=dspy.JSONAdapter()):
        assert asyncio.run(program.acall(question="Name a city.")).name == "Oslo"


def test_haystack(mesh: modelmesh.ModelMesh, vendor: str) -> None:
    generators = pytest.importorskip("haystack.components.generators.chat")
    from haystack.dataclasses import ChatMessage
    from haystack.tools import create_tool_from_function
    from haystack.utils import Secret

    generator = generators.OpenAIChatGenerator(api_key=Secret.from_token("any"), model="chat-completion")
    generator.client = mesh.as_openai()
    assert generator.run([ChatMessage.from_user("Hello")])["replies"][0].text.startswith(f"{vendor} answers.")
    pieces: list[str] = []
    generator.run([ChatMessage.from_user("Hello")], streaming_callback=lambda chunk: pieces.append(chunk.content))
    assert "".join(pieces).startswith(f"{vendor} answers.")
    tools = [create_tool_from_function(one) for one in (weather, difference)]
    reply = generator.run([ChatMessage.from_user("How is the weather?")], tools=tools)["replies"][0]
    assert [call.arguments for call in reply.tool_calls] == [{"city": "Oslo"}, {"city": "Rome"}]


def test_smolagents(mesh: modelmesh.ModelMesh, vendor: str) -> None:
    smolagents = pytest.importorskip("smolagents")
    model = smolagents.OpenAIModel(model_id="chat-completion", api_key="any")
    model.client = mesh.as_openai()
    reply = model.generate([{"role": "user", "content": [{"type": "text", "text": "Hello"}]}])
    assert reply.content.startswith(f"{vendor} answers.")


def test_autogen(mesh: modelmesh.ModelMesh, vendor: str) -> None:
    models = pytest.importorskip("autogen_ext.models.openai")
    from autogen_core.models import ModelInfo, UserMessage

    httpx2 = pytest.importorskip("httpx2")
    info = ModelInfo(vision=False, function_calling=True, json_output=True, family="unknown", structured_output=True)

    async def main() -> None:
        http = httpx2.AsyncClient(transport=async_transport(mesh))
        client = models.OpenAIChatCompletionClient(model="chat-completion", api_key="any", http_client=http, model_info=info)
        result = await client.create([UserMessage(content="Hello", source="user")])
        assert result.content.startswith(f"{vendor} answers.")
        await client.close()

    asyncio.run(main())


def test_agno(mesh: modelmesh.ModelMesh, vendor: str) -> None:
    pytest.importorskip("agno.models.openai")
    from agno.agent import Agent
    from agno.models.openai import OpenAIChat

    agent = Agent(model=OpenAIChat(id="chat-completion", client=mesh.as_openai()), tools=[weather, difference], telemetry=False)
    assert agent.run("How is the weather?").content.startswith(f"{vendor} answers.")


def test_llm(mesh: modelmesh.ModelMesh, vendor: str) -> None:
    pytest.importorskip("llm.default_plugins.openai_models")
    from llm.default_plugins.openai_models import Chat

    model = Chat("chat-completion")
    model.get_client = lambda *_, **__: mesh.as_openai()
    assert model.prompt("Hello", stream=False, key="any").text().startswith(f"{vendor} answers.")
    assert "".join(model.prompt("Hello", key="any")).startswith(f"{vendor} answers.")


def test_instructor(oslo: modelmesh.ModelMesh) -> None:
    instructor = pytest.importorskip("instructor")
    client = instructor.from_openai(oslo.as_openai())
    city = client.chat.completions.create(model="chat-completion", messages=ASK, response_model=City)
    assert city.name == "Oslo"
    aclient = instructor.from_openai(oslo.as_async_openai())
    reply = asyncio.run(aclient.chat.completions.create(model="chat-completion", messages=ASK, response_model=City))
    assert reply.name == "Oslo"


def test_llama_index(mesh: modelmesh.ModelMesh, vendor: str) -> None:
    """Its release of the SDK is 2.x, which uses httpx."""
    llms = pytest.importorskip("llama_index.llms.openai")
    import httpx

    http, ahttp = httpx.Client(transport=transport(mesh)), httpx.AsyncClient(transport=async_transport(mesh))
    model = llms.OpenAI(model="gpt-4o", api_key="any", http_client=http, async_http_client=ahttp)
    assert model.complete("Hello").text.startswith(f"{vendor} answers.")
    assert "".join(piece.delta for piece in model.stream_complete("Hello")).startswith(f"{vendor} answers.")
    assert asyncio.run(model.acomplete("Hello")).text.startswith(f"{vendor} answers.")
