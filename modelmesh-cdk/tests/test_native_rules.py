"""Checks of requests in the native formats of Anthropic, Gemini and Cohere."""

from __future__ import annotations

from typing import Any

import pytest

from modelmesh_cdk.testing.dialects.anthropic_rules import anthropic_violations
from modelmesh_cdk.testing.dialects.cohere_rules import cohere_violations
from modelmesh_cdk.testing.dialects.gemini_rules import gemini_violations

HI = {"role": "user", "content": "Hi"}
USE = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]}
RESULT = {"type": "tool_result", "tool_use_id": "t", "content": "x"}
TEXT = {"type": "text", "text": "x"}
ASKS = {"role": "user", "parts": [{"text": "Hi"}]}
CALLS = {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]}
ANSWERS = {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLED = {"role": "assistant", "tool_calls": [CALL]}
TOLD = {"role": "tool", "tool_call_id": "c", "content": "x"}


def test_violations_of_valid_request_are_empty() -> None:
    assert (
        anthropic_violations({"messages": [HI, USE, {"role": "user", "content": [RESULT, TEXT]}], "stop_sequences": ["a"]}) == []
    )
    assert gemini_violations({"contents": [ASKS, CALLS, ANSWERS], "generationConfig": {"stopSequences": ["a"]}}) == []
    assert cohere_violations({"messages": [{"role": "system", "content": "s"}, HI, CALLED, TOLD], "stop_sequences": ["a"]}) == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": []},
        {"messages": ["Hi"]},
        {"messages": [{"role": "system", "content": "x"}]},
        {"messages": [{**HI, "name": "a"}]},
        {"messages": [{"role": "user", "content": " "}]},
        {"messages": [{"role": "user", "content": []}]},
        {"messages": [{"role": "user", "content": [TEXT, {"type": "text", "text": ""}]}]},
        {"messages": [{"role": "user", "content": [{"type": "video_url"}]}]},
        {"messages": [HI, {"role": "assistant", "content": [{"type": "thinking", "thinking": "t"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/bmp"}}]}]},
        {"messages": [{"role": "assistant", "content": "x"}]},
        {"messages": [HI, USE]},
        {"messages": [HI, USE, HI]},
        {"messages": [HI, {"role": "user", "content": [RESULT]}]},
        {"messages": [HI, USE, {"role": "user", "content": [TEXT, RESULT]}]},
        {"messages": [HI, USE, {"role": "user", "content": [RESULT]}, USE, {"role": "user", "content": [RESULT]}]},
        {"messages": [HI, {"role": "assistant", "content": "Sure: "}]},
        {
            "messages": [
                HI,
                {"role": "assistant", "content": [{**USE["content"][0], "input": "x"}]},
                {"role": "user", "content": [RESULT]},
            ]
        },
        {"messages": [HI], "system": ""},
        {"messages": [HI], "system": [{"type": "text", "text": " "}]},
        {"messages": [HI], "stop_sequences": ["\n"]},
        {"messages": [HI], "tools": []},
        {"messages": [HI], "tool_choice": {"type": "auto"}},
        {"messages": [HI], "n": 1},
    ],
)
def test_anthropic_violations_are_found(body: dict[str, Any]) -> None:
    assert anthropic_violations(body)


@pytest.mark.parametrize(
    "body",
    [
        {"contents": []},
        {"contents": [{"role": "user", "parts": []}]},
        {"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]},
        {"contents": [{"role": "user", "parts": [{"text": ""}]}]},
        {"contents": [{"role": "user", "parts": ["x"]}]},
        {"contents": [{"role": "user", "parts": [{"type": "document_url", "document_url": "x"}]}]},
        {"contents": [{"role": "user", "parts": [{"inlineData": {"mimeType": "image/gif", "data": "x"}}]}]},
        {"contents": [{"role": "user", "parts": [{"fileData": {"fileUri": "x"}}]}]},
        {"contents": [{"role": "model", "parts": [{"text": "x"}]}]},
        {"contents": [ASKS, CALLS]},
        {"contents": [ASKS, CALLS, ASKS]},
        {"contents": [ASKS, ANSWERS]},
        {"contents": [ASKS, {"role": "model", "parts": [{"functionCall": {"name": "f", "args": "x"}}]}, ANSWERS]},
        {"contents": [ASKS], "systemInstruction": {"parts": [{"text": ""}]}},
        {"contents": [ASKS], "generationConfig": {"stopSequences": list("abcdef")}},
    ],
)  # fmt: skip
def test_gemini_violations_are_found(body: dict[str, Any]) -> None:
    assert gemini_violations(body)


@pytest.mark.parametrize(
    "body",
    [
        {"messages": []},
        {"messages": [{"role": "developer", "content": "x"}]},
        {"messages": [{**HI, "name": "a"}]},
        {"messages": [{"role": "user", "content": ""}]},
        {"messages": [{"role": "user", "content": None}]},
        {"messages": [{"role": "user", "content": [{"type": "file"}]}]},
        {"messages": [HI, {"role": "assistant"}]},
        {"messages": [HI, {"role": "system", "content": "x"}]},
        {"messages": [{"role": "system", "content": "x"}]},
        {"messages": [HI, CALLED]},
        {"messages": [HI, CALLED, HI]},
        {"messages": [HI, TOLD]},
        {"messages": [HI, {"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "f", "arguments": "x"}}]}, TOLD]},
        {"messages": [HI], "stop_sequences": []},
    ],
)
def test_cohere_violations_are_found(body: dict[str, Any]) -> None:
    assert cohere_violations(body)
