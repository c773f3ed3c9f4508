"""Requests of the connector, compared with those of the anthropic package."""

from __future__ import annotations

from typing import Any

import pytest

anthropic = pytest.importorskip("anthropic")

MODEL = "claude-sonnet-5-5"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
HI = [{"role": "user", "content": "Hello"}]
SIGNED = {"type": "thinking", "thinking": "Let me see.", "signature": "c2lnbmVk"}
REDACTED = {"type": "redacted_thinking", "data": "b3BhcXVl"}

CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "text": ({"messages": HI, "max_tokens": 64}, {"messages": HI, "max_tokens": 64}),
    "prompt cache only": ({"messages": HI, "max_tokens": 0}, {"messages": HI, "max_tokens": 0}),
    "no limit given": ({"messages": HI}, {"messages": HI, "max_tokens": 128000}),
    "system": (
        {
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "developer", "content": "Be kind."}, *HI],
            "max_completion_tokens": 64,
        },
        {"messages": HI, "system": "Be brief.\n\nBe kind.", "max_tokens": 64},
    ),
    "cached system": (
        {
            "messages": [
                {
                    "role": "system",
                    "content": [{"type": "text", "text": "Long.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
                },
                *HI,
            ],
            "max_tokens": 64,
        },
        {
            "messages": HI,
            "system": [{"type": "text", "text": "Long.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
            "max_tokens": 64,
        },
    ),
    "turns": (
        {"messages": [*HI, {"role": "assistant", "content": "Hi."}, {"role": "user", "content": "And?"}], "max_tokens": 64},
        {"messages": [*HI, {"role": "assistant", "content": "Hi."}, {"role": "user", "content": "And?"}], "max_tokens": 64},
    ),
    "tools": (
        {
            "messages": [
                {"role": "user", "content": "Weather?"},
                {
                    "role": "assistant",
                    "content": "I look.",
                    "tool_calls": [
                        {
                            "id": "toolu_1",
                            "type": "function",
                            "function": {"name": "weather", "arguments": '{"city": "Oslo", "days": 0}'},
                        },
                        {"id": "toolu_2", "type": "function", "function": {"name": "time", "arguments": ""}},
                    ],
                },
                {"role": "tool", "tool_call_id": "toolu_1", "content": "rain"},
                {"role": "tool", "tool_call_id": "toolu_2", "content": [{"type": "text", "text": "noon"}]},
                {"role": "user", "content": "And?"},
            ],
            "tools": [
                {"type": "function", "function": {"name": "weather", "description": "d", "parameters": SCHEMA, "strict": True}},
                {"type": "function", "function": {"name": "time"}},
                {"type": "web_search_20260318", "name": "web_search", "max_uses": 2},
            ],
            "tool_choice": "required",
            "parallel_tool_calls": False,
            "max_tokens": 64,
        },
        {
            "messages": [
                {"role": "user", "content": "Weather?"},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "text", "text": "I look."},
                        {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo", "days": 0}},
                        {"type": "tool_use", "id": "toolu_2", "name": "time", "input": {}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "toolu_1", "content": "rain"},
                        {"type": "tool_result", "tool_use_id": "toolu_2", "content": [{"type": "text", "text": "noon"}]},
                    ],
                },
                {"role": "user", "content": "And?"},
            ],
            "tools": [
                {"name": "weather", "description": "d", "input_schema": SCHEMA, "strict": True},
                {"name": "time", "input_schema": {"type": "object", "properties": {}}},
                {"type": "web_search_20260318", "name": "web_search", "max_uses": 2},
            ],
            "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
            "max_tokens": 64,
        },
    ),
    "one tool": (
        {
            "messages": HI,
            "tools": [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}],
            "tool_choice": {"type": "function", "function": {"name": "weather"}},
            "max_tokens": 64,
        },
        {
            "messages": HI,
            "tools": [{"name": "weather", "input_schema": SCHEMA}],
            "tool_choice": {"type": "tool", "name": "weather"},
            "max_tokens": 64,
        },
    ),
    "images": (
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is it?"},
                        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
                        {"type": "image_url", "image_url": {"url": "https://example.org/a.jpg", "detail": "auto"}},
                        {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERg==", "filename": "a.pdf"}},
                        {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "x"}]},
                    ],
                }
            ],
            "max_tokens": 64,
        },
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is it?"},
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
                        {"type": "image", "source": {"type": "url", "url": "https://example.org/a.jpg"}},
                        {
                            "type": "document",
                            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="},
                            "title": "a.pdf",
                        },
                        {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "x"}]},
                    ],
                }
            ],
            "max_tokens": 64,
        },
    ),
    "thinking": (
        {
            "messages": [
                *HI,
                {
                    "role": "assistant",
                    "content": None,
                    "thinking_blocks": [SIGNED, REDACTED],
                    "reasoning_content": "Let me see.",
                    "tool_calls": [{"id": "toolu_1", "type": "function", "function": {"name": "time", "arguments": "{}"}}],
                },
                {"role": "tool", "tool_call_id": "toolu_1", "content": ""},
            ],
            "tools": [{"name": "time", "input_schema": {"type": "object"}}],
            "thinking": {"type": "enabled", "budget_tokens": 1024, "display": "summarized"},
            "max_tokens": 2048,
        },
        {
            "messages": [
                *HI,
                {
                    "role": "assistant",
                    "content": [SIGNED, REDACTED, {"type": "tool_use", "id": "toolu_1", "name": "time", "input": {}}],
                },
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": ""}]},
            ],
            "tools": [{"name": "time", "input_schema": {"type": "object"}}],
            "thinking": {"type": "enabled", "budget_tokens": 1024, "display": "summarized"},
            "max_tokens": 2048,
        },
    ),
    "stop": ({"messages": HI, "max_tokens": 64, "stop": "END"}, {"messages": HI, "max_tokens": 64, "stop_sequences": ["END"]}),
    "stops": (
        {"messages": HI, "max_tokens": 64, "stop": ["A", "B"]},
        {"messages": HI, "max_tokens": 64, "stop_sequences": ["A", "B"]},
    ),
    "output": (
        {
            "messages": HI,
            "max_tokens": 64,
            "reasoning_effort": "xhigh",
            "response_format": {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA, "strict": True}},
        },
        {
            "messages": HI,
            "max_tokens": 64,
            "output_config": {"effort": "xhigh", "format": {"type": "json_schema", "schema": SCHEMA}},
        },
    ),
    "native": (
        {
            "messages": HI,
            "max_tokens": 64,
            "safety_identifier": "u1",
            "service_tier": "standard_only",
            "cache_control": {"type": "ephemeral"},
            "inference_geo": "eu",
            "speed": "fast",
            "container": "container_1",
        },
        {
            "messages": HI,
            "max_tokens": 64,
            "metadata": {"user_id": "u1"},
            "service_tier": "standard_only",
            "cache_control": {"type": "ephemeral"},
            "inference_geo": "eu",
            "speed": "fast",
            "container": "container_1",
        },
    ),
}


def ours_and_theirs(vendor: Any, way: Any, settings: dict[str, Any], case: str, *, stream: bool) -> tuple[Any, Any]:
    ours, theirs = CASES[case]
    if stream:
        way.stream(settings, **ours)
    else:
        way.ask(settings, **ours)
    with anthropic.Anthropic(api_key="test-key", base_url=vendor.url, max_retries=0, timeout=30) as client:
        answer = client.messages.create(model=MODEL, **theirs, **({"stream": True} if stream else {}))
        if stream:
            assert [event.type for event in answer][-1] == "message_stop"
    return tuple(vendor.received)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_sdk_chat_request_is_identical(case: str, stream: bool, vendor: Any, config: Any, way: Any, wire: Any) -> None:
    if stream:
        vendor.answers(wire.sse(*wire.STREAMS["text"]))
        vendor.answers(wire.sse(*wire.STREAMS["text"]))
    ours, theirs = ours_and_theirs(vendor, way, config(), case, stream=stream)
    assert (ours.method, ours.path) == (theirs.method, theirs.path) == ("POST", "/v1/messages")
    assert ours.json == theirs.json
    for name in ("authorization", "anthropic-version", "content-type"):
        assert ours.headers[name] == theirs.headers[name], name
    # The SDK says application/json for streams too; we say what we read, and gateways that look at it are content.
    assert ours.headers["accept"] == ("text/event-stream" if stream else theirs.headers["accept"])


def test_sdk_environment_variables_are_identical(vendor: Any, way: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "test-key-of-environment")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", vendor.url)
    settings = {
        "providers": {"anthropic": {"connector": "anthropic.claude.v1"}},
        "models": {MODEL: {"provider": "anthropic", "capabilities": ["chat-completion"]}},
        "pools": {"chat": {"capability": "chat-completion"}},
    }
    ours, theirs = ours_and_theirs(vendor, way, settings, "text", stream=False)
    with anthropic.Anthropic(max_retries=0) as client:
        client.messages.create(model=MODEL, **CASES["text"][1])
    environment = vendor.received[-1]
    assert ours.headers["authorization"] == environment.headers["authorization"] == "Bearer test-key-of-environment"
    assert theirs.headers["authorization"] != ours.headers["authorization"]
    assert (ours.path, ours.json) == (environment.path, environment.json)


def test_sdk_request_of_older_version_is_identical(vendor: Any, config: Any, way: Any) -> None:
    way.ask(config(anthropic_version="2023-06-01"), messages=HI, max_tokens=64, temperature=0, top_p=0.5, top_k=3)
    with anthropic.Anthropic(
        api_key="test-key", base_url=vendor.url, max_retries=0, default_headers={"anthropic-version": "2023-06-01"}
    ) as client:
        sampling = {"temperature": 0, "top_p": 0.5, "top_k": 3}
        client.messages.create(model=MODEL, messages=HI, max_tokens=64, extra_body=sampling)
    ours, theirs = vendor.received
    assert ours.headers["anthropic-version"] == theirs.headers["anthropic-version"] == "2023-06-01"
    assert ours.headers["authorization"] == theirs.headers["authorization"]
    assert ours.json == theirs.json
    assert ours.json["temperature"] == 0
