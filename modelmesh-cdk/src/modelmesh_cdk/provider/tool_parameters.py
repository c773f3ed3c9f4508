"""Tool parameters of a request: OpenAI's current ones, and those that they replaced.

``functions`` and ``function_call`` are the deprecated ``tools`` and ``tool_choice`` (openai package 3.52.0; read 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh_cdk.provider.provider_errors import invalid_parameter


def read_tools(payload: Mapping[str, Any], adapted: list[str]) -> list[Any] | None:
    """Return the tools of a request, ``None`` where it has none.

    Args:
        payload: The parameters of the call.
        adapted: Receives a line when ``functions`` are sent as tools.

    Raises:
        ProviderError: A parameter is not a list.
    """
    tools, functions = payload.get("tools"), payload.get("functions")
    for name, given in (("tools", tools), ("functions", functions)):
        if given is not None and not isinstance(given, list):
            raise invalid_parameter(name, f"is {type(given).__name__}, not a list", f"{name}=[…]")
    if functions is not None and tools is None:
        adapted.append("functions sent as tools; calls come back as tool_calls")
        return [{"type": "function", "function": function} for function in functions]
    return tools


def read_tool_choice(payload: Mapping[str, Any], adapted: list[str] | None = None) -> Any:
    """Return the tool choice of a request, ``None`` where it has none.

    Args:
        payload: The parameters of the call.
        adapted: Receives a line when ``function_call`` is sent as the choice.
    """
    choice, called = payload.get("tool_choice"), payload.get("function_call")
    if called is None or choice is not None:
        return choice
    if adapted is not None:
        adapted.append("function_call sent as tool_choice")
    return {"type": "function", "function": called} if isinstance(called, Mapping) else called
