"""Parity with the vendor's SDK: equal requests for equal input, and equal parsing of responses."""

from __future__ import annotations

import base64
import json
import warnings
from typing import Any

import pytest
from modelmesh_connector_google import GoogleProvider

from modelmesh.contracts import CHAT, EMBEDDINGS
from modelmesh.contracts.call import Call, Limits

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    genai = pytest.importorskip("google.genai")
    types = pytest.importorskip("google.genai.types")

MODEL = "gemini-3.8-flash"
PIXEL = base64.b64encode(b"any image").decode()  # only characters common to both base64 alphabets: the SDK uses the URL-safe one
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
HI = [{"role": "user", "content": "Hello"}]
SAID = [{"role": "user", "parts": [{"text": "Hello"}]}]
SIGNATURE = base64.b64encode(b"signed").decode()

CASES: dict[str, tuple[dict[str, Any], Any, dict[str, Any]]] = {
    "text": ({"messages": HI}, SAID, {}),
    "system": (
        {"messages": [{"role": "system", "content": "Be brief."}, *HI]},
        SAID,
        {"system_instruction": {"parts": [{"text": "Be brief."}]}},
    ),
    "numbers": (
        {
            "messages": HI, "temperature": 0, "top_p": 0.5, "max_completion_tokens": 7, "stop": ["a"], "n": 2, "seed": 0,
            "presence_penalty": 0.5, "frequency_penalty": -0.5, "logprobs": True, "top_logprobs": 2,
        },
        SAID,
        {
            "temperature": 0, "top_p": 0.5, "max_output_tokens": 7, "stop_sequences": ["a"], "candidate_count": 2, "seed": 0,
            "presence_penalty": 0.5, "frequency_penalty": -0.5, "response_logprobs": True, "logprobs": 2,
        },
    ),
    "schema": (
        {"messages": HI, "response_format": {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA}}},
        SAID,
        {"response_mime_type": "application/json", "response_json_schema": SCHEMA},
    ),
    "thinking": (
        {"messages": HI, "reasoning_effort": "low"},
        SAID,
        {"thinking_config": {"thinking_level": "LOW"}},
    ),
    "own fields": (
        {
            "messages": HI, "service_tier": "flex", "store": False, "cachedContent": "cachedContents/test",
            "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}],
        },
        SAID,
        {
            "service_tier": "flex", "store": False, "cached_content": "cachedContents/test",
            "safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}],
        },
    ),
    "image": (
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
                        {"type": "image_url", "image_url": {"url": "https://example.org/a.jpg"}},
                    ],
                }
            ]
        },
        [
            {
                "role": "user",
                "parts": [
                    types.Part.from_bytes(data=base64.b64decode(PIXEL), mime_type="image/png"),
                    types.Part.from_uri(file_uri="https://example.org/a.jpg"),
                ],
            }
        ],
        {},
    ),
    "tools": (
        {
            "messages": [
                *HI,
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "fc-1",
                            "type": "function",
                            "function": {"name": "weather", "arguments": '{"city": "Oslo", "days": 0}'},
                            "extra_content": {"google": {"thought_signature": SIGNATURE}},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "fc-1", "content": "rain"},
            ],
            "tools": [{"type": "function", "function": {"name": "weather", "description": "d", "parameters": SCHEMA}}],
            "tool_choice": {"type": "function", "function": {"name": "weather"}},
        },
        [
            *SAID,
            types.Content(
                role="model",
                parts=[
                    types.Part(
                        function_call=types.FunctionCall(id="fc-1", name="weather", args={"city": "Oslo", "days": 0}),
                        thought_signature=b"signed",
                    )
                ],
            ),
            types.Content(
                role="user",
                parts=[
                    types.Part(function_response=types.FunctionResponse(id="fc-1", name="weather", response={"output": "rain"}))
                ],
            ),
        ],
        {
            "tools": [
                {"function_declarations": [{"name": "weather", "description": "d", "parameters_json_schema": SCHEMA}]}
            ],
            "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["weather"]}},
        },
    ),
}  # fmt: skip


@pytest.fixture
def sdk(upstream: Any) -> Any:
    return genai.Client(api_key="test-key", http_options={"base_url": upstream.url})


def wire(request: Any) -> tuple[Any, ...]:
    body = spelled(request.json)
    if body.get("generationConfig") == {}:  # the SDK sends an empty object
        del body["generationConfig"]
    return request.method, request.path, request.headers["x-goog-api-key"], body


def spelled(value: Any) -> Any:
    """Normalize field names: the SDK mixes both spellings that Google's JSON accepts."""
    if isinstance(value, list):
        return [spelled(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        "".join(word if place == 0 else word.capitalize() for place, word in enumerate(name.split("_"))): spelled(item)
        for name, item in value.items()
    }


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", CASES)
def test_sdk_chat_request_is_identical(upstream: Any, sdk: Any, answer: Any, name: str, stream: bool) -> None:
    payload, contents, config = CASES[name]
    body = answer({"text": "Hi."})
    provider = GoogleProvider(api_key="test-key", base_url=upstream.url)
    for _ in range(2):
        if stream:
            upstream.stream([b"data: " + json.dumps(body).encode() + b"\r\n\r\n"])
        else:
            upstream.reply(body)
    if stream:
        list(sdk.models.generate_content_stream(model=MODEL, contents=contents, config=config))
        list(provider.send(Call(CHAT, "chat", payload, stream=True), MODEL, Limits()))
    else:
        sdk.models.generate_content(model=MODEL, contents=contents, config=config)
        provider.send(Call(CHAT, "chat", payload), MODEL, Limits())
    theirs, ours = upstream.received
    assert wire(ours) == wire(theirs)


def test_sdk_embed_request_is_identical(upstream: Any, sdk: Any) -> None:
    vectors = {"embeddings": [{"values": [0.5]}, {"values": [1.0]}]}
    upstream.reply(vectors).reply(vectors)
    theirs = sdk.models.embed_content(
        model="gemini-embedding-001", contents=["a", "b"], config={"output_dimensionality": 1, "task_type": "RETRIEVAL_QUERY"}
    )
    payload = {"input": ["a", "b"], "dimensions": 1, "taskType": "RETRIEVAL_QUERY"}
    ours = GoogleProvider(api_key="test-key", base_url=upstream.url).send(
        Call(EMBEDDINGS, "vectors", payload), "gemini-embedding-001", Limits()
    )
    assert wire(upstream.received[1]) == wire(upstream.received[0])
    assert [row["embedding"] for row in ours.body["data"]] == [row.values for row in theirs.embeddings]


def test_sdk_finish_reasons_are_all_mapped() -> None:
    from modelmesh_connector_google.answers import BROKEN, FINISH, NO_REASON

    assert {word.value for word in types.FinishReason} <= FINISH.keys() | BROKEN | NO_REASON


def test_sdk_response_is_parsed_identically(upstream: Any, sdk: Any, answer: Any) -> None:
    used = {
        "promptTokenCount": 5, "candidatesTokenCount": 9, "thoughtsTokenCount": 3, "totalTokenCount": 17, "cachedContentTokenCount": 4,
    }  # fmt: skip
    body = answer(
        {"text": "Hm.", "thought": True},
        {"text": "I look."},
        {"functionCall": {"id": "fc-1", "name": "weather", "args": {"city": "Oslo"}}, "thoughtSignature": SIGNATURE},
        usage=used,
    )
    upstream.reply(body).reply(body)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = sdk.models.generate_content(model=MODEL, contents="Hello")
        text = "".join(part.text for part in theirs.candidates[0].content.parts if part.text and not part.thought)
    ours = (
        GoogleProvider(api_key="test-key", base_url=upstream.url).send(Call(CHAT, "chat", {"messages": HI}), MODEL, Limits()).body
    )
    message = ours["choices"][0]["message"]
    call = message["tool_calls"][0]
    assert message["content"] == text
    assert (ours["id"], ours["model"]) == (theirs.response_id, theirs.model_version)
    assert [(call["id"], call["function"]["name"], json.loads(call["function"]["arguments"]))] == [
        (one.id, one.name, one.args) for one in theirs.function_calls
    ]
    signature = theirs.candidates[0].content.parts[2].thought_signature
    assert base64.b64decode(call["extra_content"]["google"]["thought_signature"]) == signature
    assert ours["usage"]["total_tokens"] == theirs.usage_metadata.total_token_count
    assert ours["usage"]["prompt_tokens"] + ours["usage"]["completion_tokens"] == ours["usage"]["total_tokens"]
