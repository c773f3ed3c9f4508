"""Conversion of a response of Perplexity's Agent API to a chat completion.

Fields are those of the perplexityai package 0.46.1 (``types/response_create_response.py``, ``types/output_item.py``,
``types/responses_usage.py``), read 2026-11-21. All of them stay in the answer, in addition to OpenAI's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_REASONS = {"max_output_tokens": "length", "content_filter": "content_filter"}


def completion(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer in OpenAI's format.

    Raises:
        KeyError: A required field is missing.
    """
    output = data["output"]
    calls = [convert_tool_call(item) for item in _of_type(output, "function_call")]
    message: dict[str, Any] = {"role": "assistant", "content": text_of(output)}
    if calls:
        message["tool_calls"] = calls
    notes = [note for part in _parts(output) for note in part.get("annotations") or ()]
    if notes:
        message["annotations"] = notes
    choice = {"index": 0, "message": message, "finish_reason": finish_of(data), "logprobs": None}
    head = {"id": data["id"], "object": "chat.completion", "created": data["created_at"], "model": data["model"]}
    made = {**beyond(data), **head, "choices": [choice], **sources_of(output)}
    usage = data.get("usage")
    return {**made, "usage": usage_of(usage)} if isinstance(usage, Mapping) else made


def beyond(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that OpenAI's format does not have."""
    own = ("id", "object", "created_at", "model", "usage", "error")
    return {name: value for name, value in data.items() if name not in own}


def text_of(output: Sequence[Any]) -> str | None:
    """Return the text of the messages, ``None`` if there are no messages. A message may have an empty text."""
    texts = [part.get("text") or "" for part in _parts(output) if part.get("type") == "output_text"]
    return "".join(texts) if texts else None


def convert_tool_call(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tool call with its signature, which later requests must contain."""
    function = {"name": item["name"], "arguments": item["arguments"]}
    rest = {name: value for name, value in item.items() if name == "thought_signature" and value}
    return {"id": item["call_id"], "type": "function", "function": function, **rest}


def sources_of(output: Sequence[Any]) -> dict[str, Any]:
    """Return ``citations`` and ``search_results`` as in Perplexity's former chat completions, nothing without a search."""
    found = [result for item in _of_type(output, "search_results") for result in item.get("results") or ()]
    if not found:
        return {}
    return {"citations": list(dict.fromkeys(result["url"] for result in found if result.get("url"))), "search_results": found}


def finish_of(data: Mapping[str, Any]) -> str:
    """Return OpenAI's finish reason. A reason without an equivalent stays Perplexity's."""
    if data.get("status") == "incomplete":
        details = data.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, Mapping) else None
        return _REASONS.get(str(reason), str(reason)) if reason else "length"
    return "tool_calls" if _of_type(data["output"], "function_call") else "stop"


def usage_of(usage: Mapping[str, Any]) -> dict[str, Any]:
    """Return usage with OpenAI's names and Perplexity's."""
    made = dict(usage)
    for theirs, ours in (("input_tokens", "prompt_tokens"), ("output_tokens", "completion_tokens")):
        if theirs in usage:
            made[ours] = usage[theirs]
    details = usage.get("input_tokens_details")
    if isinstance(details, Mapping) and details.get("cache_read_input_tokens") is not None:
        made["prompt_tokens_details"] = {"cached_tokens": details["cache_read_input_tokens"]}
    return made


def _of_type(output: Sequence[Any], kind: str) -> list[Mapping[str, Any]]:
    return [item for item in output if isinstance(item, Mapping) and item.get("type") == kind]


def _parts(output: Sequence[Any]) -> list[Mapping[str, Any]]:
    return [part for item in _of_type(output, "message") for part in item.get("content") or () if isinstance(part, Mapping)]
