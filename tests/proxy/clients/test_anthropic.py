"""The official anthropic package at the proxy: nothing is lost at Anthropic, and other vendors answer in its format."""

from __future__ import annotations

import asyncio
from typing import Any

import anthropic
import httpx
import pytest

from modelmesh_cdk.testing import Upstream

HELLO: list[Any] = [{"role": "user", "content": "Hello!"}]
WEATHER: list[Any] = [{"role": "user", "content": "weather in Paris?"}]
TOOLS: list[Any] = [{"name": "get_weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}]


@pytest.fixture(scope="module")
def client(proxy: str) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=proxy, api_key="unused", max_retries=0)


@pytest.fixture(scope="module")
def direct(vendor: Upstream) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=vendor.url, api_key="sk-test", max_retries=0)


REQUESTS: dict[str, dict[str, Any]] = {
    "text": {"messages": HELLO, "system": "Be brief.", "stop_sequences": ["x"]},
    "thoughts": {
        "messages": [{"role": "user", "content": "think"}],
        "max_tokens": 4000,
        "thinking": {"type": "enabled", "budget_tokens": 2000},
    },
    "tools": {"messages": WEATHER, "tools": TOOLS, "tool_choice": {"type": "auto"}},
    "unknown": {"messages": HELLO, "extra_body": {"x_new_parameter": {"a": [1]}}},
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_a_message_loses_nothing(
    client: anthropic.Anthropic, direct: anthropic.Anthropic, vendor: Upstream, request_: Any
) -> None:
    given = {"max_tokens": 100, **request_}
    expected = direct.messages.create(model="model-a", **given)
    sent = vendor.last.json
    assert client.messages.create(model="claude", **given).model_dump() == expected.model_dump()
    assert vendor.last.json == sent


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_a_stream_loses_nothing(client: anthropic.Anthropic, direct: anthropic.Anthropic, request_: Any) -> None:
    given = {"max_tokens": 100, **request_, "stream": True}
    expected = [one.model_dump() for one in direct.messages.create(model="model-a", **given)]
    assert [one.model_dump() for one in client.messages.create(model="claude", **given)] == expected


@pytest.mark.parametrize("pool", ["chat", "gemini"])
def test_other_vendors_answer_stream_and_call_tools(client: anthropic.Anthropic, pool: str) -> None:
    assert client.messages.create(model=pool, max_tokens=100, messages=HELLO).content[0].text == "Hello from the vendor."
    with client.messages.stream(model=pool, max_tokens=100, messages=WEATHER, tools=TOOLS) as stream:
        message = stream.get_final_message()
    assert (message.stop_reason, message.content[0].name, message.content[0].input) == (
        "tool_use",
        "get_weather",
        {"city": "Paris"},
    )
    result: Any = {"type": "tool_result", "tool_use_id": message.content[0].id, "content": "sunny"}
    turns = [*WEATHER, {"role": "assistant", "content": message.content}, {"role": "user", "content": [result]}]
    answer = client.messages.create(model=pool, max_tokens=100, messages=turns, tools=TOOLS)
    assert answer.content[0].text == "It is sunny in Paris."


def test_token_count_and_models(client: anthropic.Anthropic) -> None:
    assert client.messages.count_tokens(model="claude", messages=HELLO).input_tokens > 0
    rows = list(client.models.list())
    assert [row.id for row in rows][:4] == ["chat", "claude", "gemini", "text-embeddings"]
    assert client.models.retrieve("gpt-4o").display_name == "gpt-4o"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, anthropic.BadRequestError),
        (429, anthropic.RateLimitError),
        (500, anthropic.InternalServerError),
    ],
)
@pytest.mark.parametrize("pool", ["failing-claude", "failing"])
def test_failures_are_errors_of_the_package(client: anthropic.Anthropic, pool: str, status: int, kind: Any) -> None:
    messages: list[Any] = [{"role": "user", "content": f"fail {status}"}]
    for stream in (False, True):
        with pytest.raises(kind) as caught:
            client.messages.create(model=pool, max_tokens=5, messages=messages, stream=stream)
        assert caught.value.status_code == status
        assert caught.value.body["type"] == "error"
        assert caught.value.request_id


def test_a_dying_stream_has_one_error_event(client: anthropic.Anthropic, proxy: str) -> None:
    for pool in ("claude", "chat"):
        messages: list[Any] = [{"role": "user", "content": "die"}]
        with pytest.raises(anthropic.APIError):
            list(client.messages.create(model=pool, max_tokens=5, messages=messages, stream=True))
        body = {"model": pool, "max_tokens": 5, "stream": True, "messages": messages}
        events = [line for line in httpx.post(f"{proxy}/v1/messages", json=body).text.splitlines() if line.startswith("event:")]
        assert events[-1] == "event: error"
        assert "event: message_stop" not in events


def test_asyncio(proxy: str) -> None:
    async def run() -> str:
        async with anthropic.AsyncAnthropic(base_url=proxy, auth_token="unused") as client:
            async with client.messages.stream(model="chat", max_tokens=9, messages=HELLO) as stream:
                return await stream.get_final_text()

    assert asyncio.run(run()) == "Hello from the vendor."
