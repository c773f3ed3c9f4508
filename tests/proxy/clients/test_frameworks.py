"""Frameworks at the proxy, unmodified: chat, streams, tools, structured output, embeddings and errors as their classes."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import openai
import pydantic
import pytest

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""Frameworks leave event loops and connections to the collector."""


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    yield
    gc.collect()


class Person(pydantic.BaseModel):
    """Structured output."""

    name: str
    age: int


def get_weather(city: str) -> str:
    """Return the weather of a city."""
    return f"sunny in {city}"


# -- langchain-openai --------------------------------------------------------------------------------------------------------


def test_langchain(proxy: str) -> None:
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI, OpenAIEmbeddings

    given: dict[str, Any] = {"base_url": f"{proxy}/v1", "api_key": "unused", "max_retries": 0}
    model = ChatOpenAI(model="gpt-4o", **given)
    assert model.invoke("Hello!").content == "Hello from the vendor."
    assert "".join(str(one.content) for one in model.stream("Hello!")) == "Hello from the vendor."
    called = model.bind_tools([tool(get_weather)]).invoke("weather in Paris?")
    assert [(call["name"], call["args"]) for call in called.tool_calls] == [("get_weather", {"city": "Paris"})]
    assert model.with_structured_output(Person).invoke("Who?") == Person(name="Ada", age=36)
    vectors = OpenAIEmbeddings(model="text-embeddings", check_embedding_ctx_length=False, **given)
    assert vectors.embed_documents(["a", "b"]) == [[0.5, -0.25, 0.0], [0.5, -0.25, 1.0]]
    with pytest.raises(openai.RateLimitError):
        ChatOpenAI(model="failing", **given).invoke("fail 429")


# -- pydantic-ai -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pool", ["chat", "claude"])
def test_pydantic_ai(proxy: str, pool: str) -> None:
    from pydantic_ai import Agent, ModelHTTPError
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.output import NativeOutput
    from pydantic_ai.providers.anthropic import AnthropicProvider
    from pydantic_ai.providers.openai import OpenAIProvider

    def model(name: str) -> Any:
        if pool == "claude":
            return AnthropicModel(name, provider=AnthropicProvider(base_url=proxy, api_key="unused"))
        return OpenAIChatModel(name, provider=OpenAIProvider(base_url=f"{proxy}/v1", api_key="unused"))

    assert Agent(model(pool)).run_sync("Hello!").output == "Hello from the vendor."
    assert Agent(model(pool), tools=[get_weather]).run_sync("weather in Paris?").output == "It is sunny in Paris."
    if pool == "chat":
        person = Agent(model(pool), output_type=NativeOutput(Person)).run_sync("Who?").output
        assert person == Person(name="Ada", age=36)

    async def streamed() -> str:
        async with Agent(model(pool)).run_stream("Hello!") as running:
            return str(await running.get_output())

    assert asyncio.run(streamed()) == "Hello from the vendor."
    with pytest.raises(ModelHTTPError) as caught:
        Agent(model("nothing")).run_sync("Hello!")
    assert caught.value.status_code == 404


# -- openai-agents -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["chat completions", "responses"])
def test_openai_agents(proxy: str, kind: str) -> None:
    import agents

    agents.set_tracing_disabled(True)
    connected = openai.AsyncOpenAI(base_url=f"{proxy}/v1", api_key="unused", max_retries=0)
    cls = agents.OpenAIChatCompletionsModel if kind == "chat completions" else agents.OpenAIResponsesModel

    def agent(name: str = "chat", **given: Any) -> Any:
        return agents.Agent(name="a", model=cls(model=name, openai_client=connected), **given)

    async def run() -> list[Any]:
        outputs = [
            (await agents.Runner.run(agent(), "Hello!")).final_output,
            (await agents.Runner.run(agent(tools=[agents.function_tool(get_weather)]), "weather in Paris?")).final_output,
            (await agents.Runner.run(agent(output_type=Person), "Who?")).final_output,
        ]
        streamed = agents.Runner.run_streamed(agent(), "Hello!")
        async for _ in streamed.stream_events():
            pass
        with pytest.raises(openai.NotFoundError):
            await agents.Runner.run(agent("nothing"), "Hello!")
        await connected.close()
        return [*outputs, streamed.final_output]

    hello = "Hello from the vendor."
    assert asyncio.run(run()) == [hello, "It is sunny in Paris.", Person(name="Ada", age=36), hello]


# -- mistralai ---------------------------------------------------------------------------------------------------------------


def test_mistralai(proxy: str) -> None:
    from mistralai.client import Mistral
    from mistralai.client.errors import MistralError

    with Mistral(api_key="unused", server_url=proxy) as client:
        messages: list[Any] = [{"role": "user", "content": "Hello!"}]
        assert client.chat.complete(model="chat", messages=messages).choices[0].message.content == "Hello from the vendor."
        events = client.chat.stream(model="chat", messages=messages)
        assert (
            "".join(str(one.data.choices[0].delta.content or "") for one in events if one.data.choices)
            == "Hello from the vendor."
        )
        with pytest.raises(MistralError) as caught:
            client.chat.complete(model="nothing", messages=messages)
        assert caught.value.status_code == 404
