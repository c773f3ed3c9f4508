"""Conversion of tools, tool choice and tool calls from OpenAI's format to Anthropic's.

Formats are those of the packages openai 3.52.0 and anthropic 2.11.0 (``tool_param.py``, ``tool_choice_*_param.py``,
``tool_use_block_param.py``), read 2026-11-21.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from modelmesh.contracts import FailureClass
from modelmesh.errors import ProviderError
from modelmesh_cdk import invalid_parameter, json_codec, provider_error, read_tool_choice, read_tools

_NOT_IN_ID = re.compile(r"[^a-zA-Z0-9_-]")
_WORDS = {"auto": "auto", "none": "none", "required": "any"}
_KEPT = ("cache_control", "caller", "toolset_name")
"""Further keys of an Anthropic ``tool_use`` block, which a caller may add to a call."""


def tooling(payload: Mapping[str, Any], adapted: list[str]) -> dict[str, Any]:
    """Return ``tools`` and ``tool_choice``, each only where the request has a value.

    Raises:
        ProviderError: Anthropic does not support the type of a tool.
    """
    tools, choice = read_tools(payload, adapted), read_tool_choice(payload, adapted)
    if isinstance(choice, Mapping) and choice.get("type") == "allowed_tools":
        choice, tools = _allowed(choice, tools, adapted)
    chosen = _choice(choice)
    parallel = payload.get("parallel_tool_calls")
    if parallel is not None:
        if not tools or (isinstance(chosen, Mapping) and chosen.get("type") == "none"):
            adapted.append("parallel_tool_calls dropped: there is no tool to call")
        elif parallel is not True and (chosen is None or isinstance(chosen, Mapping)):  # True is Anthropic's default
            adapted.append("parallel_tool_calls sent as tool_choice.disable_parallel_tool_use")
            chosen = {"type": "auto", "disable_parallel_tool_use": not parallel, **(chosen or {})}
    found: dict[str, Any] = {}
    if tools is not None:
        found["tools"] = [_tool(tool, f"tools[{place}]") for place, tool in enumerate(tools)]
    if chosen is not None:
        found["tool_choice"] = chosen
    return found


def _tool(tool: Any, where: str) -> Any:
    if not isinstance(tool, Mapping):
        raise invalid_parameter(
            where, "is not a tool definition", "{'type': 'function', 'function': {'name': …, 'parameters': …}}"
        )
    if tool.get("type") == "custom" and isinstance(tool.get("custom"), Mapping):
        raise _unsupported(where, "is a custom tool with free-text input; use a function with one string parameter")
    function = tool.get("function")
    if tool.get("type", "function") != "function" or not isinstance(function, Mapping):
        return tool  # a tool in Anthropic's format
    extra = {name: value for name, value in tool.items() if name not in ("type", "function")}
    stated = {name: value for name, value in function.items() if name != "parameters" and value is not None}
    schema = function.get("parameters") or {"properties": {}}
    if isinstance(schema, Mapping) and "type" not in schema:
        schema = {"type": "object", **schema}
    return {**stated, **extra, "input_schema": schema}


def _choice(choice: Any) -> Any:
    if isinstance(choice, str):
        return {"type": _WORDS.get(choice, choice)}
    named = choice.get("function") if isinstance(choice, Mapping) else None
    return {"type": "tool", "name": named.get("name")} if isinstance(named, Mapping) else choice


def _allowed(choice: Mapping[str, Any], tools: Any, adapted: list[str]) -> tuple[Any, Any]:
    """Reduce the tools to the allowed ones, because Anthropic's choice has no such list."""
    allowed = choice.get("allowed_tools")
    if not isinstance(allowed, Mapping):
        return choice, tools
    names = {_name(tool) for tool in allowed.get("tools") or ()}
    adapted.append("tool_choice.allowed_tools sent as a shorter list of tools")
    return allowed.get("mode"), [tool for tool in tools or () if _name(tool) in names]


def _name(tool: Any) -> Any:
    if not isinstance(tool, Mapping):
        return None
    inner = tool.get(str(tool.get("type", "function")))
    return (inner if isinstance(inner, Mapping) else tool).get("name")


# -- calls in messages ------------------------------------------------------------------------------------------------


def tool_use(call: Any, where: str, adapted: list[str]) -> dict[str, Any]:
    """Return the ``tool_use`` block of one call.

    Raises:
        ProviderError: The call has no name.
    """
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping):
        if isinstance(call, Mapping) and isinstance(call.get("custom"), Mapping):
            raise _unsupported(where, "is a call of a custom tool with free-text input")
        raise invalid_parameter(where, "is not a function call", "{'id': …, 'function': {'name': …, 'arguments': '{}'}}")
    if not isinstance(function.get("name"), str) or not function["name"]:
        raise invalid_parameter(where, "has no name", "{'id': …, 'function': {'name': …, 'arguments': '{}'}}")
    kept = {name: call[name] for name in _KEPT if name in call}
    found = {"type": "tool_use", "id": tool_id(call.get("id"), where, adapted), "name": function.get("name")}
    return {**found, "input": _input(function.get("arguments"), adapted), **kept}


def _input(arguments: Any, adapted: list[str]) -> Any:
    """Return the arguments of a call as an object. Text that is not an object becomes a field of one."""
    if isinstance(arguments, Mapping):
        return arguments
    if arguments is None or (isinstance(arguments, str) and not arguments.strip()):
        return {}
    try:
        value = json_codec.decode(arguments.encode()) if isinstance(arguments, str) else None
    except ValueError:
        value = None
    if isinstance(value, dict):
        return value
    adapted.append("arguments of tool calls that are no JSON object sent within one")
    return {"arguments": arguments}


def tool_id(given: Any, where: str, adapted: list[str]) -> str:
    """Return a call's ID in characters that Anthropic accepts. The same ID gives the same result.

    Raises:
        ProviderError: The call has no ID.
    """
    if not isinstance(given, str) or not given:
        raise invalid_parameter(where, "has no ID", "the 'id' that the model gave the call")
    if not _NOT_IN_ID.search(given):
        return given
    adapted.append("IDs of tool calls spelled in letters, digits, _ and -")
    return _NOT_IN_ID.sub(lambda found: f"_{ord(found[0]):x}_", given)


def _unsupported(where: str, why: str) -> ProviderError:
    return provider_error(FailureClass.CAPABILITY, f"{where} {why}. Anthropic does not support it. Nothing was sent.", status=400)
