"""Requests of the recordings in OpenAI's format: the calls that produce the recorded requests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

ANY = {"messages": [{"role": "user", "content": "Hello"}]}
"""Request for recordings without one."""


def asked(vendor: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the payload that produces a recorded body."""
    if not body:
        return dict(ANY)
    plain = {name: value for name, value in body.items() if name not in ("model", "stream")}
    return BY_VENDOR.get(vendor, dict)(plain)


def _mistral(body: Mapping[str, Any]) -> dict[str, Any]:
    renamed = {"random_seed": "seed"}
    return {renamed.get(name, name): "required" if value == "any" else value for name, value in body.items()}


def _cohere(body: Mapping[str, Any]) -> dict[str, Any]:
    return {{"stop_sequences": "stop"}.get(name, name): value for name, value in body.items()}


# -- Anthropic --------------------------------------------------------------------------------------------------------


def _anthropic(body: Mapping[str, Any]) -> dict[str, Any]:
    made = {name: value for name, value in body.items() if name not in ("system", "messages", "tools")}
    system = body.get("system")
    made["messages"] = [{"role": "system", "content": system}] if system else []
    for message in body["messages"]:
        made["messages"] += _turn(message)
    if "tools" in body:
        made["tools"] = [_function(tool) for tool in body["tools"]]
    return made


def _function(tool: Mapping[str, Any]) -> dict[str, Any]:
    about = {"name": tool["name"], "description": tool["description"], "parameters": tool["input_schema"]}
    beside = {name: value for name, value in tool.items() if name not in ("name", "description", "input_schema")}
    return {"type": "function", "function": about, **beside}


def _turn(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    blocks = message["content"]
    if isinstance(blocks, str):
        return [dict(message)]
    results = [block for block in blocks if block["type"] == "tool_result"]
    if results:
        kept = ("content", "cache_control")
        return [
            {
                "role": "tool",
                "tool_call_id": one["tool_use_id"],
                **{name: one[name] for name in kept if one.get(name) is not None},
            }
            for one in results
        ]
    calls = [block for block in blocks if block["type"] == "tool_use"]
    texts = [block for block in blocks if block["type"] == "text"]
    if not calls:
        return [{"role": message["role"], "content": texts}]
    return [{"role": "assistant", "content": texts[0]["text"], "tool_calls": [_call(one) for one in calls]}]


def _call(block: Mapping[str, Any]) -> dict[str, Any]:
    function = {"name": block["name"], "arguments": json.dumps(block["input"])}
    return {"id": block["id"], "type": "function", "function": function}


# -- Gemini -----------------------------------------------------------------------------------------------------------


def _google(body: Mapping[str, Any]) -> dict[str, Any]:
    system = body.get("systemInstruction", {}).get("parts", ())
    messages = [{"role": "system", "content": part["text"]} for part in system]
    messages += [{"role": "user", "content": _texts(content["parts"])} for content in body["contents"]]
    made: dict[str, Any] = {"messages": messages, **body.get("generationConfig", {})}
    declared = [one for tool in body.get("tools", ()) for one in tool["functionDeclarations"]]
    if declared:
        made["tools"] = [{"type": "function", "function": {**one, "parameters": lowered(one["parameters"])}} for one in declared]
    return made


def _texts(parts: Sequence[Mapping[str, Any]]) -> str:
    assert [set(part) for part in parts] == [{"text"}]
    return str(parts[0]["text"])


def lowered(schema: Any) -> Any:
    """Return a JSON schema for Google's ``Schema``, which has types in capitals."""
    if isinstance(schema, Mapping):
        return {name: value.lower() if name == "type" else lowered(value) for name, value in schema.items()}
    return schema


BY_VENDOR: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "mistral": _mistral,
    "cohere": _cohere,
    "anthropic": _anthropic,
    "google": _google,
}
