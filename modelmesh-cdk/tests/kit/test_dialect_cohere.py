"""Cohere dialect against the vendor's SDK: the SDK reads its responses, and it reads the SDK's requests."""

from __future__ import annotations

from typing import Any

import pytest

from modelmesh_cdk.testing import Script, Upstream
from modelmesh_cdk.testing.dialects import CohereDialect
from modelmesh_cdk.testing.dialects.samples import (
    CALLS,
    USAGE,
    VECTORS,
    WORDS,
    embedding_answer,
    text_answer,
    text_chunks,
    tool_answer,
    tool_chunks,
)
from modelmesh_cdk.testing.dialects.shape import packed

cohere = pytest.importorskip("cohere")

# The SDK's models are written for pydantic 1 and 2 at once, which newer Pythons and pydantics have warnings about.
pytestmark = pytest.mark.filterwarnings("ignore")

WIRE = CohereDialect()
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "weather", "description": "Weather in a city", "parameters": SCHEMA}}
HI = [{"role": "user", "content": "Hello!"}]


@pytest.fixture
def client(upstream: Upstream) -> Any:
    with cohere.ClientV2(api_key="test-key", base_url=upstream.url, max_retries=0) as made:
        yield made


def asked(client: Any, upstream: Upstream, **arguments: Any) -> dict[str, Any]:
    upstream.then(Script(body=WIRE.write_response(text_answer())))
    client.chat(**{"model": "test-model", "messages": HI, **arguments})
    question = WIRE.read_chat(upstream.last)
    assert not question.pop("stream", False)
    return question


def test_sdk_request_has_path_and_key(client: Any, upstream: Upstream) -> None:
    assert asked(client, upstream) == {"model": "test-model", "messages": HI}
    assert WIRE.key(upstream.last) == "test-key"
    assert upstream.last.path == "/v2" + WIRE.path("chat.completions", "test-model")


def test_read_chat_of_sdk_request(client: Any, upstream: Upstream) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "tool_calls": [CALLS[0]]},
        {"role": "tool", "tool_call_id": "call_a", "content": "rain"},
    ]
    question = asked(
        client,
        upstream,
        messages=messages,
        temperature=0,
        p=0.5,
        k=3,
        max_tokens=64,
        stop_sequences=["END"],
        seed=0,
        tools=[TOOL],
        tool_choice="REQUIRED",
        response_format={"type": "json_object", "json_schema": SCHEMA},
    )
    assert question == {
        "model": "test-model",
        "messages": [*messages[:2], {**messages[2], "content": None}, messages[3]],
        "temperature": 0,
        "top_p": 0.5,
        "top_k": 3,
        "max_completion_tokens": 64,
        "stop": ["END"],
        "seed": 0,
        "tools": [TOOL],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}},
    }


def test_sdk_reads_responses(client: Any, upstream: Upstream) -> None:
    upstream.then(Script(body=WIRE.write_response(text_answer()))).then(Script(body=WIRE.write_response(tool_answer())))
    said, called = (client.chat(model="test-model", messages=HI) for _ in range(2))
    assert (said.id, said.finish_reason, said.message.content[0].text) == ("chatcmpl-test", "COMPLETE", "".join(WORDS))
    assert (said.usage.tokens.input_tokens, said.usage.tokens.output_tokens) == (11, 3)
    assert [(call.id, call.function.name, call.function.arguments) for call in called.message.tool_calls] == [
        (call["id"], call["function"]["name"], call["function"]["arguments"]) for call in CALLS
    ]
    assert called.finish_reason == "TOOL_CALL"


def test_finish_reasons_are_the_vendors() -> None:
    literal, _ = cohere.ChatFinishReason.__args__
    assert WIRE.finish_reasons.keys() <= set(literal.__args__)


def test_sdk_reads_streams(client: Any, upstream: Upstream) -> None:
    upstream.stream(WIRE.write_stream([*text_chunks(finish=None), *tool_chunks()]))
    events = list(client.chat_stream(model="test-model", messages=HI))
    assert WIRE.read_chat(upstream.last)["stream"] is True
    assert "".join(event.delta.message.content.text for event in events if event.type == "content-delta") == "".join(WORDS)
    heads = [event.delta.message.tool_calls for event in events if event.type == "tool-call-start"]
    assert [(call.id, call.function.name) for call in heads] == [(call["id"], call["function"]["name"]) for call in CALLS]
    told = ["", ""]
    for event in events:
        if event.type == "tool-call-delta":
            told[event.index] += event.delta.message.tool_calls.function.arguments
    assert told == [call["function"]["arguments"] for call in CALLS]
    last = events[-1]
    assert (last.type, last.delta.finish_reason) == ("message-end", "TOOL_CALL")
    assert last.delta.usage.tokens.input_tokens == USAGE["prompt_tokens"]


def test_sdk_reads_stream_error(client: Any, upstream: Upstream) -> None:
    upstream.stream([*WIRE.write_stream(text_chunks(("Hel",), finish=None, usage=False), done=False), *WIRE.write_error_event()])
    last = list(client.chat_stream(model="test-model", messages=HI))[-1]
    assert (last.delta.finish_reason, last.delta.error) == ("ERROR", "internal error")


def test_sdk_reads_embeddings(client: Any, upstream: Upstream) -> None:
    upstream.then(lambda received: Script(body=WIRE.write_embeddings(embedding_answer(), received)))
    reply = client.embed(
        model="test-model",
        texts=["a", "b", "c"],
        input_type="search_document",
        output_dimension=3,
        embedding_types=["float", "base64"],
    )
    assert upstream.last.path == "/v2" + WIRE.path("embeddings", "test-model")
    question = WIRE.read_embeddings(upstream.last)
    assert (question["input"], question["dimensions"]) == (["a", "b", "c"], 3)
    assert reply.embeddings.float_ == [*map(list, VECTORS)]
    assert reply.embeddings.base64 == [packed(vector) for vector in VECTORS]
    assert reply.meta.billed_units.input_tokens == 9


@pytest.mark.parametrize("row", WIRE.error_responses, ids=lambda row: f"{row.status}-{row.failure}")
def test_sdk_reads_error_responses(row: Any, client: Any, upstream: Upstream) -> None:
    upstream.always(row.script())
    with pytest.raises(cohere.core.ApiError) as caught:
        client.chat(model="test-model", messages=HI)
    body = caught.value.body
    assert (caught.value.status_code, body["message"] if isinstance(body, dict) else body.message) == (
        row.status,
        row.body["message"],
    )


def test_write_error_has_delay_and_request_id(client: Any, upstream: Upstream) -> None:
    upstream.always(WIRE.write_error(400, "wrong", code="a_code", wait=7, request_id="req-test"))
    with pytest.raises(cohere.BadRequestError) as caught:
        client.chat(model="test-model", messages=HI)
    assert caught.value.body == {"id": "req-test", "message": "wrong"}
    assert caught.value.headers["retry-after"] == "7"
