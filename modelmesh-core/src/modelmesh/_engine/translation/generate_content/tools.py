"""Conversion of Google's tools and ``toolConfig`` to chat completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh._engine.translation.findings import Findings
from modelmesh._engine.translation.generate_content.schemas import json_schema
from modelmesh._engine.translation.refusals import listed

_MODES = {"AUTO": "auto", "NONE": "none", "ANY": "required", "VALIDATED": "auto"}
_LOST = ("behavior", "response", "responseJsonSchema")


def chat_tooling(given: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    """Return ``tools`` and ``tool_choice``, each only where the request has a value."""
    tools: list[dict[str, Any]] = []
    for tool in listed(given, "tools"):
        if not isinstance(tool, Mapping):
            findings.require_native("tools: a tool is not an object")
            continue
        for name, value in tool.items():
            if name != "functionDeclarations" and value is not None:
                findings.require_native(f"tools: {name} is built into Google's API")
        tools += [_function(one, findings) for one in listed(tool, "functionDeclarations") if isinstance(one, Mapping)]
    if not tools:
        return {}
    choice = _choice(given.get("toolConfig"), findings)
    return {"tools": tools} if choice is None else {"tools": tools, "tool_choice": choice}


def _function(declared: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    for name in _LOST:
        if declared.get(name):
            findings.lose(f"{name} of a function", "chat completions have none")
    schema = declared.get("parametersJsonSchema")
    if schema is None:
        schema = json_schema(declared.get("parameters"))
    function = {"name": declared.get("name"), "description": declared.get("description"), "parameters": schema}
    return {"type": "function", "function": {name: value for name, value in function.items() if value is not None}}


def _choice(config: Any, findings: Findings) -> Any:
    config = config if isinstance(config, Mapping) else {}
    for name in config:
        if name != "functionCallingConfig" and config[name]:
            findings.lose(f"toolConfig.{name}", "chat completions have no such setting")
    calling = config.get("functionCallingConfig")
    if not isinstance(calling, Mapping):
        return None
    mode, names = str(calling.get("mode") or "").upper(), calling.get("allowedFunctionNames")
    if mode == "VALIDATED":
        findings.convert("toolConfig mode VALIDATED sent as tool_choice 'auto'")
    if isinstance(names, list | tuple) and names:
        if len(names) == 1 and mode == "ANY":
            return {"type": "function", "function": {"name": names[0]}}
        allowed = [{"type": "function", "function": {"name": name}} for name in names]
        return {"type": "allowed_tools", "allowed_tools": {"mode": _MODES.get(mode, "auto"), "tools": allowed}}
    return _MODES.get(mode)
