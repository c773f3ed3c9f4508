"""The official openai package at the proxy: the objects are those of a direct connection to the vendor."""

from __future__ import annotations

import asyncio
import subprocess
from typing import Any

import httpx
import openai
import pydantic
import pytest

from modelmesh_cdk.testing import Upstream

HELLO: list[Any] = [{"role": "user", "content": "Hello!"}]
WEATHER: list[Any] = [{"role": "user", "content": "weather in Paris?"}]
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
    }
]


class Person(pydantic.BaseModel):
    """Structured output."""

    name: str
    age: int


@pytest.fixture(scope="module")
def client(proxy: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{proxy}/v1", api_key="unused", max_retries=0)


@pytest.fixture(scope="module")
def direct(vendor: Upstream) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{vendor.url}/v1", api_key="sk-test", max_retries=0)


REQUESTS: dict[str, dict[str, Any]] = {
    "text": {"messages": HELLO, "temperature": 0.5, "user": "u"},
    "thoughts": {"messages": [{"role": "user", "content": "think"}], "reasoning_effort": "low"},
    "tools": {"messages": WEATHER, "tools": TOOLS, "tool_choice": "auto"},
    "unknown": {"messages": HELLO, "extra_body": {"x_new_parameter": {"a": [1]}}},
    "json": {"messages": HELLO, "response_format": {"type": "json_object"}},
}


def untagged(reply: Any) -> Any:
    """Return data without the field ``connector`` of messages with fields of a vendor."""
    if isinstance(reply, dict):
        return {name: untagged(value) for name, value in reply.items() if name != "connector"}
    return [untagged(one) for one in reply] if isinstance(reply, list) else reply


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_a_chat_loses_nothing(client: openai.OpenAI, direct: openai.OpenAI, vendor: Upstream, request_: Any) -> None:
    expected = direct.chat.completions.create(model="model-o", **request_)
    sent = vendor.last.json
    reply = client.chat.completions.create(model="gpt-4o", **request_)
    assert untagged(reply.model_dump()) == expected.model_dump()
    assert vendor.last.json == sent


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_a_stream_loses_nothing(client: openai.OpenAI, direct: openai.OpenAI, request_: Any) -> None:
    given = {**request_, "stream": True, "stream_options": {"include_usage": True}}
    expected = [one.model_dump() for one in direct.chat.completions.create(model="model-o", **given)]
    assert [untagged(one.model_dump()) for one in client.chat.completions.create(model="gpt-4o", **given)] == expected


def test_structured_output_embeddings_and_models(client: openai.OpenAI, direct: openai.OpenAI) -> None:
    parsed = client.chat.completions.parse(model="chat", messages=HELLO, response_format=Person)
    assert parsed.choices[0].message.parsed == Person(name="Ada", age=36)
    vectors = client.embeddings.create(model="text-embeddings", input=["a", "b"])
    assert vectors.model_dump() == direct.embeddings.create(model="embed", input=["a", "b"]).model_dump()
    names = [one.id for one in client.models.list()]
    assert names[:4] == ["chat", "claude", "gemini", "text-embeddings"]
    assert names[6:10] == ["gpt-4o", "gemini-2.5-flash", "model-o", "model-a"]
    assert (client.models.retrieve("gpt-4o").owned_by, client.models.retrieve("model-o").owned_by) == ("modelmesh", "openai")


def test_the_responses_api_runs_a_tool_and_streams(client: openai.OpenAI) -> None:
    tools: list[Any] = [
        {"type": "function", "name": "get_weather", "parameters": TOOLS[0]["function"]["parameters"], "strict": False}
    ]
    first = client.responses.create(model="claude", input="weather in Paris?", tools=tools)
    (call,) = [item for item in first.output if item.type == "function_call"]
    given: list[Any] = [{"role": "user", "content": "weather?"}, *(item.model_dump(exclude_none=True) for item in first.output)]
    given.append({"type": "function_call_output", "call_id": call.call_id, "output": "sunny"})
    assert client.responses.create(model="claude", input=given, tools=tools).output_text == "It is sunny in Paris."
    with client.responses.stream(model="claude", input="Hello!") as stream:
        assert stream.get_final_response().output_text == "Hello from the vendor."


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, openai.BadRequestError), (429, openai.RateLimitError), (500, openai.InternalServerError)],
)
def test_failures_are_the_classes_of_a_direct_connection(
    client: openai.OpenAI, direct: openai.OpenAI, status: int, kind: Any
) -> None:
    messages: list[Any] = [{"role": "user", "content": f"fail {status}"}]
    with pytest.raises(kind) as expected:
        direct.chat.completions.create(model="model-o", messages=messages)
    for stream in (False, True):
        with pytest.raises(kind) as caught:
            client.chat.completions.create(model="failing", messages=messages, stream=stream)
        assert (caught.value.status_code, caught.value.code) == (expected.value.status_code, expected.value.code)
        assert int(caught.value.response.headers["x-modelmesh-attempts"]) >= 1


def test_unknown_names_and_a_dying_stream(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="nothing", messages=HELLO)
    assert caught.value.code == "model_not_found"
    with pytest.raises(openai.APIError) as died:
        list(client.chat.completions.create(model="chat", messages=[{"role": "user", "content": "die"}], stream=True))
    assert died.value.code == "stream_interrupted"


def test_asyncio(proxy: str) -> None:
    async def run() -> list[str]:
        async with openai.AsyncOpenAI(base_url=f"{proxy}/v1", api_key="unused") as client:
            reply = await client.chat.completions.create(model="chat", messages=HELLO)
            stream = await client.chat.completions.create(model="chat", messages=HELLO, stream=True)
            texts = [one.choices[0].delta.content or "" async for one in stream if one.choices]
            return [reply.choices[0].message.content or "", "".join(texts)]

    assert asyncio.run(run()) == ["Hello from the vendor."] * 2


# -- headers -----------------------------------------------------------------------------------------------------------------

FILE = {"file": ("a.wav", b"RIFF", "audio/wav")}
OPERATIONS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"json": {"model": "chat", "messages": HELLO}},
    "/v1/completions": {"json": {"model": "chat", "prompt": "Hello!"}},
    "/v1/responses": {"json": {"model": "chat", "input": "Hello!"}},
    "/v1/messages": {"json": {"model": "claude", "messages": HELLO, "max_tokens": 5}},
    "/v1/embeddings": {"json": {"model": "text-embeddings", "input": "a"}},
    "/v1beta/models/chat:generateContent": {"json": {"contents": "Hello!"}},
    "/v1beta/models/text-embeddings:embedContent": {"json": {"content": {"parts": [{"text": "a"}]}}},
}


@pytest.mark.parametrize("path", OPERATIONS)
def test_replies_name_model_provider_attempts_and_cost(proxy: str, path: str) -> None:
    reply = httpx.post(f"{proxy}{path}", **OPERATIONS[path])
    assert reply.status_code == 200, reply.text
    found = {name: reply.headers.get(f"x-modelmesh-{name}") for name in ("model", "provider", "attempts")}
    expected = {"claude": ("model-a", "anthropic"), "text-embeddings": ("embed", "openai")}
    name = next((pool for pool in expected if pool in path or pool == OPERATIONS[path]["json"].get("model")), "")
    model, provider = expected.get(name, ("model-o", "openai"))
    assert found == {"model": model, "provider": provider, "attempts": "1"}
    assert float(reply.headers["x-modelmesh-cost"]) > 0


@pytest.mark.parametrize("path", [path for path in OPERATIONS if "embed" not in path and "v1beta" not in path])
def test_streams_name_the_model_at_their_head_and_the_cost_at_their_end(proxy: str, path: str) -> None:
    body = {**OPERATIONS[path]["json"], "stream": True}
    reply = httpx.post(f"{proxy}{path}", json=body)
    assert reply.headers["x-modelmesh-model"] in ("model-o", "model-a")
    assert "x-modelmesh-cost" not in reply.headers
    comments = [line for line in reply.text.splitlines() if line.startswith(":")]
    assert len(comments) == 1
    name, cost = comments[0].removeprefix(": ").split("=")
    assert (name, float(cost) > 0) == ("x-modelmesh-cost", True)


def test_curl(proxy: str) -> None:
    body = '{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"Hello!"}]}'
    command = ["curl", "-sN", f"{proxy}/v1/chat/completions", "-H", "content-type: application/json", "-d", body]
    text = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    assert text.startswith("data: {")
    assert text.endswith("data: [DONE]\n\n")
