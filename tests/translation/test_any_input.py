"""Requests and answers with one value of a wrong type: a translation, or an error of the caller."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from chats import USAGE, call_of, chat, chunks_of, tool_call

from modelmesh._engine.translation import TRANSLATIONS
from modelmesh.errors import BadRequestError

ODD: tuple[Any, ...] = (None, True, 3, "a", "modelmesh.v1.e30=", [], [None], ["a"], {}, {"type": "a"}, {"type": ["a"]})
PICTURE = {"type": "base64", "media_type": "image/png", "data": "AA=="}
REQUESTS: dict[str, dict[str, Any]] = {
    "responses": {
        "input": [
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": "u"}],
            },
            {"role": "user", "content": [{"type": "input_file", "file_id": "f@a", "filename": "b"}]},
            {
                "type": "reasoning",
                "id": "rs_mesh_1",
                "summary": [{"type": "summary_text", "text": "a"}],
                "encrypted_content": "x",
            },
            {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "a"}]},
            {"type": "function_call", "call_id": "c", "name": "n", "arguments": "{}", "caller": {"type": "direct"}},
            {"type": "custom_tool_call", "call_id": "d", "name": "n", "input": "x"},
            {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "a"}]},
        ],
        "instructions": "a",
        "tools": [
            {"type": "function", "name": "n", "parameters": {}},
            {"type": "custom", "name": "m", "format": {"type": "grammar"}},
        ],
        "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "n"}]},
        "text": {"format": {"type": "json_schema", "name": "n", "schema": {}}, "verbosity": "low"},
        "reasoning": {"effort": "low"},
        "include": ["message.output_text.logprobs"],
        "max_output_tokens": 5,
        "top_logprobs": 2,
        "metadata": {"a": "b"},
        "conversation": {"id": "conv_1"},
        "prompt": {"id": "p"},
        "stream_options": {"include_obfuscation": False},
        "previous_response_id": "resp_1",
    },
    "messages": {
        "max_tokens": 5,
        "system": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {
                "role": "user",
                "content": [{"type": "image", "source": PICTURE}, {"type": "document", "source": PICTURE, "title": "t"}],
            },
            {
                "role": "user",
                "content": [{"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "a"}]}}],
            },
            {
                "role": "user",
                "content": [{"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "a"}]}],
            },
            {"role": "user", "content": [{"type": "image", "source": {"type": "file", "file_id": "f@a"}}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "a", "signature": "s"},
                    {"type": "redacted_thinking", "data": "s"},
                    {"type": "text", "text": "a"},
                    {"type": "tool_use", "id": "t", "name": "n", "input": {"a": 1}, "caller": {"type": "direct"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "a"}], "is_error": True}
                ],
            },
        ],
        "tools": [{"name": "n", "input_schema": {}, "description": "d"}],
        "tool_choice": {"type": "tool", "name": "n", "disable_parallel_tool_use": True},
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {}}},
        "metadata": {"user_id": "u"},
        "stop_sequences": ["x"],
        "service_tier": "auto",
        "container": "c",
    },
    "completions": {
        "prompt": ["a"],
        "echo": True,
        "logprobs": 2,
        "n": 2,
        "best_of": 3,
        "max_tokens": 5,
        "suffix": "s",
        "stop": ["x"],
    },
}
REQUESTS["generate_content"] = {
    "systemInstruction": {"parts": [{"text": "a"}]},
    "contents": [
        {
            "role": "user",
            "parts": [
                {"text": "a"},
                {"inlineData": {"mimeType": "image/png", "data": "AA-_"}},
                {"inline_data": {"mime_type": "application/pdf", "data": "AA=="}},
                {"fileData": {"fileUri": "https://a.example/b.mp4", "mimeType": "video/mp4"}, "videoMetadata": {"fps": 1}},
            ],
        },
        {
            "role": "model",
            "parts": [
                {"text": "a", "thought": True, "thoughtSignature": "AA=="},
                {"text": "b"},
                {"functionCall": {"name": "n", "args": {"a": 1}, "id": "c"}},
                {"functionCall": {"name": "n"}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "n", "id": "c", "response": {"output": "a"}}},
                {"functionResponse": {"name": "n", "response": {"a": 1}, "parts": [{"inlineData": {"mimeType": "image/png"}}]}},
            ],
        },
    ],
    "tools": [
        {"functionDeclarations": [{"name": "n", "parameters": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}}]}
    ],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["n"]}},
    "safetySettings": [{"category": "a", "threshold": "b"}],
    "generationConfig": {
        "temperature": 1,
        "candidateCount": 2,
        "maxOutputTokens": 5,
        "stopSequences": ["x"],
        "responseMimeType": "application/json",
        "responseSchema": {"type": "ARRAY", "items": {"type": "STRING", "nullable": True, "enum": ["a"]}, "minItems": "1"},
        "thinkingConfig": {"thinkingBudget": 100, "includeThoughts": True},
        "responseModalities": ["TEXT"],
        "logprobs": 2,
    },
    "cachedContent": "c",
}
LOGPROBS = {"content": [{"token": "a", "logprob": -1.0, "top_logprobs": [{"token": "b", "logprob": -2.0, "bytes": None}]}]}
MESSAGE = {
    "content": "ab",
    "refusal": "c",
    "reasoning_content": "d",
    "thinking_blocks": [{"type": "thinking", "thinking": "d", "index": 0}],
    "annotations": [{"type": "url_citation", "url_citation": {"url": "u"}}],
    "tool_calls": [tool_call(extra={"a": 1}), {"id": "c", "type": "custom", "custom": {"name": "n", "input": "x"}}],
    "connector": "test.vendor.v1",
}


def variants(value: Any) -> Iterator[Any]:
    """Yield copies of a value with one part of it replaced by each odd value."""
    if isinstance(value, dict):
        for name, part in value.items():
            for odd in (*ODD, *variants(part)):
                yield {**value, name: odd}
    elif isinstance(value, list):
        for place, part in enumerate(value):
            for odd in (*ODD, *variants(part)):
                yield [*value[:place], odd, *value[place + 1 :]]


@pytest.mark.parametrize("name", TRANSLATIONS)
def test_any_request_is_translated_or_refused(name: str) -> None:
    for payload in variants(REQUESTS[name]):
        call = call_of(name, deepcopy(payload), stream=True)
        with suppress(BadRequestError):
            found = TRANSLATIONS[name].to_chat(call)
            json.dumps([found.payload, found.native])
        assert call.payload == payload
        json.dumps(TRANSLATIONS[name].from_chat(chat({"content": "a"}), call))


@pytest.mark.parametrize("name", TRANSLATIONS)
def test_any_answer_is_translated(name: str) -> None:
    body = chat(MESSAGE, usage=USAGE, service_tier="default")
    body["choices"][0]["logprobs"] = LOGPROBS
    call = call_of(name, REQUESTS[name], stream=True)
    for odd in variants(body):
        whole = deepcopy(odd)
        json.dumps(TRANSLATIONS[name].from_chat(whole, call))
        assert whole == odd


@pytest.mark.parametrize("name", TRANSLATIONS)
def test_any_chunk_is_translated(name: str) -> None:
    call = call_of(name, REQUESTS[name], stream=True)
    chunks = chunks_of(chat(MESSAGE), [9])
    for place, chunk in enumerate(chunks):
        for odd in variants(chunk):
            stream = TRANSLATIONS[name].stream(call)
            items = [item for one in (*chunks[:place], odd, *chunks[place + 1 :]) for item in stream.feed(deepcopy(one))]
            json.dumps(items + stream.end())
