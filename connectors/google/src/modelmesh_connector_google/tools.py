"""Conversion of tools, tool choice and tool calls from OpenAI's format to Gemini's.

Formats are those of the packages openai 3.52.0 and google-genai 3.4.0 (``types.FunctionDeclaration``, ``FunctionCallingConfig``,
``FunctionCall``, ``FunctionResponse``), read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh_cdk import invalid_parameter, json_codec, read_tool_choice, read_tools, unsupported_parameter
from modelmesh_connector_google.content import parts_of, signature_of

_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
_MEDIA = ("inlineData", "fileData")


def tooling(payload: Mapping[str, Any], adapted: list[str]) -> dict[str, Any]:
    """Return ``tools`` and ``toolConfig``, each only where the request has a value.

    Raises:
        ProviderError: Gemini does not support the type of a tool.
    """
    tools, choice = read_tools(payload, adapted), read_tool_choice(payload)
    if payload.get("parallel_tool_calls") is False:
        adapted.append("parallel_tool_calls dropped: Gemini cannot be limited to one call at a time")
    found: dict[str, Any] = {}
    if tools is not None:
        found["tools"] = _tools(tools, adapted)
    native = payload.get("toolConfig", payload.get("tool_config"))
    chosen = _choice(choice)
    if chosen is not None and (native is None or isinstance(native, Mapping)):
        found["toolConfig"] = {"functionCallingConfig": chosen, **(native or {})}
    elif native is not None:
        found["toolConfig"] = native
    return found


def _tools(tools: list[Any], adapted: list[str]) -> list[Any]:
    """Return all functions as one tool at the position of the first, and Gemini's tools unchanged."""
    found: list[Any] = []
    declared: list[Any] = []
    for place, tool in enumerate(tools):
        where = f"tools[{place}]"
        if not isinstance(tool, Mapping):
            raise invalid_parameter(
                where, "is not a tool definition", "{'type': 'function', 'function': {'name': …, 'parameters': …}}"
            )
        if tool.get("type") == "custom":
            raise unsupported_parameter(where, "is a custom tool with free-text input; use a function with one string parameter")
        function = tool.get("function")
        if not isinstance(function, Mapping):
            found.append(tool)
            continue
        if not declared:
            found.append({"functionDeclarations": declared})
        declared.append(_declaration(function, adapted))
    return found


def _declaration(function: Mapping[str, Any], adapted: list[str]) -> dict[str, Any]:
    if function.get("strict"):
        adapted.append("strict of a function dropped: Gemini's is toolConfig.functionCallingConfig.mode VALIDATED")
    stated = {name: value for name, value in function.items() if name not in ("parameters", "strict") and value is not None}
    schema = function.get("parameters")
    return {**stated, "parametersJsonSchema": schema} if schema else stated


def _choice(choice: Any) -> dict[str, Any] | None:
    if isinstance(choice, str):
        return {"mode": _MODES.get(choice, choice)}
    if not isinstance(choice, Mapping):
        return None
    named, allowed = choice.get("function"), choice.get("allowed_tools")
    if isinstance(named, Mapping):
        return {"mode": "ANY", "allowedFunctionNames": [named.get("name")]}
    if isinstance(allowed, Mapping):
        names = [_name(tool) for tool in allowed.get("tools") or ()]
        return {"mode": "ANY" if allowed.get("mode") == "required" else "VALIDATED", "allowedFunctionNames": names}
    return dict(choice)


def _name(tool: Any) -> Any:
    inner = tool.get("function") if isinstance(tool, Mapping) else None
    return inner.get("name") if isinstance(inner, Mapping) else None


# -- calls and results in messages ------------------------------------------------------------------------------------


def call_part(call: Any, where: str, adapted: list[str]) -> dict[str, Any]:
    """Return the part of a call, with the call's signature.

    Raises:
        ProviderError: The call has no name.
    """
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping):
        if isinstance(call, Mapping) and isinstance(call.get("custom"), Mapping):
            raise unsupported_parameter(where, "is a call of a custom tool with free-text input")
        raise invalid_parameter(where, "is not a function call", "{'id': …, 'function': {'name': …, 'arguments': '{}'}}")
    if not isinstance(function.get("name"), str) or not function["name"]:
        raise invalid_parameter(where, "has no name", "{'id': …, 'function': {'name': …, 'arguments': '{}'}}")
    made = {"name": function["name"], "args": _arguments(function.get("arguments"), adapted)}
    if call.get("id"):
        made = {"id": call["id"], **made}
    signature = signature_of(call)
    return {"functionCall": made, **({"thoughtSignature": signature} if signature is not None else {})}


def _arguments(arguments: Any, adapted: list[str]) -> Any:
    """Return the arguments of a call as an object. Text that is not an object becomes a field of one."""
    if isinstance(arguments, Mapping):
        return arguments
    if arguments is None or (isinstance(arguments, str) and not arguments.strip()):
        return {}
    value = _object(arguments)
    if value is None:
        adapted.append("arguments of tool calls that are no JSON object sent within one")
        return {"arguments": arguments}
    return value


def result_part(message: Mapping[str, Any], name: Any, where: str, adapted: list[str]) -> dict[str, Any]:
    """Return the part of a tool's result.

    Gemini requires an object. Text that is not an object is sent under ``output``, the key of google-genai 3.4.0
    (``types.FunctionResponse``).
    """
    content, media = message.get("content"), []
    if isinstance(content, list):
        parts = parts_of(content, f"{where}.content", adapted)
        media = [part for part in parts if any(key in part for key in _MEDIA)]
        content = "".join(str(part.get("text") or "") for part in parts)  # a blank result is sent as an empty one
    response = content if isinstance(content, Mapping) else _object(content)
    made = {"name": name, "response": {"output": "" if content is None else content} if response is None else response}
    if message.get("tool_call_id"):
        made = {"id": message["tool_call_id"], **made}
    return {"functionResponse": {**made, "parts": media} if media else made}


def _object(text: Any) -> dict[str, Any] | None:
    try:
        value = json_codec.decode(text.encode()) if isinstance(text, str) else None
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
