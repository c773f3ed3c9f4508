"""``parse()`` and ``stream()`` of chat completions and responses, compared with those of the openai package on the same vendor."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import pickle
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.lib._pydantic import to_strict_json_schema
from pydantic import BaseModel, Field

import modelmesh
from modelmesh.client.parsing import strict_schema
from modelmesh.errors import BadUpstreamResponseError
from modelmesh_cdk.testing import Script, Upstream
from modelmesh_cdk.testing.upstream import chunk, completion, event, text_stream

MESSAGES: Any = [{"role": "user", "content": "Which color?"}]


class Shade(BaseModel):
    dark: bool | None = None


class Color(BaseModel):
    """A color."""

    name: str = Field(description="its name", min_length=1)
    shade: Shade = Field(default_factory=Shade, description="its shade")
    others: list[Shade] = []


@dataclasses.dataclass
class Point:
    x: int


TEXT = '{"name": "blue", "shade": {"dark": true}, "others": []}'
TOOL: Any = {
    "type": "function",
    "function": {"name": "paint", "strict": True, "parameters": {"type": "object", "properties": {}}},
}
CALL = {"id": "call_1", "type": "function", "function": {"name": "paint", "arguments": '{"x": 1}'}}
RESPONSE = {
    "id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": "completed", "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
    "output": [
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [{"type": "output_text", "text": TEXT, "annotations": []}]},
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "paint", "arguments": '{"x": 1}', "status": "completed"},
    ],
}  # fmt: skip
RESPONSE_TOOL: Any = {"type": "function", "name": "paint", "strict": True, "parameters": {"type": "object", "properties": {}}}


@pytest.fixture
def mesh(upstream: Upstream) -> Iterator[modelmesh.ModelMesh]:
    provider = {"connector": "openai.llm.v1", "base_url": upstream.url, "api_key": "test", "models": ["gpt-4o"]}
    with modelmesh.ModelMesh({"providers": {"openai": provider}, "pools": {"chat-completion": {}}}) as made:
        yield made


@pytest.fixture
def theirs(upstream: Upstream) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="test", base_url=f"{upstream.url}/v1", max_retries=0) as made:
        yield made


def test_strict_schema_is_that_of_the_sdk() -> None:
    assert strict_schema(Color.model_json_schema()) == to_strict_json_schema(Color)


def test_chat_is_parsed_like_by_the_sdk(mesh: modelmesh.ModelMesh, theirs: openai.OpenAI, upstream: Upstream) -> None:
    upstream.reply(completion(TEXT)).reply(completion(TEXT))
    ours = mesh.client.chat.completions.parse(model="chat-completion", messages=MESSAGES, response_format=Color)
    sdk = theirs.chat.completions.parse(model="gpt-4o", messages=MESSAGES, response_format=Color)
    assert ours.choices[0].message.parsed == sdk.choices[0].message.parsed == Color(name="blue", shade=Shade(dark=True))
    mine, other = (request.json["response_format"] for request in upstream.received)
    assert mine == other
    assert "parsed" not in ours.to_json()
    assert pickle.loads(pickle.dumps(ours.choices[0].message)).parsed == ours.choices[0].message.parsed


def test_parsed_message_is_sent_without_its_object(mesh: modelmesh.ModelMesh, upstream: Upstream) -> None:
    upstream.reply(completion(TEXT)).reply(completion("fine"))
    chat = mesh.client.chat.completions
    first = chat.parse(model="chat-completion", messages=MESSAGES, response_format=Color)
    chat.create(model="chat-completion", messages=[*MESSAGES, first.choices[0].message, *MESSAGES])
    assert upstream.last.json["messages"][1] == {"role": "assistant", "content": TEXT}


def test_strict_tool_call_has_parsed_arguments(mesh: modelmesh.ModelMesh, upstream: Upstream) -> None:
    upstream.reply(completion(None, tool_calls=[CALL])).reply(RESPONSE)
    reply = mesh.client.chat.completions.parse(model="chat-completion", messages=MESSAGES, tools=[TOOL], response_format=Color)
    message = reply.choices[0].message
    assert message.tool_calls is not None
    assert (message.parsed, message.tool_calls[0].function.parsed_arguments) == (None, {"x": 1})
    response = mesh.client.responses.parse(model="chat-completion", input="a", tools=[RESPONSE_TOOL])
    assert response.output[1].parsed_arguments == {"x": 1}


def test_dataclass_is_parsed(mesh: modelmesh.ModelMesh, upstream: Upstream) -> None:
    upstream.reply(completion('{"x": 3}'), x_request_id="req-1")
    parse: Any = mesh.client.chat.completions.with_raw_response.parse  # type: ignore[attr-defined]
    raw = parse(model="chat-completion", messages=MESSAGES, response_format=Point)
    assert (raw.request_id, raw.parse().choices[0].message.parsed) == ("req-1", Point(3))
    assert upstream.last.json["response_format"]["json_schema"]["name"] == "Point"


@pytest.mark.parametrize(("finish", "said"), [("length", "token limit"), ("content_filter", "content filter")])
def test_incomplete_answer_is_a_typed_error(mesh: modelmesh.ModelMesh, upstream: Upstream, finish: str, said: str) -> None:
    body = completion(TEXT[:9])
    body["choices"][0]["finish_reason"] = finish
    upstream.reply(body)
    with pytest.raises(BadUpstreamResponseError, match=said) as caught:
        mesh.client.chat.completions.parse(model="chat-completion", messages=MESSAGES, response_format=Color)
    assert (caught.value.provider_id, caught.value.body["choices"][0]["message"]["content"]) == ("openai", TEXT[:9])


def test_response_is_parsed_like_by_the_sdk(mesh: modelmesh.ModelMesh, theirs: openai.OpenAI, upstream: Upstream) -> None:
    upstream.reply(RESPONSE).reply(RESPONSE)
    ours = mesh.client.responses.parse(model="chat-completion", input="a", text_format=Color)
    sdk = theirs.responses.parse(model="gpt-4o", input="a", text_format=Color)
    assert ours.output_parsed == sdk.output_parsed == Color(name="blue", shade=Shade(dark=True))
    mine, other = (request.json["text"] for request in upstream.received)
    assert mine == other


CHUNKS = [
    event(one)
    for one in (
        chunk({"role": "assistant", "content": ""}), chunk({"content": TEXT[:8]}), chunk({"content": TEXT[8:]}),
        chunk({}, finish="stop"),
    )
]  # fmt: skip
TOOL_CHUNKS = [
    event(one)
    for one in (
        chunk({"role": "assistant", "tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "paint", "arguments": ""}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"x":'}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": " 1}"}}]}),
        chunk({}, finish="tool_calls"),
    )
]  # fmt: skip
DONE = [event("[DONE]")]


def _seen(one: Any) -> tuple[Any, ...]:
    names = ("type", "delta", "content", "name", "index", "arguments", "arguments_delta")
    return tuple(getattr(one, name, None) for name in names)


@pytest.mark.parametrize("chunks", [CHUNKS, TOOL_CHUNKS], ids=["text", "tool"])
def test_stream_has_the_events_of_the_sdk(
    mesh: modelmesh.ModelMesh, theirs: openai.OpenAI, upstream: Upstream, chunks: list[bytes]
) -> None:
    upstream.always(Script(200, [*chunks, *DONE], content_type="text/event-stream"))
    shared: Any = {"messages": MESSAGES, "response_format": Color, "tools": [TOOL]}
    with mesh.client.chat.completions.stream(model="chat-completion", **shared) as stream:
        ours = [_seen(one) for one in stream]
        mine = stream.get_final_completion()
    with theirs.chat.completions.stream(model="gpt-4o", **shared) as sdk_stream:
        sdk = [_seen(one) for one in sdk_stream]
        other = sdk_stream.get_final_completion()
    assert ours == sdk
    assert mine.choices[0].message.parsed == other.choices[0].message.parsed
    assert (mine.choices[0].message.content, mine.choices[0].finish_reason) == (
        other.choices[0].message.content,
        other.choices[0].finish_reason,
    )
    if chunks is TOOL_CHUNKS:
        assert mine.choices[0].message.tool_calls is not None
        assert mine.choices[0].message.tool_calls[0].function.parsed_arguments == {"x": 1}
    assert mine.provider == "openai"


def test_stream_of_the_async_client_is_assembled(mesh: modelmesh.ModelMesh, upstream: Upstream) -> None:
    upstream.always(Script(200, text_stream("bl", "ue"), content_type="text/event-stream"))

    async def read() -> tuple[list[str], str | None]:
        manager = mesh.get_client().chat.completions.stream(model="chat-completion", messages=MESSAGES)
        async with manager as stream:
            found = [one.delta async for one in stream if one.type == "content.delta"]
            return found, (await stream.get_final_completion()).content

    assert asyncio.run(read()) == (["", "bl", "ue"], "blue")


@pytest.mark.parametrize("asynchronous", [False, True])
def test_stream_of_a_response_has_its_parsed_object(mesh: modelmesh.ModelMesh, upstream: Upstream, asynchronous: bool) -> None:
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "logprobs": []}
    events = [
        {"type": "response.created", "sequence_number": 0, "response": {**RESPONSE, "status": "in_progress", "output": []}},
        {"type": "response.output_text.delta", "sequence_number": 1, "delta": TEXT[:9], **place},
        {"type": "response.output_text.delta", "sequence_number": 2, "delta": TEXT[9:], **place},
        {"type": "response.output_text.done", "sequence_number": 3, "text": TEXT, **place},
        {"type": "response.completed", "sequence_number": 4, "response": RESPONSE},
    ]
    upstream.always(Script(200, [event(one) for one in events], content_type="text/event-stream"))
    arguments: Any = {"model": "chat-completion", "input": "a", "text_format": Color}

    async def read() -> tuple[list[Any], Any]:
        async with mesh.get_client().responses.stream(**arguments) as stream:
            return [one async for one in stream], await stream.get_final_response()

    if asynchronous:
        found, final = asyncio.run(read())
    else:
        with mesh.client.responses.stream(**arguments) as stream:
            found, final = list(stream), stream.get_final_response()
    assert final.output_parsed == Color.model_validate(json.loads(TEXT))
    assert (found[2]["snapshot"], found[3]["parsed"]) == (TEXT, final.output_parsed)
