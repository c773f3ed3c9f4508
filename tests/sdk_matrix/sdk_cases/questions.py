"""Requests in OpenAI's format, as our callers write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
HI = {"role": "user", "content": "Hello"}
WEATHER = {"type": "function", "function": {"name": "weather", "description": "Of today", "parameters": SCHEMA}}
TIME = {"type": "function", "function": {"name": "time", "description": "Of now", "parameters": SCHEMA}}
TOOLS = [WEATHER, TIME]
OSLO = {"id": "callOslo1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}
ROME = {"id": "callRome2", "type": "function", "function": {"name": "time", "arguments": '{"city": "Rome"}'}}
PLACE = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA, "strict": True}}


def _image(url: str) -> dict[str, Any]:
    seen = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}]
    return {"messages": [{"role": "user", "content": seen}]}


def _hello(**parameters: Any) -> dict[str, Any]:
    return {"messages": [HI], **parameters}


CHATS: Mapping[str, Mapping[str, Any]] = {
    "plain": _hello(),
    "system": {"messages": [{"role": "system", "content": "Be brief."}, HI]},
    "developer": {"messages": [{"role": "developer", "content": "Be brief."}, HI]},
    "turns": {"messages": [HI, {"role": "assistant", "content": "Hi."}, {"role": "user", "content": "And?"}]},
    "temperature 0": _hello(temperature=0),
    "top_p": _hello(top_p=0.5),
    "one stop": _hello(stop="END"),
    "stops": _hello(stop=["END", "FIN"]),
    "max_tokens": _hello(max_tokens=7),
    "max_completion_tokens": _hello(max_completion_tokens=7),
    "seed": _hello(seed=0),
    "penalties": _hello(presence_penalty=0.5, frequency_penalty=0.25),
    "two answers": _hello(n=2),
    "logprobs": _hello(logprobs=True, top_logprobs=2),
    "effort": _hello(reasoning_effort="high"),
    "user": _hello(user="someone"),
    "tools": _hello(tools=TOOLS),
    "tools auto": _hello(tools=TOOLS, tool_choice="auto"),
    "tools required": _hello(tools=TOOLS, tool_choice="required"),
    "tools none": _hello(tools=TOOLS, tool_choice="none"),
    "one tool": _hello(tools=TOOLS, tool_choice={"type": "function", "function": {"name": "time"}}),
    "one call at a time": _hello(tools=TOOLS, tool_choice="auto", parallel_tool_calls=False),
    "tool results": {
        "messages": [
            HI,
            {"role": "assistant", "content": None, "tool_calls": [OSLO, ROME]},
            {"role": "tool", "tool_call_id": "callOslo1", "content": "rain"},
            {"role": "tool", "tool_call_id": "callRome2", "content": "noon"},
        ],
        "tools": TOOLS,
    },
    "image at an address": _image("https://example.org/a.png"),
    "image as data": _image(f"data:image/png;base64,{PIXEL}"),
    "usage of a stream": _hello(stream_options={"include_usage": True}),
    "JSON": _hello(response_format={"type": "json_object"}),
    "JSON schema": _hello(response_format=PLACE),
}

EMBEDDINGS: Mapping[str, Mapping[str, Any]] = {
    "one text": {"input": ["Hello"], "encoding_format": "float"},
    "texts": {"input": ["Hello", "Bye"], "encoding_format": "float"},
    "dimensions": {"input": ["Hello"], "encoding_format": "float", "dimensions": 256},
}
