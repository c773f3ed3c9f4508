"""Validation of the message of a chat answer: types of its parts, and completeness of its tool calls.

Only parts that the mesh or a caller relies on are checked. Everything else passes unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

TRUNCATED = frozenset({"length", "content_filter"})
"""Finish reasons of a truncated answer. The arguments of its tool calls may be incomplete."""

_TEXTS = ("refusal", "reasoning", "reasoning_content", "role")
_CONTENT = frozenset({"content", "tool_calls", "function_call", "refusal", "reasoning", "reasoning_content", "audio", "role"})


class InvalidPart(ValueError):  # noqa: N818 - converted to an error of the attempt
    """A part of an answer is missing or of the wrong type. The text completes "the provider answered, but …"."""


def wrong_type(part: str, value: Any, right: str) -> InvalidPart:
    """Return the exception for a part of the wrong type."""
    return InvalidPart(f"{part} is {kind_of(value)}, not {right}")


def kind_of(value: Any) -> str:
    """Return the name of a JSON type for a message."""
    return "null" if value is None else _KINDS.get(type(value), type(value).__name__)


_KINDS = {str: "text", bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "an object"}


def finish_reason(choice: Mapping[str, Any]) -> str | None:
    """Return the finish reason of a choice, ``None`` when it is empty or not text."""
    reason = choice.get("finish_reason")
    return reason if isinstance(reason, str) and reason.strip() else None


def check_texts(message: Mapping[str, Any]) -> None:
    """Check the parts of a message or a delta that are text.

    Raises:
        InvalidPart: One of them is not text.
    """
    for name in _TEXTS:
        value = message.get(name)
        if value is not None and value.__class__ is not str:
            raise wrong_type(repr(name), value, "text")


def text_of(content: Any) -> str:
    """Return the text of content that is a list of parts.

    Raises:
        InvalidPart: The content is not such a list.
    """
    if not isinstance(content, list):
        raise wrong_type("'content'", content, "text")
    found = []
    for part in content:
        if not isinstance(part, dict) or not isinstance(part.get("type"), str):
            raise InvalidPart("'content' is not a list of parts")
        if part["type"] == "text":
            if not isinstance(part.get("text"), str):
                raise InvalidPart("a part of 'content' has no text")
            found.append(part["text"])
    return "".join(found)


def plain_content(message: dict[str, Any]) -> str:
    """Return the text of a message or delta. Content of text parts only is replaced by their text, as in OpenAI's format.

    Raises:
        InvalidPart: The content is neither text nor a list of parts.
    """
    content = message.get("content")
    if content is None or content.__class__ is str:
        return content or ""
    text = text_of(content)
    if all(part.keys() <= {"type", "text"} and part["type"] == "text" for part in content):
        message["content"] = text
    return text


def check_message(message: Any, reason: str, tools: Any) -> dict[str, Any]:
    """Return a complete message with valid parts: the message itself when it is plain text, else a copy.

    Args:
        message: The message of the vendor.
        reason: The finish reason.
        tools: The tools of the request.

    Raises:
        InvalidPart: A part is missing or of the wrong type, or a tool call is incomplete.
    """
    if not isinstance(message, dict):
        raise wrong_type("the message of a choice", message, "an object")
    if not _CONTENT & message.keys():
        raise InvalidPart("the message of a choice is empty")
    content, called, calls = message.get("content"), message.get("function_call"), message.get("tool_calls")
    if called is None and calls is None and (content is None or content.__class__ is str):
        check_texts(message)
        return message
    found: dict[str, Any] = dict(message)
    plain_content(found)
    check_texts(found)
    if called is not None:
        found["function_call"] = _checked_function(called, reason, tools)
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
    if not found["arguments"] and reason not in TRUNCATED:
        found["arguments"] = "{}"
    return found


def check_call(name: Any, arguments: Any, reason: str, tools: Any) -> None:
    """Check that a finished tool call can be executed.

    Args:
        name: The function's name.
        arguments: The arguments, complete.
        reason: The finish reason.
        tools: The tools of the request.

    Raises:
        InvalidPart: The call has no name, or its arguments are incomplete in an answer that was not truncated.
    """
    if not isinstance(name, str) or not name:
        raise InvalidPart("a tool call names no function")
    if not isinstance(arguments, str):
        raise wrong_type("the arguments of a tool call", arguments, "text")
    if reason in TRUNCATED or (not arguments and takes_nothing(tools, name)):
        return
    if not is_json(arguments):
        raise InvalidPart("the arguments of a tool call are not complete JSON, although its finish reason marks them as complete")


def is_json(text: str) -> bool:
    """Return whether a text is one complete JSON value."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def is_custom(call: Mapping[str, Any]) -> bool:
    """Return whether a tool call has no JSON arguments, as those of OpenAI's custom tools."""
    return call.get("type") not in (None, "function") and "function" not in call


def takes_nothing(tools: Any, name: str) -> bool:
    """Return whether a function of the request has no parameters. Some servers send empty text as its arguments."""
    for tool in tools if isinstance(tools, Sequence) else ():
        function = tool.get("function") if isinstance(tool, Mapping) else None
        if isinstance(function, Mapping) and function.get("name") == name:
            parameters = function.get("parameters")
            return not parameters or (isinstance(parameters, Mapping) and parameters.get("properties") == {})
    return False
