"""Requests of the anthropic package: messages of blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anthropic
from modelmesh_connector_anthropic import AnthropicProvider

from sdk_cases.questions import CHATS, HI, PIXEL, SCHEMA
from sdk_cases.vendor import KEY, Cannot, Vendor

MODEL = "claude-sonnet-5-5"
USAGE = {"input_tokens": 1, "output_tokens": 1}
MESSAGE = {"id": "msg_test", "type": "message", "role": "assistant", "model": MODEL, "stop_sequence": None}
ANSWER = {**MESSAGE, "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn", "usage": USAGE}
EVENTS = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_test","type":"message","role":"assistant",'
    b'"model":"claude-sonnet-5-5","content":[],"stop_reason":null,"stop_sequence":null,'
    b'"usage":{"input_tokens":1,"output_tokens":1}}}\n\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n'
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}\n\n'
    b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},'
    b'"usage":{"output_tokens":1}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)
LIMIT = 128000
"""Our token limit if the caller gives none, which is the model's maximum. The vendor requires a limit."""


def _chat(url: str, asked: Mapping[str, Any], streams: bool) -> None:
    with anthropic.Anthropic(
        api_key=KEY, base_url=url, max_retries=0, timeout=30
    ) as client:  # without a time, it refuses such limits
        answer = client.messages.create(model=MODEL, **asked, **({"stream": True} if streams else {}))
        if streams:
            list(answer)


def _hello(**parameters: Any) -> dict[str, Any]:
    return {"messages": [HI], "max_tokens": LIMIT, **parameters}


def _seen(source: Mapping[str, Any]) -> dict[str, Any]:
    said = [{"type": "text", "text": "What is it?"}, {"type": "image", "source": source}]
    return {"messages": [{"role": "user", "content": said}], "max_tokens": LIMIT}


WEATHER = {"name": "weather", "description": "Of today", "input_schema": SCHEMA}
TIME = {"name": "time", "description": "Of now", "input_schema": SCHEMA}
TOOLS = [WEATHER, TIME]
SAMPLING = Cannot("no sampling parameters in version 2026-10-21 of the API")
ASKED: Mapping[str, Mapping[str, Any] | Cannot] = {
    "plain": _hello(),
    "system": _hello(system="Be brief."),
    "developer": _hello(system="Be brief."),
    "turns": {**CHATS["turns"], "max_tokens": LIMIT},
    "temperature 0": SAMPLING,
    "top_p": SAMPLING,
    "one stop": _hello(stop_sequences=["END"]),
    "stops": _hello(stop_sequences=["END", "FIN"]),
    "max_tokens": {"messages": [HI], "max_tokens": 7},
    "max_completion_tokens": {"messages": [HI], "max_tokens": 7},
    "seed": SAMPLING,
    "penalties": SAMPLING,
    "two answers": Cannot("one answer to a question"),
    "logprobs": Cannot("no probabilities"),
    "effort": _hello(output_config={"effort": "high"}),
    "usage of a stream": _hello(),
    "user": _hello(metadata={"user_id": "someone"}),
    "tools": _hello(tools=TOOLS),
    "tools auto": _hello(tools=TOOLS, tool_choice={"type": "auto"}),
    "tools required": _hello(tools=TOOLS, tool_choice={"type": "any"}),
    "tools none": _hello(tools=TOOLS, tool_choice={"type": "none"}),
    "one tool": _hello(tools=TOOLS, tool_choice={"type": "tool", "name": "time"}),
    "one call at a time": _hello(tools=TOOLS, tool_choice={"type": "auto", "disable_parallel_tool_use": True}),
    "tool results": {
        "messages": [
            HI,
            {
                "role": "assistant",
                "content": [
                    {"type": "tool_use", "id": "callOslo1", "name": "weather", "input": {"city": "Oslo"}},
                    {"type": "tool_use", "id": "callRome2", "name": "time", "input": {"city": "Rome"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "callOslo1", "content": "rain"},
                    {"type": "tool_result", "tool_use_id": "callRome2", "content": "noon"},
                ],
            },
        ],
        "tools": TOOLS,
        "max_tokens": LIMIT,
    },
    "image at an address": _seen({"type": "url", "url": "https://example.org/a.png"}),
    "image as data": _seen({"type": "base64", "media_type": "image/png", "data": PIXEL}),
    "JSON": Cannot("JSON by a schema only"),
    "JSON schema": _hello(output_config={"format": {"type": "json_schema", "schema": SCHEMA}}),
}

ANTHROPIC = Vendor(
    name="anthropic",
    provider=AnthropicProvider,
    model=MODEL,
    headers=("content-type", "anthropic-version"),
    answer=ANSWER,
    events=EVENTS,
    asked=ASKED,
    chat=_chat,
)
