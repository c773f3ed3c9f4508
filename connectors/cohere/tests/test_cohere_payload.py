"""Requests to Cohere: conversion from OpenAI's format, and unsupported requests."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from modelmesh.errors import ProviderError

HI = [{"role": "user", "content": "Hello"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "function": {"name": "weather", "description": "d", "parameters": SCHEMA}}
CLOCK = {"type": "function", "function": {"name": "clock"}}
SENT_CLOCK = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
THOUGHT = {"type": "thinking", "thinking": "Let me see."}

UNCHANGED: list[dict[str, Any]] = [
    {"temperature": 0},
    {"temperature": 0.7, "seed": 0, "max_tokens": 64, "logprobs": True},
    {"frequency_penalty": 0, "presence_penalty": 1},
    {"k": 0, "p": 0.5, "stop_sequences": ["END"]},
    {"safety_mode": "STRICT", "documents": ["text", {"id": "d", "data": {"text": "x"}}], "citation_options": {"mode": "FAST"}},
    {"thinking": {"type": "enabled", "token_budget": 100}, "priority": 3},
    {"response_format": {"type": "json_object"}},
    {"response_format": {"type": "json_object", "json_schema": SCHEMA}},
    {"response_format": {"type": "text"}},
    {"of_tomorrow": {"x": None}, "raw_prompting": False},
    {"tools": [WEATHER], "tool_choice": "REQUIRED", "strict_tools": False},
]


@pytest.mark.parametrize("payload", UNCHANGED, ids="+".join)
def test_payload_cohere_and_unknown_fields_are_unchanged(
    payload: dict[str, Any], upstream: Any, made: Any, send: Any, reply: Any
) -> None:
    upstream.reply(reply({"type": "text", "text": "x"}))
    answer = send(made(), **payload)
    assert upstream.last.path == "/v2/chat"
    assert upstream.last.json == {"model": "command-a-03-2025", "messages": HI, **payload}
    assert answer.adapted == []


ADAPTED: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({"max_completion_tokens": 64}, {"max_tokens": 64}, ["max_completion_tokens sent as max_tokens"]),
    ({"max_completion_tokens": 64, "max_tokens": 9}, {"max_tokens": 64}, ["max_tokens dropped", "max_completion_tokens sent"]),
    ({"top_p": 0.5}, {"p": 0.5}, ["top_p sent as p"]),
    ({"top_p": 1}, {"p": 0.99}, ["top_p sent as p", "top_p 1 sent as 0.99"]),
    ({"top_p": 0.5, "p": 0.6}, {"p": 0.6}, ["top_p dropped: p was given too"]),
    ({"top_k": 0}, {"k": 0}, ["top_k sent as k"]),
    ({"stop": "END"}, {"stop_sequences": ["END"]}, ["stop sent as stop_sequences"]),
    ({"stop": ["A", "B"]}, {"stop_sequences": ["A", "B"]}, ["stop sent as stop_sequences"]),
    ({"frequency_penalty": 2, "presence_penalty": -1}, {"frequency_penalty": 1.0, "presence_penalty": 0.0}, ["frequency_penalty 2", "presence_penalty -1"]),
    ({"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}, ["reasoning_effort 'none' sent as thinking"]),
    ({"reasoning_effort": "high"}, {"thinking": {"type": "enabled"}}, ["reasoning_effort 'high' sent as thinking"]),
    ({"reasoning_effort": "low"}, {}, ["reasoning_effort 'low' dropped"]),
    ({"reasoning_effort": "high", "thinking": {"type": "disabled"}}, {"thinking": {"type": "disabled"}}, ["reasoning_effort dropped"]),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": SCHEMA}}},
        {"response_format": {"type": "json_object", "json_schema": SCHEMA}},
        ["response_format json_schema sent as json_object"],
    ),
    ({"n": 1}, {}, []),
    ({"stop": []}, {}, []),
    ({"stop": list("ABCDEF")}, {"stop_sequences": list("ABCDE")}, ["stop sequences after the first 5", "stop sent as"]),
    ({"top_logprobs": 2, "logit_bias": {"1": 1}, "user": "u", "store": None}, {}, ["top_logprobs", "logit_bias", "user"]),
    ({"stream_options": {"include_usage": True}}, {}, []),
    ({"tools": [WEATHER, CLOCK], "tool_choice": "auto", "parallel_tool_calls": True}, {"tools": [WEATHER, SENT_CLOCK]}, []),
    ({"tools": [WEATHER], "tool_choice": "required"}, {"tools": [WEATHER], "tool_choice": "REQUIRED"}, []),
    ({"tools": [WEATHER], "tool_choice": "none"}, {"tools": [WEATHER], "tool_choice": "NONE"}, []),
    ({"tools": [WEATHER], "parallel_tool_calls": False}, {"tools": [WEATHER]}, ["parallel_tool_calls dropped"]),
    (
        {"tools": [WEATHER, CLOCK], "tool_choice": {"type": "function", "function": {"name": "clock"}}},
        {"tools": [SENT_CLOCK], "tool_choice": "REQUIRED"},
        ["tool_choice of one function"],
    ),
    (
        {"tools": [WEATHER, CLOCK], "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [WEATHER]}}},
        {"tools": [WEATHER]},
        ["tool_choice.allowed_tools"],
    ),
    (
        {"tools": [{**CLOCK, "function": {"name": "clock", "strict": True}}]},
        {"tools": [SENT_CLOCK], "strict_tools": True},
        ["strict of the functions sent"],
    ),
    (
        {"tools": [WEATHER, {**CLOCK, "function": {"name": "clock", "strict": True}}]},
        {"tools": [WEATHER, SENT_CLOCK]},
        ["strict of some functions dropped"],
    ),
    (
        {"functions": [WEATHER["function"]], "function_call": {"name": "weather"}},
        {"tools": [WEATHER], "tool_choice": "REQUIRED"},
        ["functions sent as tools", "function_call sent", "tool_choice of one function"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("payload", "sent", "notes"), ADAPTED, ids=lambda value: "+".join(value) if isinstance(value, dict) else None
)
def test_payload_openai_parameters_are_converted(
    payload: dict[str, Any], sent: dict[str, Any], notes: list[str], upstream: Any, made: Any, send: Any, reply: Any
) -> None:
    upstream.reply(reply({"type": "text", "text": "x"}))
    given = copy.deepcopy(payload)
    answer = send(made(), **payload)
    assert upstream.last.json == {"model": "command-a-03-2025", "messages": HI, **sent}
    assert [note.startswith(start) for note, start in zip(answer.adapted, notes, strict=True)] == [True] * len(notes)
    assert payload == given


def test_payload_in_strict_pool_raises_instead_of_adapting(made: Any, send: Any, upstream: Any) -> None:
    with pytest.raises(ProviderError, match="the pool is strict") as caught:
        send(made(), strict=True, logit_bias={"1": 1})
    assert caught.value.failure == "capability"
    assert upstream.received == []


MESSAGES: dict[str, tuple[list[Any], list[Any], list[str]]] = {
    "system": ([{"role": "system", "content": "Be brief."}, *HI], [{"role": "system", "content": "Be brief."}, *HI], []),
    "developer": ([{"role": "developer", "content": "Be brief."}, *HI], [{"role": "system", "content": "Be brief."}, *HI], []),
    "two systems": (
        [{"role": "system", "content": "Be brief."}, {"role": "developer", "content": "Be kind."}, *HI],
        [{"role": "system", "content": "Be brief.\n\nBe kind."}, *HI],
        ["system messages joined"],
    ),
    "empty system": ([{"role": "system", "content": ""}, *HI], [*HI], ["blank messages left out"]),
    "late system": (
        [{"role": "system", "content": "A"}, *HI, {"role": "system", "content": [{"type": "text", "text": "B"}]}, *HI],
        [{"role": "system", "content": [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]}, *HI, *HI],
        ["system messages moved to the top (messages[2])", "system messages joined"],
    ),
    "parts": (
        [{"role": "user", "name": "ann", "content": ["What?", {"type": "text", "text": "It?"},
          {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}},
          {"type": "image_url", "image_url": "data:image/png;base64,AA=="}]}],
        [{"role": "user", "content": [{"type": "text", "text": "What?"}, {"type": "text", "text": "It?"},
          {"type": "image_url", "image_url": {"url": "https://example.org/a.png", "detail": "low"}},
          {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]}],
        ["name of messages left out"],
    ),
    "tools": (
        [*HI, {"role": "assistant", "content": None, "refusal": None, "audio": None, "tool_plan": "I look.", "tool_calls": [
            {**CALL, "index": 0}, {"id": "call_2", "function": {"name": "clock", "arguments": ""}},
            {"id": "call_3", "function": {"name": "clock", "arguments": {"zone": "é"}}}]},
         {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
         {"role": "tool", "tool_call_id": "call_2", "name": "clock", "content": [{"type": "text", "text": "noon"}]},
         {"role": "tool", "tool_call_id": "call_3", "content": None}],
        [*HI, {"role": "assistant", "tool_plan": "I look.", "tool_calls": [
            CALL, {"id": "call_2", "type": "function", "function": {"name": "clock", "arguments": "{}"}},
            {"id": "call_3", "type": "function", "function": {"name": "clock", "arguments": '{"zone": "é"}'}}]},
         {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
         {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "noon"}]},
         {"role": "tool", "tool_call_id": "call_3", "content": "(empty)"}],
        ["name of messages left out", "blank content sent as '(empty)'"],
    ),
    "functions of old": (
        [*HI, {"role": "assistant", "content": None, "function_call": {"name": "clock", "arguments": "{}"}},
         {"role": "function", "name": "clock", "content": "noon"}],
        [*HI, {"role": "assistant", "tool_calls": [
            {"id": "function_call_1", "type": "function", "function": {"name": "clock", "arguments": "{}"}}]},
         {"role": "tool", "tool_call_id": "function_call_1", "content": "noon"}],
        ["function_call sent as tool_calls", "the role function is sent as tool"],
    ),
    "thoughts": (
        [*HI, {"role": "assistant", "content": "It is so.", "thinking_blocks": [THOUGHT], "reasoning_content": "Let me see.",
               "citations": [{"start": 0, "end": 2, "text": "It"}]}, *HI],
        [*HI, {"role": "assistant", "content": [THOUGHT, {"type": "text", "text": "It is so."}],
               "citations": [{"start": 0, "end": 2, "text": "It"}]}, *HI],
        [],
    ),
    "thoughts of another vendor": (
        [*HI, {"role": "assistant", "content": "A", "thinking_blocks": [{**THOUGHT, "signature": "c2ln"}], "reasoning_content": "R"},
         {"role": "assistant", "content": "B", "reasoning_content": "R", "of_tomorrow": 1}],
        [*HI, {"role": "assistant", "content": "A"}, {"role": "assistant", "content": "B"}],
        ["of_tomorrow of messages left out", "thoughts that are not Cohere's left out"],
    ),
    "nothing said": ([*HI, {"role": "assistant", "content": ""}, *HI], [*HI, *HI], ["messages[1] (assistant) left out"]),
    "refusal": ([*HI, {"role": "assistant", "content": None, "refusal": "No."}], [*HI, {"role": "assistant", "content": "No."}], []),
}  # fmt: skip


@pytest.mark.parametrize("name", MESSAGES)
def test_payload_messages_are_converted(name: str, upstream: Any, made: Any, send: Any, reply: Any) -> None:
    given, sent, notes = MESSAGES[name]
    upstream.reply(reply({"type": "text", "text": "x"}))
    before = copy.deepcopy(given)
    answer = send(made(), messages=given)
    assert upstream.last.json["messages"] == sent
    assert [note.startswith(start) for note, start in zip(answer.adapted, notes, strict=True)] == [True] * len(notes)
    assert given == before


UNSAYABLE: dict[str, tuple[dict[str, Any], str]] = {
    "audio": ({"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]}, "capability"),
    "file": ({"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]}, "capability"),
    "part of tomorrow": ({"messages": [{"role": "user", "content": [{"type": "of_tomorrow"}]}]}, "capability"),
    "two choices": ({"n": 2}, "capability"),
    "custom tool": ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "capability"),
    "custom choice": ({"tool_choice": {"type": "custom", "custom": {"name": "x"}}}, "capability"),
    "a tool that is not there": ({"tools": [WEATHER], "tool_choice": {"function": {"name": "clock"}}}, "caller"),
    "no messages": ({"messages": []}, "caller"),
    "message": ({"messages": ["Hello"]}, "caller"),
    "call": ({"messages": [{"role": "assistant", "tool_calls": ["x"]}]}, "caller"),
    "tools": ({"tools": {"name": "x"}}, "caller"),
    "tool": ({"tools": ["x"]}, "caller"),
    "grammar": ({"response_format": {"type": "grammar", "grammar": "root ::= 'x'"}}, "capability"),
    "schema": ({"response_format": {"type": "json_schema", "json_schema": {"name": "n"}}}, "caller"),
}


@pytest.mark.parametrize("name", UNSAYABLE)
def test_payload_unsupported_request_raises_before_sending(name: str, upstream: Any, made: Any, send: Any) -> None:
    payload, kind = UNSAYABLE[name]
    with pytest.raises(ProviderError, match="Nothing was sent") as caught:
        send(made(), **payload)
    assert caught.value.failure == kind
    assert upstream.received == []


def test_payload_stream_items_are_sent_without_index(upstream: Any, made: Any, send: Any, reply: Any) -> None:
    upstream.reply(reply({"type": "text", "text": "x"}))
    citation = {"start": 0, "end": 1, "text": "W"}
    said = {
        "role": "assistant",
        "content": "Warm.",
        "thinking_blocks": [{**THOUGHT, "index": 0}],
        "citations": [{**citation, "index": 0}],
    }
    send(made(), messages=[*HI, said, *HI])
    turn = upstream.last.json["messages"][1]
    assert turn["content"] == [THOUGHT, {"type": "text", "text": "Warm."}]
    assert turn["citations"] == [citation]
