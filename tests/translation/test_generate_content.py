"""Requests and answers in Google's format: what becomes a chat completion, what is lost, and what Google's connector receives."""

from __future__ import annotations

from typing import Any

import pytest
from chats import call_of, chat, tool_call

from modelmesh._engine.translation import TRANSLATIONS
from modelmesh._engine.translation.generate_content.schemas import json_schema
from modelmesh.errors import BadRequestError

CONTENTS: list[Any] = [{"role": "user", "parts": [{"text": "a"}]}]
FUNCTIONS = [{"functionDeclarations": [{"name": "n", "parameters": {"type": "OBJECT"}}]}]


def translated(**given: Any) -> Any:
    return TRANSLATIONS["generate_content"].to_chat(call_of("generate_content", {"contents": CONTENTS, **given}))


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"topP": 0.5, "top_k": 3}, {"top_p": 0.5, "top_k": 3}),
        ({"maxOutputTokens": 5, "candidateCount": 2, "stopSequences": ["x"]}, {"max_tokens": 5, "n": 2, "stop": ["x"]}),
        ({"responseMimeType": "application/json"}, {"response_format": {"type": "json_object"}}),
        ({"thinkingConfig": {"thinkingBudget": 0}}, {"reasoning_effort": "none"}),
        ({"thinkingConfig": {"thinkingBudget": -1}}, {}),
        ({"thinkingConfig": {"thinkingLevel": "HIGH"}}, {"reasoning_effort": "high"}),
        ({"responseLogprobs": True, "logprobs": 2}, {"logprobs": True, "top_logprobs": 2}),
    ],
)
def test_settings_have_counterparts(config: dict[str, Any], expected: dict[str, Any]) -> None:
    payload = translated(generationConfig=config).payload
    assert {name: value for name, value in payload.items() if name != "messages"} == expected


@pytest.mark.parametrize(
    ("calling", "expected"),
    [
        ({"mode": "ANY"}, "required"),
        ({"mode": "NONE"}, "none"),
        ({"mode": "ANY", "allowedFunctionNames": ["n"]}, {"type": "function", "function": {"name": "n"}}),
    ],
)
def test_modes_of_calling_have_counterparts(calling: dict[str, Any], expected: Any) -> None:
    payload = translated(tools=FUNCTIONS, tool_config={"function_calling_config": calling}).payload
    assert payload["tool_choice"] == expected
    assert payload["tools"] == [{"type": "function", "function": {"name": "n", "parameters": {"type": "object"}}}]


def test_schema_becomes_json_schema() -> None:
    given = {
        "type": "OBJECT",
        "properties": {"type": {"type": "STRING", "enum": ["a"], "nullable": True}, "b": {"type": "ARRAY", "min_items": "1"}},
        "propertyOrdering": ["type", "b"],
    }
    assert json_schema(given) == {
        "type": "object",
        "properties": {"type": {"type": ["string", "null"], "enum": ["a", None]}, "b": {"type": "array", "minItems": 1}},
    }


def test_calls_without_ids_meet_their_results() -> None:
    calls = [{"functionCall": {"name": name, "args": {"a": name}}} for name in ("m", "n", "n")]
    results = [{"functionResponse": {"name": name, "response": {"output": name}}} for name in ("n", "m", "n")]
    contents = [*CONTENTS, {"role": "model", "parts": calls}, {"role": "user", "parts": [*results, {"text": "b"}]}]
    _, assistant, *rest = translated(contents=contents).payload["messages"]
    assert [call["id"] for call in assistant["tool_calls"]] == ["call_0", "call_1", "call_2"]
    assert [(one["role"], one.get("tool_call_id"), one["content"]) for one in rest] == [
        ("tool", "call_1", "n"),
        ("tool", "call_0", "m"),
        ("tool", "call_2", "n"),
        ("user", None, "b"),
    ]


@pytest.mark.parametrize(
    ("given", "lost", "native_only"),
    [
        ({"safetySettings": [{}], "labels": {"a": "b"}}, ["labels dropped", "safetySettings dropped"], ""),
        ({"generationConfig": {"speechConfig": {"a": 1}}}, ["generationConfig.speechConfig dropped"], ""),
        ({"tools": [{"googleSearch": {}}]}, [], "tools: googleSearch"),
        ({"cached_content": "c"}, [], "cachedContent"),
        ({"contents": [{"parts": [{"executableCode": {"code": "a"}}]}]}, [], "contents[0]: the part 'executableCode'"),
    ],
)
def test_losses_and_native_requests(given: dict[str, Any], lost: list[str], native_only: str) -> None:
    found = translated(**given)
    assert sorted(line.partition(":")[0] for line in found.lost) == lost
    assert found.native_only.startswith(native_only)
    assert bool(found.native_only) == bool(native_only)


def test_unknown_fields_keep_their_names() -> None:
    assert translated(new_field={"aB_c": 1}, system_instruction="s").payload["new_field"] == {"aB_c": 1}


def test_google_receives_its_own_body() -> None:
    given = {"systemInstruction": {"parts": [{"text": "s"}]}, "tools": [{"googleSearch": {}}], "new_field": {"aB_c": 1}}
    native = translated(generation_config={"maxOutputTokens": 5, "top_k": 3}, **given).native
    assert native == {"contents": CONTENTS, **given, "max_tokens": 5, "generation_config": {"top_k": 3}}


@pytest.mark.parametrize("contents", [[], None, 3, [{}], [{"parts": 3}], [{"parts": [{"functionResponse": {"name": "n"}}]}]])
def test_wrong_contents_are_refused(contents: Any) -> None:
    with pytest.raises(BadRequestError, match="Nothing was sent"):
        translated(contents=contents)


@pytest.mark.parametrize(
    ("reason", "expected"), [("stop", "STOP"), ("tool_calls", "STOP"), ("length", "MAX_TOKENS"), ("content_filter", "SAFETY")]
)
def test_answer_has_parts_reason_and_usage(reason: str, expected: str) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 2}}
    body = chat({"content": "a", "reasoning_content": "t", "tool_calls": [tool_call()]}, usage=usage)
    body["choices"][0]["finish_reason"] = reason
    found = TRANSLATIONS["generate_content"].from_chat(body, call_of("generate_content", {}))
    (candidate,) = found["candidates"]
    thought, text, called = candidate["content"]["parts"]
    assert (thought["text"], thought["thought"], text, candidate["finishReason"]) == ("t", True, {"text": "a"}, expected)
    assert called["functionCall"].keys() == {"id", "name", "args"}
    assert found["usageMetadata"] == {
        "promptTokenCount": 3,
        "candidatesTokenCount": 3,
        "totalTokenCount": 8,
        "thoughtsTokenCount": 2,
    }
