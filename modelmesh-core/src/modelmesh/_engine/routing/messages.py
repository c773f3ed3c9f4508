"""Messages of a chat answer: the types of their parts, and whether their tool calls are whole.

Only parts that the mesh or a caller relies on are looked at. Whatever else a vendor sends stays as it came.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

CUT = frozenset({"length", "content_filter"})
"""Finish reasons that say the answer is not whole, so that the arguments of a tool call may end anywhere."""

_TEXTS = ("refusal", "reasoning", "reasoning_content", "role")
_SAID = frozenset({"content", "tool_calls", "function_call", "refusal", "reasoning", "reasoning_content", "audio", "role"})


class WrongPart(ValueError):  # noqa: N818 - never leaves this package; the error of an attempt is made of it
    """A part of an answer is of the wrong type, or missing. Its text completes "the provider answered, but …"."""


def wrong_type(part: str, value: Any, right: str) -> WrongPart:
    """Return the fault of a part that should be of another type."""
    return WrongPart(f"{part} is {kind_of(value)}, not {right}")


def kind_of(value: Any) -> str:
    """Name a JSON type for a message."""
    return "null" if value is None else _KINDS.get(type(value), type(value).__name__)


_KINDS = {str: "text", bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "an object"}


def finish_reason(choice: Mapping[str, Any]) -> str | None:
    """Return the finish reason of a choice; ``None`` when it is empty or not text."""
    reason = choice.get("finish_reason")
    return reason if isinstance(reason, str) and reason.strip() else None


def check_texts(message: Mapping[str, Any]) -> None:
    """Check the parts of a message or a delta that are text.

    Raises:
        WrongPart: One is something else.
    """
    for name in _TEXTS:
        value = message.get(name)
        if value is not None and value.__class__ is not str:
            raise wrong_type(repr(name), value, "text")


def text_of(content: Any) -> str:
    """Return the text of content that is a list of parts.

    Raises:
        WrongPart: It is no such list.
    """
    if not isinstance(content, list):
        raise wrong_type("'content'", content, "text")
    found = []
    for part in content:
        if not isinstance(part, dict) or not isinstance(part.get("type"), str):
            raise WrongPart("'content' is a list of something else than parts")
        if part["type"] == "text":
            if not isinstance(part.get("text"), str):
                raise WrongPart("a part of 'content' has no text")
            found.append(part["text"])
    return "".join(found)


def plain_content(message: dict[str, Any]) -> str:
    """Return the text of a message or delta. Parts that hold nothing but text become the text that OpenAI's form has there.

    Raises:
        WrongPart: The content is neither text nor a list of parts.
    """
    content = message.get("content")
    if content is None or content.__class__ is str:
        return content or ""
    text = text_of(content)
    if all(part.keys() <= {"type", "text"} and part["type"] == "text" for part in content):
        message["content"] = text
    return text


def check_message(message: Any, reason: str, tools: Any) -> dict[str, Any]:
    """Return a whole message whose parts have the right types; a changed copy where a tool call needed one.

    Args:
        message: As the vendor sent it.
        reason: The finish reason.
        tools: The tools of the request.

    Raises:
        WrongPart: A part is missing, of the wrong type, or a tool call is not whole.
    """
    if not isinstance(message, dict):
        raise wrong_type("the message of a choice", message, "an object")
    if not _SAID & message.keys():
        raise WrongPart("the message of a choice is empty")
    found: dict[str, Any] = dict(message)
    plain_content(found)
    check_texts(found)
    called = found.get("function_call")
    if called is not None:
        found["function_call"] = _checked_function(called, reason, tools)
    calls = found.get("tool_calls")
    if calls is not None:
        if not isinstance(calls, list):
            raise wrong_type("'tool_calls'", calls, "a list")
        found["tool_calls"] = [_checked_call(call, reason, tools) for call in calls]
    return found


def _checked_call(call: Any, reason: str, tools: Any) -> dict[str, Any]:
    if not isinstance(call, dict):
        raise wrong_type("a tool call", call, "an object")
    found: dict[str, Any] = dict(call)
    if not isinstance(found.get("id"), str) or not found["id"]:
        raise wrong_type("the ID of a tool call", found.get("id"), "text")
    if not is_custom(found):
        found["function"] = _checked_function(found.get("function"), reason, tools)
    return found


def _checked_function(function: Any, reason: str, tools: Any) -> dict[str, Any]:
    if not isinstance(function, dict):
        raise wrong_type("the function of a tool call", function, "an object")
    found: dict[str, Any] = dict(function)
    if found.get("arguments") is None:
        found["arguments"] = ""
    check_call(found.get("name"), found["arguments"], reason, tools)
    if not found["arguments"] and reason not in CUT:
        found["arguments"] = "{}"
    return found


def check_call(name: Any, arguments: Any, reason: str, tools: Any) -> None:
    """Check that a finished tool call can be executed.

    Args:
        name: The function's name.
        arguments: The arguments, put together.
        reason: The finish reason.
        tools: The tools of the request.

    Raises:
        WrongPart: It has no name, or the arguments are no complete JSON though nothing says that the answer was cut.
    """
    if not isinstance(name, str) or not name:
        raise WrongPart("a tool call names no function")
    if not isinstance(arguments, str):
        raise wrong_type("the arguments of a tool call", arguments, "text")
    if reason in CUT or (not arguments and takes_nothing(tools, name)):
        return
    if not is_json(arguments):
        raise WrongPart("the arguments of a tool call are no complete JSON, though its finish reason says that they are whole")


def is_json(text: str) -> bool:
    """Whether a text is one complete JSON value."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def is_custom(call: Mapping[str, Any]) -> bool:
    """Whether a tool call is of a kind that has no JSON arguments, such as OpenAI's custom tools."""
    return call.get("type") not in (None, "function") and "function" not in call


def takes_nothing(tools: Any, name: str) -> bool:
    """Whether a function of the request has no parameters: some servers send the empty text for its arguments."""
    for tool in tools if isinstance(tools, Sequence) else ():
        function = tool.get("function") if isinstance(tool, Mapping) else None
        if isinstance(function, Mapping) and function.get("name") == name:
            parameters = function.get("parameters")
            return not parameters or (isinstance(parameters, Mapping) and parameters.get("properties") == {})
    return False
