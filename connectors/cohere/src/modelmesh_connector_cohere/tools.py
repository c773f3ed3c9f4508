"""Conversion of tools, tool choice and tool calls from OpenAI's format to Cohere's.

Formats are those of the packages openai 3.52.0 and cohere 7.3.1 (``types/tool_v2.py``, ``types/tool_call_v2.py``,
``v2/types/v2chat_request_tool_choice.py``), read 2026-11-21. Cohere's choice is ``REQUIRED``, ``NONE`` or left out, which
is OpenAI's ``auto``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh_cdk import invalid_parameter, json_codec, read_tool_choice, read_tools, unsupported_parameter

_CHOICES = {"required": "REQUIRED", "none": "NONE"}


def tooling(payload: Mapping[str, Any], adapted: list[str]) -> dict[str, Any]:
    """Return ``tools``, ``strict_tools`` and ``tool_choice``, each only where the request has a value.

    Raises:
        ProviderError: Cohere does not support the type of a tool.
    """
    tools, choice = read_tools(payload, adapted), read_tool_choice(payload, adapted)
    choice, tools = _narrowed(choice, tools, adapted)
    if payload.get("parallel_tool_calls") is False:
        adapted.append("parallel_tool_calls dropped: Cohere has no such parameter")
    found: dict[str, Any] = {}
    if tools is not None:
        found["tools"] = [_tool(tool, f"tools[{place}]") for place, tool in enumerate(tools)]
    strict = _strict(tools or (), adapted) if payload.get("strict_tools") is None else payload["strict_tools"]
    if strict is not None:
        found["strict_tools"] = strict
    if choice not in (None, "auto"):
        found["tool_choice"] = _CHOICES.get(choice, choice) if isinstance(choice, str) else choice
    return found


def _narrowed(choice: Any, tools: list[Any] | None, adapted: list[str]) -> tuple[Any, list[Any] | None]:
    """Reduce the tools to the chosen ones, because Cohere's choice cannot name a tool.

    Raises:
        ProviderError: The chosen tool is not among the tools.
    """
    if not isinstance(choice, Mapping):
        return choice, tools
    named = choice.get("function")
    if isinstance(named, Mapping):
        kept = [tool for tool in tools or () if _name(tool) == named.get("name")]
        if not kept:
            raise invalid_parameter(
                "tool_choice", f"names {named.get('name')!r}, which is not among the tools", "the name of one of them"
            )
        adapted.append("tool_choice of one function sent as that tool alone and 'REQUIRED'")
        return "REQUIRED", kept
    allowed = choice.get("allowed_tools")
    if isinstance(allowed, Mapping):
        names = {_name(tool) for tool in allowed.get("tools") or ()}
        adapted.append("tool_choice.allowed_tools sent as a shorter list of tools")
        return allowed.get("mode"), [tool for tool in tools or () if _name(tool) in names]
    if isinstance(choice.get("custom"), Mapping):
        raise unsupported_parameter("tool_choice", "names a tool with free text as its input, which Cohere does not support")
    return choice, tools


def _tool(tool: Any, where: str) -> Any:
    if not isinstance(tool, Mapping):
        raise invalid_parameter(where, "is not a tool", "{'type': 'function', 'function': {'name': …, 'parameters': …}}")
    if tool.get("type") == "custom":
        raise unsupported_parameter(
            where, "is a tool with free text as its input, which Cohere does not support. Make it a function with one string"
        )
    function = tool.get("function")
    if tool.get("type", "function") != "function" or not isinstance(function, Mapping):
        return tool  # newer than this connector: the vendor decides
    stated = {name: value for name, value in function.items() if name not in ("parameters", "strict") and value is not None}
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    return {**tool, "type": "function", "function": {**stated, "parameters": schema}}


def _strict(tools: Any, adapted: list[str]) -> bool | None:
    """Return ``strict_tools``, which holds for all tools or for none."""
    functions = [tool["function"] for tool in tools if isinstance(tool, Mapping) and isinstance(tool.get("function"), Mapping)]
    strict = [bool(function.get("strict")) for function in functions]
    if not any(strict):
        return None
    if all(strict):
        adapted.append("strict of the functions sent as strict_tools")
        return True
    adapted.append("strict of some functions dropped: Cohere's strict_tools holds for all of them")
    return None


def _name(tool: Any) -> Any:
    if not isinstance(tool, Mapping):
        return None
    inner = tool.get(str(tool.get("type", "function")))
    return (inner if isinstance(inner, Mapping) else tool).get("name")


def tool_call(call: Any, where: str) -> dict[str, Any]:
    """Return one call of an assistant's message.

    Raises:
        ProviderError: The value is not a call of a function, or has no ID.
    """
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping):
        if isinstance(call, Mapping) and isinstance(call.get("custom"), Mapping):
            raise unsupported_parameter(where, "calls a tool with free text as its input, which Cohere does not support")
        raise invalid_parameter(where, "is not a function call", "{'id': …, 'function': {'name': …, 'arguments': '{}'}}")
    if not isinstance(call.get("id"), str) or not call["id"]:
        raise invalid_parameter(where, "has no ID", "the 'id' that the model gave the call")
    if not isinstance(function.get("name"), str) or not function["name"]:
        raise invalid_parameter(where, "has no name", "{'id': …, 'function': {'name': …, 'arguments': '{}'}}")
    arguments = function.get("arguments")
    if isinstance(arguments, Mapping):
        arguments = json_codec.encode(arguments).decode()
    rest = {name: value for name, value in call.items() if name != "index"}
    return {**rest, "type": "function", "function": {**function, "arguments": arguments or "{}"}}
