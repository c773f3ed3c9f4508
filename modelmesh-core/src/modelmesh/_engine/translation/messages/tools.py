"""Conversion of tools and of the tool choice of the Messages API to chat completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh._engine.translation.findings import Findings
from modelmesh._engine.translation.refusals import listed

_LOST = {
    "allowed_callers": "only Anthropic runs code that calls tools",
    "cache_control": "chat completions cache by content part",
    "defer_loading": "chat completions load every tool",
    "eager_input_streaming": "chat completions have no such setting",
    "input_examples": "chat completions have no examples of a tool",
}
_WORDS = {"auto": "auto", "any": "required", "none": "none"}


def chat_tooling(given: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    """Return ``tools``, ``tool_choice`` and ``parallel_tool_calls``, each only where the request has a value."""
    found: dict[str, Any] = {}
    tools = [made for tool in listed(given, "tools") if (made := _tool(tool, findings)) is not None]
    if tools:
        found["tools"] = tools
    choice = given.get("tool_choice")
    if not isinstance(choice, Mapping) or not tools:
        return found
    kind = choice.get("type")
    if kind == "tool":
        found["tool_choice"] = {"type": "function", "function": {"name": choice.get("name")}}
    else:
        found["tool_choice"] = _WORDS.get(str(kind), kind)
    if choice.get("disable_parallel_tool_use") is not None:
        found["parallel_tool_calls"] = not choice["disable_parallel_tool_use"]
    return found


def _tool(tool: Any, findings: Findings) -> Any:
    if not isinstance(tool, Mapping):
        return tool  # the vendor rejects it
    if tool.get("type") not in (None, "custom") or "input_schema" not in tool:
        findings.require_native(f"tools: the tool {tool.get('type')!r} is built into Anthropic's API")
        return None
    for name, why in _LOST.items():
        if tool.get(name) not in (None, False, [], ["direct"]):
            findings.lose(f"{name} of a tool", why)
    function = {"name": tool.get("name"), "description": tool.get("description"), "parameters": tool["input_schema"]}
    function["strict"] = tool.get("strict")
    return {"type": "function", "function": {name: value for name, value in function.items() if value is not None}}
