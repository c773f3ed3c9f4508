"""Mock client and virtual clock."""

from __future__ import annotations

import asyncio
import re

import pytest

import modelmesh
from modelmesh.client import MeshClient
from modelmesh.contracts import FailureClass
from modelmesh.errors import AllProvidersExhaustedError, ProviderServerError, RateLimitError
from modelmesh.testing import MockCall, MockProvider, MockResponse, VirtualClock, mock_client

MESSAGES = [{"role": "user", "content": "Hello!"}]


def ask(client: MeshClient, **more: object) -> object:
    return client.chat.completions.create(model="chat-completion", messages=MESSAGES, **more)


def test_mock_client_without_responses_has_a_default() -> None:
    with mock_client() as client:
        reply = ask(client)
        assert isinstance(client, MeshClient)
    assert (reply.content, reply.model, reply.choices[0].finish_reason) == ("Mock response", "mock-model", "stop")
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens, reply.usage.total_tokens) == (3, 7, 10)
    assert re.fullmatch(r"mock-[0-9a-f]{8}", reply.id)
    assert reply.object == "chat.completion"
    assert reply.created > 0


def test_mock_client_repeats_the_last_response() -> None:
    with mock_client(["one", MockResponse("two"), "three"]) as client:
        assert [ask(client).content for _ in range(5)] == ["one", "two", "three", "three", "three"]
        assert len(client.calls) == 5


def test_mock_client_response_names_its_model() -> None:
    with mock_client([MockResponse("a", model="big"), MockResponse("b", model="small"), "c"]) as client:
        assert [ask(client).model for _ in range(4)] == ["big", "small", "mock-model", "mock-model"]
        assert [card.id for card in client.models.list()] == ["big", "small", "mock-model"]


def test_mock_client_records_calls() -> None:
    with mock_client(["hi"]) as client:
        client.chat.completions.create(model="text-generation", messages=MESSAGES, temperature=0.5, tools=[{"type": "function"}])
        (call,) = client.calls
    assert call == MockCall(
        "text-generation", MESSAGES, {"temperature": 0.5, "tools": [{"type": "function"}]}, MockResponse("hi")
    )


@pytest.mark.parametrize(
    ("response", "usage"),
    [
        (MockResponse(tokens=9), (3, 6, 9)),
        (MockResponse(tokens=0), (0, 0, 0)),
        (MockResponse(tokens=9, prompt_tokens=8), (8, 1, 9)),
        (MockResponse(prompt_tokens=4, completion_tokens=5), (4, 5, 9)),
    ],
)
def test_mock_response_usage_from_token_counts(response: MockResponse, usage: tuple[int, int, int]) -> None:
    with mock_client([response]) as client:
        found = ask(client).usage
        assert (found.prompt_tokens, found.completion_tokens, found.total_tokens) == usage
        assert client.usage.total_tokens == usage[2]


def test_mock_client_returns_tool_calls() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    with mock_client([MockResponse(None, tool_calls=[call], finish_reason="tool_calls")]) as client:
        message = ask(client).choices[0].message
        assert (message.content, message.tool_calls[0].function.name) == (None, "f")
        chunks = list(ask(client, stream=True))
        assert chunks[-1].choices[0].finish_reason == "tool_calls"
        assert chunks[1].choices[0].delta.tool_calls[0].function.name == "f"
        assert chunks[1].choices[0].delta.tool_calls[0].index == 0


def test_mock_client_streams_line_by_line() -> None:
    with mock_client([MockResponse("one\ntwo", tokens=9)]) as client, ask(client, stream=True) as stream:
        chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "one\ntwo"
    assert [chunk.choices[0].delta.role for chunk in chunks] == ["assistant", None, None, None]
    assert [chunk.usage and chunk.usage.total_tokens for chunk in chunks] == [None, None, None, 9]
    assert len({chunk.id for chunk in chunks}) == 1
    assert "stream" not in client.calls[0].kwargs


def test_mock_client_has_introspection_of_a_real_client() -> None:
    with mock_client() as client:
        assert client.active_providers() == ["mock-provider"]
        assert client.pool_status()["chat-completion"].current_model == "mock-model"
        assert "mock-model [modelmesh.mock.v1] (active)" in client.describe()
        assert client.explain("chat-completion").selected_model == "mock-model"
    with mock_client(pools=["mine"]) as client:
        assert client.chat.completions.create(model="mine", messages=[]).content == "Mock response"
        with pytest.raises(KeyError):
            client.chat.completions.create(model="reranking", messages=[])


def test_mock_client_raises_provider_errors_without_waiting() -> None:
    slow_down = RateLimitError("slow down", failure=FailureClass.THROTTLE, status=429, upstream_delay_s=300.0)
    with mock_client([slow_down, "again"]) as client:
        with pytest.raises(RateLimitError) as caught:
            ask(client)
        assert isinstance(caught.value, AllProvidersExhaustedError)
        client.clock.advance(400)
        assert ask(client).content == "again"
        assert isinstance(client.calls[0].response, RateLimitError)


def test_mock_client_retries_without_waiting() -> None:
    down = ProviderServerError("down", failure=FailureClass.SERVER, status=500)
    with mock_client([down, down, "up"]) as client:
        assert ask(client).content == "up"
        assert isinstance(client.clock, VirtualClock)
        assert len(client.clock.slept) == 2
        assert [attempt.outcome for attempt in ask(client).attempts] == ["answered"]


def test_mock_client_serves_asynchronous_clients() -> None:
    async def main() -> str:
        async with mock_client(["hi"]) as client:
            reply = await client.mesh.get_client().chat.completions.create(model="chat-completion", messages=MESSAGES)
            stream = await client.mesh.get_client().chat.completions.create(
                model="chat-completion", messages=MESSAGES, stream=True
            )
            return reply.content + "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert asyncio.run(main()) == "hihi"


def test_mock_provider_lists_its_model() -> None:
    provider = MockProvider(["a", MockResponse("b", model="ignored")], model="only")
    with modelmesh.create(config={"providers": {"p": {"instance": provider}}, "pools": {"chat-completion": {}}}) as client:
        assert [ask(client).model for _ in range(2)] == ["only", "only"]


def test_virtual_clock_advances_on_sleep() -> None:
    clock = VirtualClock(5.0)
    clock.sleep(2)
    asyncio.run(clock.asleep(3))
    assert (clock(), clock.advance(1), clock.slept) == (10.0, 11.0, [2, 3])
    assert repr(clock) == "<VirtualClock 11 s>"
