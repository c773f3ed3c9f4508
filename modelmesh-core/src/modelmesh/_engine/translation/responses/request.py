"""Conversion of a request of the Responses API to a chat completion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh._engine.translation.findings import Findings
from modelmesh._engine.translation.interfaces import ChatTranslation
from modelmesh._engine.translation.refusals import listed, refused
from modelmesh._engine.translation.responses.input_items import messages_of
from modelmesh._engine.translation.responses.native import native_payload
from modelmesh._engine.translation.responses.tools import chat_tool_choice, chat_tools
from modelmesh.contracts.call import Call

_NATIVE = {
    "access_programs": "access programs belong to an organization at OpenAI",
    "conversation": "a conversation is stored at one account",
    "previous_response_id": "a previous response is stored at one account",
    "prompt": "a prompt template is stored at one account",
}
"""Parameters that only a provider of the Responses API can serve."""

_LOST = {
    "context_management": "chat completions do not compact a conversation",
    "image": "chat completions have no compression of images",
    "max_tool_calls": "it limits built-in tools, which chat completions do not have",
    "metadata": "only the response contains it",
    "prompt_cache_diagnostics": "chat completions have no such parameter",
}
_CONVERTED = frozenset(
    {
        "background", "include", "input", "instructions", "max_output_tokens", "model", "reasoning", "store", "stream",
        "stream_options", "text", "tool_choice", "tools", "top_logprobs", "truncation", *_NATIVE, *_LOST,
    }
)  # fmt: skip
_LOGPROBS = "message.output_text.logprobs"


def chat_request(call: Call) -> ChatTranslation:
    """Return the chat completion of a request.

    Raises:
        BadRequestError: The request has no input, or state of two accounts.
    """
    given = {name: value for name, value in call.payload.items() if value is not None}
    findings = Findings()
    native = native_payload(given, findings)
    payload: dict[str, Any] = {"messages": messages_of(given, findings)}
    payload |= {name: value for name, value in given.items() if name not in _CONVERTED}
    payload |= _tools(given, findings) | _text(given, findings) | _reasoning(given, findings) | _logprobs(given, findings)
    _read_storage(given, findings)
    findings.read_fields(given, native=_NATIVE, lost=_LOST)
    limit = given.get("max_output_tokens")
    if limit is not None:
        payload["max_tokens"] = limit
    if call.stream:
        payload["stream_options"] = {**_mapping(given.get("stream_options")), "include_usage": True}
    if not payload["messages"] and not findings.native_only:
        raise refused("input", "is missing or empty", "Give input='…' or a list of items")
    return ChatTranslation(
        payload,
        findings.lost,
        findings.native_only,
        findings.account,
        native,
        limit if isinstance(limit, int) and not isinstance(limit, bool) else None,
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _tools(given: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    found: dict[str, Any] = {}
    tools = chat_tools(listed(given, "tools"), findings)
    if tools:
        found["tools"] = tools
    choice = chat_tool_choice(given.get("tool_choice"), findings)
    if choice is not None and (tools or choice != "auto"):
        found["tool_choice"] = choice
    return found


def _text(given: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    """Return ``response_format`` and ``verbosity``."""
    text, found = _mapping(given.get("text")), dict[str, Any]()
    if text.get("verbosity") is not None:
        found["verbosity"] = text["verbosity"]
    form = _mapping(text.get("format"))
    kind = form.get("type")
    if kind == "json_schema":
        found["response_format"] = {
            "type": kind,
            "json_schema": {name: value for name, value in form.items() if name != "type" and value is not None},
        }
    elif kind not in (None, "text"):
        found["response_format"] = dict(form)
    for name in text:
        if name not in ("format", "verbosity"):
            findings.lose(f"text.{name}", "chat completions have no such parameter")
    return found


def _reasoning(given: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    reasoning = _mapping(given.get("reasoning"))
    for name, value in reasoning.items():
        if name != "effort" and value is not None:
            findings.lose(f"reasoning.{name}", "chat completions have reasoning_effort only")
    effort = reasoning.get("effort")
    return {} if effort is None else {"reasoning_effort": effort}


def _logprobs(given: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    include, count = listed(given, "include"), given.get("top_logprobs")
    for name in include:
        if name != _LOGPROBS:
            findings.lose(f"include {name!r}", "chat completions do not return it")
    found: dict[str, Any] = {}
    if _LOGPROBS in include or count:
        found["logprobs"] = True
    if count:
        found["top_logprobs"] = count
    return found


def _read_storage(given: Mapping[str, Any], findings: Findings) -> None:
    if given.get("background"):
        findings.require_native("background: a response in the background is stored at one account")
    if given.get("store"):
        findings.lose("store", "a translated response is not stored")
    if given.get("truncation") not in (None, "disabled"):
        findings.lose("truncation", "chat completions do not truncate a conversation")
