"""Parity with the vendor's SDK: equal requests for equal input, and equal parsing of responses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from modelmesh_connector_cohere import CohereProvider

from modelmesh.errors import ProviderError
from modelmesh_cdk.testing import Script

cohere = pytest.importorskip("cohere")

# The SDK's models support pydantic 1 and 2, which causes warnings with newer versions of Python and pydantic.
pytestmark = pytest.mark.filterwarnings("ignore")

MODEL = "command-a-03-2025"
HI = [{"role": "user", "content": "Hello"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "function": {"name": "weather", "description": "d", "parameters": SCHEMA}}
CALL = {"id": "weather_0", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
THOUGHT = {"type": "thinking", "thinking": "Let me see."}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}}

CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "text": ({"messages": HI}, {"messages": HI}),
    "system": (
        {"messages": [{"role": "developer", "content": "Be brief."}, *HI]},
        {"messages": [{"role": "system", "content": "Be brief."}, *HI]},
    ),
    "sampling": (
        {
            "messages": HI, "temperature": 0, "top_p": 0.5, "top_k": 3, "seed": 0, "max_completion_tokens": 64, "stop": "END",
            "frequency_penalty": 0.5, "presence_penalty": 0.0, "logprobs": True,
        },
        {
            "messages": HI, "temperature": 0, "p": 0.5, "k": 3, "seed": 0, "max_tokens": 64, "stop_sequences": ["END"],
            "frequency_penalty": 0.5, "presence_penalty": 0.0, "logprobs": True,
        },
    ),
    "tools": (
        {
            "messages": [
                {"role": "user", "content": "Weather?"},
                {"role": "assistant", "content": None, "tool_plan": "I look.", "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "weather_0", "content": "rain"},
            ],
            "tools": [{"type": "function", "function": {**WEATHER["function"], "strict": True}}],  # type: ignore[dict-item]
            "tool_choice": "required",
        },
        {
            "messages": [
                {"role": "user", "content": "Weather?"},
                {"role": "assistant", "tool_plan": "I look.", "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "weather_0", "content": "rain"},
            ],
            "tools": [WEATHER],
            "strict_tools": True,
            "tool_choice": "REQUIRED",
        },
    ),
    "images": (
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "What?"}, IMAGE]}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "What?"}, IMAGE]}]},
    ),
    "thinking": (
        {"messages": [*HI, {"role": "assistant", "content": "A", "thinking_blocks": [THOUGHT]}, *HI], "reasoning_effort": "none"},
        {
            "messages": [*HI, {"role": "assistant", "content": [THOUGHT, {"type": "text", "text": "A"}]}, *HI],
            "thinking": {"type": "disabled"},
        },
    ),
    "json": (
        {"messages": HI, "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}},
        {"messages": HI, "response_format": {"type": "json_object", "json_schema": SCHEMA}},
    ),
    "native": (
        {
            "messages": HI, "documents": [{"data": {"text": "x"}, "id": "d"}], "citation_options": {"mode": "FAST"},
            "safety_mode": "STRICT", "priority": 3, "thinking": {"type": "enabled", "token_budget": 9},
        },
        {
            "messages": HI, "documents": [{"data": {"text": "x"}, "id": "d"}], "citation_options": {"mode": "FAST"},
            "safety_mode": "STRICT", "priority": 3, "thinking": {"type": "enabled", "token_budget": 9},
        },
    ),
}  # fmt: skip


@pytest.fixture
def sdk(upstream: Any) -> Iterator[Any]:
    """Return a client of the SDK for the fake vendor. The fixture closes it."""
    with ExitStack() as opened:
        settings = {"api_key": "test-key", "base_url": upstream.url, "max_retries": 0}
        yield lambda **more: opened.enter_context(cohere.ClientV2(**{**settings, **more}))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_sdk_chat_request_is_identical(
    case: str, stream: bool, upstream: Any, made: Any, send: Any, reply: Any, wire: Any, sdk: Any
) -> None:
    ours, theirs = CASES[case]
    whole = Script(body=json.dumps(reply({"type": "text", "text": "x"})).encode())
    upstream.always(Script(body=[wire.STREAMS["text"]], content_type="text/event-stream") if stream else whole)
    send(made(client_name="test"), stream=stream, **ours)
    client = sdk(client_name="test")
    if stream:
        assert [event.type for event in client.chat_stream(model=MODEL, **theirs)][-1] == "message-end"
    else:
        client.chat(model=MODEL, **theirs)
    first, second = upstream.received
    assert (first.method, first.path) == (second.method, second.path) == ("POST", "/v2/chat")
    # The SDK sends ``stream: false``, which equals the default.
    assert {"stream": False, **first.json} == {"stream": False, **second.json}
    for name in ("authorization", "content-type", "x-client-name"):
        assert first.headers[name] == second.headers[name], name


def test_sdk_embed_request_is_identical(upstream: Any, made: Any, embed: Any, sdk: Any) -> None:
    body = {"id": "x", "embeddings": {"float": [[0.5, -1.0], [0.0, 1.0]]}, "meta": {"billed_units": {"input_tokens": 2}}}
    upstream.reply(body).reply(body)
    ours = embed(made(), input=["a", "b"], dimensions=256, truncate="END").body
    theirs = sdk().embed(
        model=MODEL,
        texts=["a", "b"],
        input_type="search_document",
        embedding_types=["float"],
        output_dimension=256,
        truncate="END",
    )
    first, second = upstream.received
    assert first.path == second.path == "/v2/embed"
    assert first.json == second.json
    assert [row["embedding"] for row in ours["data"]] == theirs.embeddings.float_


def test_sdk_response_is_parsed_identically(upstream: Any, made: Any, send: Any, reply: Any, sdk: Any) -> None:
    citation = {"start": 0, "end": 2, "text": "It", "sources": [{"type": "document", "id": "d", "document": {"t": "x"}}]}
    body = reply(
        THOUGHT, {"type": "text", "text": "It is ✓"}, message={"tool_calls": [CALL], "tool_plan": "P", "citations": [citation]}
    )
    upstream.reply(body).reply(body)
    ours, theirs = send(made()).body, sdk().chat(model=MODEL, messages=HI)
    message = ours["choices"][0]["message"]
    assert ours["id"] == theirs.id
    assert message["content"] == theirs.message.content[1].text
    assert message["reasoning_content"] == theirs.message.content[0].thinking
    assert message["tool_calls"][0]["function"]["arguments"] == theirs.message.tool_calls[0].function.arguments
    assert message["tool_plan"] == theirs.message.tool_plan
    assert message["citations"][0]["text"] == theirs.message.citations[0].text
    assert ours["usage"]["prompt_tokens"] == theirs.usage.tokens.input_tokens
    assert ours["choices"][0]["stop_reason"] == theirs.finish_reason


def test_sdk_stream_is_parsed_identically(recorded: tuple[str, bytes], upstream: Any, made: Any, send: Any, sdk: Any) -> None:
    upstream.always(Script(body=[recorded[1]], content_type="text/event-stream"))
    text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in send(made(), stream=True))
    events = list(sdk().chat_stream(model=MODEL, messages=HI))
    assert text == "".join(event.delta.message.content.text or "" for event in events if event.type == "content-delta")
    assert events[0].type == "message-start"


REFUSED = {
    400: "BadRequestError",
    401: "UnauthorizedError",
    404: "NotFoundError",
    422: "UnprocessableEntityError",
    498: "InvalidTokenError",
}


@pytest.mark.parametrize("status", REFUSED)
def test_sdk_error_status_is_identical(status: int, upstream: Any, made: Any, send: Any, sdk: Any) -> None:
    body = {"id": "req-test", "message": "no"}
    upstream.reply(body, status).reply(body, status)
    with pytest.raises(ProviderError) as ours:
        send(made())
    with pytest.raises(getattr(cohere.errors, REFUSED[status])) as theirs:
        sdk().chat(model=MODEL, messages=HI)
    assert (ours.value.status, ours.value.body) == (theirs.value.status_code, theirs.value.body)


@pytest.mark.parametrize("variable", ["CO_API_KEY", "COHERE_API_KEY"])
def test_sdk_key_variables_are_identical(variable: str, upstream: Any, send: Any, reply: Any, monkeypatch: Any, sdk: Any) -> None:
    monkeypatch.setenv(variable, "test-of-the-variable")
    upstream.always(Script(body=json.dumps(reply({"type": "text", "text": "x"})).encode()))
    send(CohereProvider({"base_url": upstream.url}))
    sdk(api_key=None).chat(model=MODEL, messages=HI)
    assert [one.headers["authorization"] for one in upstream.received] == ["Bearer test-of-the-variable"] * 2


def test_sdk_default_address_is_identical() -> None:
    with cohere.ClientV2(api_key="test-key") as client:
        root = client._client_wrapper.get_base_url().rstrip("/")
    assert CohereProvider({"api_key": "test-key"})._get_completion_endpoint() == f"{root}/v2/chat"
