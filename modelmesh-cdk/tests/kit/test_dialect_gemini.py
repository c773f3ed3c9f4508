"""Gemini dialect against the vendor's SDK: the SDK reads its responses, and it reads the SDK's requests."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest

from modelmesh_cdk.testing import Script, Upstream
from modelmesh_cdk.testing.dialects import GeminiDialect
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

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    genai = pytest.importorskip("google.genai")
    types = pytest.importorskip("google.genai.types")
    errors = pytest.importorskip("google.genai.errors")

WIRE = GeminiDialect()
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.fixture
def client(upstream: Upstream) -> Any:
    with genai.Client(api_key="test-key", http_options={"base_url": upstream.url}) as made:
        yield made


def asked(client: Any, upstream: Upstream, contents: Any = "Hello!", **config: Any) -> dict[str, Any]:
    upstream.then(Script(body=WIRE.write_response(text_answer())))
    client.models.generate_content(model="test-model", contents=contents, config=config or None)
    return WIRE.read_chat(upstream.last)


def test_sdk_request_has_path_and_key(client: Any, upstream: Upstream) -> None:
    assert asked(client, upstream) == {"model": "test-model", "messages": [{"role": "user", "content": "Hello!"}]}
    assert WIRE.key(upstream.last) == "test-key"
    assert upstream.last.path == "/v1" + WIRE.path("chat.completions", "test-model")


def test_read_chat_of_sdk_request(client: Any, upstream: Upstream) -> None:
    function = {"name": "weather", "description": "Weather in a city", "parameters_json_schema": SCHEMA}
    contents = [
        {"role": "user", "parts": [{"text": "What is"}, types.Part.from_bytes(data=bytes(3), mime_type="image/png")]},
        {
            "role": "model",
            "parts": [{"text": "I look."}, {"function_call": {"id": "call_a", "name": "weather", "args": {"city": "Köln"}}}],
        },
        {
            "role": "user",
            "parts": [{"function_response": {"id": "call_a", "name": "weather", "response": {"output": "rain"}}}],
        },
    ]
    question = asked(
        client,
        upstream,
        contents,
        system_instruction="Be brief.",
        temperature=0,
        top_p=0.5,
        max_output_tokens=64,
        stop_sequences=["END"],
        seed=0,
        candidate_count=2,
        tools=[{"function_declarations": [function]}],
        tool_config={"function_calling_config": {"mode": "ANY", "allowed_function_names": ["weather"]}},
        response_mime_type="application/json",
        response_json_schema=SCHEMA,
    )
    assert question == {
        "model": "test-model",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                ],
            },
            {"role": "assistant", "content": "I look.", "tool_calls": [CALLS[0]]},
            {"role": "tool", "tool_call_id": "call_a", "content": "rain"},
        ],
        "temperature": 0,
        "top_p": 0.5,
        "max_completion_tokens": 64,
        "stop": ["END"],
        "seed": 0,
        "n": 2,
        "tools": [
            {"type": "function", "function": {"name": "weather", "description": "Weather in a city", "parameters": SCHEMA}}
        ],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}},
    }


def test_sdk_reads_responses(client: Any, upstream: Upstream) -> None:
    upstream.then(Script(body=WIRE.write_response(text_answer()))).then(Script(body=WIRE.write_response(tool_answer())))
    said, called = (client.models.generate_content(model="test-model", contents="Hello!") for _ in range(2))
    assert (said.text, said.response_id, said.model_version) == ("".join(WORDS), "chatcmpl-test", "test-model")
    assert said.candidates[0].finish_reason is types.FinishReason.STOP
    usage = said.usage_metadata
    assert [usage.prompt_token_count, usage.candidates_token_count, usage.total_token_count] == [*USAGE.values()]
    assert [(call.id, call.name, call.args) for call in called.function_calls] == [
        (call["id"], call["function"]["name"], json.loads(call["function"]["arguments"])) for call in CALLS
    ]


def test_finish_reasons_are_the_vendors() -> None:
    assert WIRE.finish_reasons.keys() <= {reason.value for reason in types.FinishReason}


def test_sdk_reads_streams(client: Any, upstream: Upstream) -> None:
    upstream.stream(WIRE.write_stream([*text_chunks(finish=None), *tool_chunks()]))
    chunks = list(client.models.generate_content_stream(model="test-model", contents="Hello!"))
    assert WIRE.read_chat(upstream.last)["stream"] is True
    parts = [part for chunk in chunks for part in chunk.candidates[0].content.parts]
    assert "".join(part.text or "" for part in parts) == "".join(WORDS)
    assert [(part.function_call.id, part.function_call.args) for part in parts if part.function_call] == [
        (call["id"], json.loads(call["function"]["arguments"])) for call in CALLS
    ]
    assert [chunk.candidates[0].finish_reason for chunk in chunks if chunk.candidates[0].finish_reason] == ["STOP"]
    assert chunks[-1].usage_metadata.total_token_count == USAGE["total_tokens"]


def test_sdk_reads_stream_error(client: Any, upstream: Upstream) -> None:
    upstream.stream([*WIRE.write_stream(text_chunks(("Hel",), finish=None, usage=False)), *WIRE.write_error_event()])
    with pytest.raises(errors.APIError, match="overloaded"):
        list(client.models.generate_content_stream(model="test-model", contents="Hello!"))


def test_sdk_reads_embeddings(client: Any, upstream: Upstream) -> None:
    upstream.then(lambda received: Script(body=WIRE.write_embeddings(embedding_answer(), received)))
    reply = client.models.embed_content(
        model="test-model", contents=["a", "b", "c"], config={"output_dimensionality": 3, "task_type": "CLUSTERING"}
    )
    assert upstream.last.path == "/v1" + WIRE.path("embeddings", "test-model")
    assert WIRE.read_embeddings(upstream.last) == {
        "model": "test-model",
        "input": ["a", "b", "c"],
        "dimensions": 3,
        "taskType": "CLUSTERING",
    }
    assert [row.values for row in reply.embeddings] == [*map(list, VECTORS)]


@pytest.mark.parametrize("row", WIRE.error_responses, ids=lambda row: f"{row.status}-{row.failure}")
def test_sdk_reads_error_responses(row: Any, client: Any, upstream: Upstream) -> None:
    upstream.always(row.script())
    with pytest.raises(errors.APIError) as caught:
        client.models.generate_content(
            model="test-model", contents="Hello!", config={"http_options": {"retry_options": {"attempts": 1}}}
        )
    assert (caught.value.code, caught.value.status) == (row.status, row.body["error"]["status"])


def test_write_error_has_code_delay_and_request_id() -> None:
    told = json.loads(bytes(WIRE.write_error(429, "busy", code="A_CODE", wait=0.5, request_id="req-test").body))["error"]
    assert (told["code"], told["status"], told["message"]) == (429, "A_CODE", "busy")
    assert [detail.get("retryDelay") or detail.get("requestId") for detail in told["details"]] == ["0.5s", "req-test"]
