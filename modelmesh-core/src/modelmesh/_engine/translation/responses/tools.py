"""Conversion of tools and of the tool choice of the Responses API to chat completions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelmesh._engine.translation.chat_answers import as_list
from modelmesh._engine.translation.findings import Findings

_FUNCTION = ("name", "description", "parameters", "strict")
_LOST = {
    "allowed_callers": "only the Responses API has programs that call tools",
    "async": "chat completions have no asynchronous tools",
    "defer_loading": "chat completions load every tool",
    "output_schema": "chat completions have no schema of results",
}
_WORDS = ("none", "auto", "required")


def chat_tools(tools: Sequence[Any], findings: Findings) -> list[Any]:
    """Return the functions and custom tools in the format of chat completions. Built-in tools require a native provider."""
    found = []
    for tool in tools:
        kind = tool.get("type") if isinstance(tool, Mapping) else None
        if kind == "function" and isinstance(tool.get("function"), Mapping):
            found.append(tool)  # the format of chat completions, which the openai package also accepts
        elif kind == "function":
            found.append({"type": "function", "function": _given(tool, _FUNCTION)})
        elif kind == "custom":
            found.append({"type": "custom", "custom": _custom(tool)})
        else:
            findings.require_native(f"tools: the tool {kind!r} is built into OpenAI's Responses API")
            continue
        for name, why in _LOST.items():
            if tool.get(name) not in (None, False, [], ["direct"]):
                findings.lose(f"{name} of a tool", why)
    return found


def _given(tool: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: tool[name] for name in names if tool.get(name) is not None}


def _custom(tool: Mapping[str, Any]) -> dict[str, Any]:
    found = _given(tool, ("name", "description"))
    form = tool.get("format")
    if isinstance(form, Mapping):
        grammar = {name: value for name, value in form.items() if name != "type"}
        found["format"] = {"type": "grammar", "grammar": grammar} if form.get("type") == "grammar" else dict(form)
    return found


def chat_tool_choice(choice: Any, findings: Findings) -> Any:
    """Return the tool choice in the format of chat completions, ``None`` without one."""
    if choice is None or choice in _WORDS:
        return choice
    kind = choice.get("type") if isinstance(choice, Mapping) else None
    if kind in ("function", "custom"):
        return _named(choice)
    if kind == "allowed_tools":
        allowed = [_named(tool) for tool in as_list(choice.get("tools")) if isinstance(tool, Mapping)]
        return {"type": kind, "allowed_tools": {"mode": choice.get("mode", "auto"), "tools": allowed}}
    findings.require_native(f"tool_choice: {kind or choice!r} is a tool that is built into OpenAI's Responses API")
    return None


def _named(choice: Mapping[str, Any]) -> dict[str, Any]:
    kind = choice.get("type")
    return {"type": kind, str(kind): {"name": choice["name"]}} if "name" in choice else dict(choice)


def response_tools(tools: Any) -> list[Any]:
    """Return the tools of a request as a response repeats them: functions in the flat format."""
    return [_flat(tool) for tool in as_list(tools)]


def _flat(tool: Any) -> Any:
    function = tool.get("function") if isinstance(tool, Mapping) else None
    if not isinstance(function, Mapping):
        return tool
    return {"type": "function", "parameters": None, "strict": None, **function}
