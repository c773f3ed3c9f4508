"""Convert Cohere chat responses to OpenAI chat completions.

Fields and finish reasons are those of the cohere package 7.3.1 (``v2/types/v2chat_response.py``,
``types/assistant_message_response.py``, ``types/chat_finish_reason.py``, ``types/usage.py``, ``types/logprob_item.py``), read
2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelmesh.contracts import FailureClass, reported_tokens
from modelmesh.errors import ProviderError
from modelmesh_cdk import json_codec, provider_error

_FINISH = {"COMPLETE": "stop", "STOP_SEQUENCE": "stop", "MAX_TOKENS": "length", "TOOL_CALL": "tool_calls"}
_CONVERTED = frozenset({"id", "finish_reason", "message", "usage"})
_MESSAGE = frozenset({"role", "content", "tool_calls", "tool_plan", "citations"})
_OMITTED_IF_EMPTY = frozenset({"tool_plan", "citations"})
"""Fields of a message that are omitted when empty."""

_PLAIN: dict[str, tuple[int, frozenset[str]]] = {
    "thinking": (0, frozenset({"type", "thinking"})),
    "text": (1, frozenset({"type", "text"})),
}
"""Order of the block types in a message rebuilt from OpenAI's fields, and the keys that those fields can represent."""


def completion(data: Mapping[str, Any], *, created: int) -> dict[str, Any]:
    """Return an answer in OpenAI's format. The vendor does not report the model.

    Args:
        data: The vendor's reply. Its further fields stay unchanged at the top level.
        created: Unix time of receipt, because the vendor sends none.

    Raises:
        ValueError: The value is not a reply.
        ProviderError: The message has an unknown finish reason and no content.
    """
    message, reason = data.get("message"), stop_reason(data.get("finish_reason"))
    if not isinstance(message, Mapping):
        raise ValueError("its body is not a Cohere reply: 'message' is not an object")  # noqa: TRY004 - the vendor's response is invalid
    if not _MESSAGE & message.keys():
        raise ValueError("its body is not a Cohere reply: 'message' has none of a message's fields")
    blocks = message.get("content")
    if blocks is None:
        blocks = []
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise ValueError("its body is not a Cohere reply: 'message.content' is not a list of blocks")
    if reason is None:
        raise ValueError("its body is not a complete Cohere reply: it has no finish_reason")
    for block in blocks:
        check_block(block)
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list):
        raise ValueError("its body is not a Cohere reply: 'message.tool_calls' is not a list")  # noqa: TRY004
    for call in calls:
        check_call(call)
    texts = [str(call["function"].get("arguments") or "") for call in calls]
    check_end(reason, texts, data.get("usage"), has_content=bool(blocks or calls))
    choice = {
        "index": 0,
        "message": convert_message(message, blocks),
        "finish_reason": finish_reason(reason),
        "logprobs": logprobs_of(data.get("logprobs")),
        "stop_reason": reason,
    }
    return {
        **{name: value for name, value in data.items() if name not in _CONVERTED},
        "id": data.get("id"),
        "object": "chat.completion",
        "created": created,
        "choices": [choice],
        "usage": usage_of(data.get("usage")),
    }


def stop_reason(given: Any) -> str | None:
    """Return a finish reason of the vendor's, ``None`` for a value that is absent, empty or not text."""
    return given if isinstance(given, str) and given else None


def finish_reason(reason: str | None) -> str | None:
    """Return OpenAI's finish reason. An unknown reason is ``stop``, because OpenAI's set is closed.

    The vendor's value stays in ``stop_reason``.
    """
    return None if reason is None else _FINISH.get(reason, "stop")


def check_block(block: Any) -> None:
    """Check the required fields of a block.

    Raises:
        ValueError: A field has a wrong type.
    """
    if not isinstance(block, Mapping):
        raise ValueError("a block of its content is not an object")  # noqa: TRY004 - the vendor's mistake
    for field in _PLAIN:
        if block.get("type") == field and not isinstance(block.get(field), str | None):
            message = f"the field {field!r} of a block {field!r} is not text"
            raise ValueError(message)


def check_call(call: Any) -> None:
    """Check the fields of a tool call.

    Raises:
        ValueError: It has no ID or no name, or its arguments are not text.
    """
    function = call.get("function") if isinstance(call, Mapping) else None
    names = (call.get("id"), function.get("name")) if isinstance(function, Mapping) else (None,)
    if not isinstance(function, Mapping) or not all(isinstance(name, str) and name for name in names):
        raise ValueError("a tool call has no ID or no name")
    if not isinstance(function.get("arguments"), str | None):
        raise ValueError("the arguments of a tool call are not text")  # noqa: TRY004 - the vendor's mistake


def check_end(reason: str, arguments: Sequence[str], usage: Any, *, has_content: bool) -> None:
    """Check the content of a reply whose finish reason states that it is complete.

    Raises:
        ValueError: A tool call is incomplete.
        ProviderError: The reply has an unknown finish reason and no content.
    """
    if reason not in _FINISH and not has_content:
        raise _empty_answer(reason, usage)
    if _FINISH.get(reason) == "length":
        return
    for text in arguments:
        if text and not _is_json_object(text):
            raise ValueError("the arguments of a tool call are not a JSON object")


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json_codec.decode(text.encode()), dict)
    except ValueError:
        return False


def _empty_answer(reason: str, usage: Any) -> ProviderError:
    message = f"the provider's response has no content and the unknown finish reason {reason[:80]!r}"
    made = provider_error(FailureClass.PROTOCOL, message, code=reason[:80])
    made.usage = usage_of(usage)
    return made


def convert_message(message: Mapping[str, Any], blocks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the assistant's message.

    The caller must return ``tool_plan``, ``citations``, ``thinking_blocks`` and ``content_blocks`` with the message in the next
    request. ``content_blocks`` contains all blocks unchanged, if OpenAI's fields cannot represent them.

    Args:
        message: The vendor's message.
        blocks: Content blocks of the message.
    """
    texts = [block.get("text") or "" for block in blocks if block.get("type") == "text"]
    thoughts = [block for block in blocks if block.get("type") == "thinking"]
    beyond = {
        name: value
        for name, value in message.items()
        if name not in ("role", "content", "tool_calls") and (value or name not in _OMITTED_IF_EMPTY)
    }
    found: dict[str, Any] = {**beyond, "role": "assistant", "content": "".join(texts) if texts else None}
    if message.get("tool_calls"):
        found["tool_calls"] = [convert_tool_call(call) for call in message["tool_calls"]]
    if thoughts:
        found["thinking_blocks"] = thoughts
        found["reasoning_content"] = "".join(block.get("thinking") or "" for block in thoughts)
    if not is_plain(blocks):
        found["content_blocks"] = list(blocks)
    return found


def convert_tool_call(call: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tool call. Its arguments are always JSON."""
    function = call.get("function") or {}
    return {**call, "type": "function", "function": {**function, "arguments": function.get("arguments") or "{}"}}


def is_plain(blocks: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether OpenAI's fields can represent these blocks: thoughts, then one text."""
    least = 0
    for block in blocks:
        rank, fields = _PLAIN.get(str(block.get("type")), (-1, frozenset()))
        if rank < least or any(value is not None and name not in fields for name, value in block.items()):
            return False
        least = 2 * rank  # a second text would be joined to the first
    return True


def logprobs_of(items: Any) -> dict[str, Any] | None:
    """Return log probabilities token by token, ``None`` where a piece of the vendor has several tokens.

    Args:
        items: The vendor's pieces of text, each with the IDs and log probabilities of its tokens.
    """
    if not isinstance(items, list) or not items:
        return None
    content = []
    for item in items:
        text, values = (item.get("text"), item.get("logprobs")) if isinstance(item, Mapping) else (None, None)
        if not isinstance(text, str) or not isinstance(values, list) or len(values) != 1:
            return None
        content.append({"token": text, "logprob": values[0], "bytes": list(text.encode()), "top_logprobs": []})
    return {"content": content, "refusal": None}


def usage_of(usage: Any) -> dict[str, Any] | None:
    """Return usage with OpenAI's fields and the vendor's, ``None`` when the vendor reported no counts.

    ``tokens`` are all tokens of prompt and answer, including the vendor's instructions. ``billed_units`` are the billed tokens,
    which count where there are no ``tokens``.
    """
    if not isinstance(usage, Mapping) or not any(_counts(usage.get(group)) for group in ("tokens", "billed_units")):
        return None
    found: dict[str, Any] = {}
    prompt, answer = tokens_of(usage, "input_tokens"), tokens_of(usage, "output_tokens")
    if prompt is not None:
        found["prompt_tokens"] = prompt
    if answer is not None:
        found["completion_tokens"] = answer
    if prompt is not None and answer is not None:
        found["total_tokens"] = prompt + answer
    cached = _whole(usage.get("cached_tokens"))
    if cached is not None:
        found["prompt_tokens_details"] = {"cached_tokens": cached}
    return {**found, **usage}


def _counts(group: Any) -> bool:
    return isinstance(group, Mapping) and any(_whole(count) is not None for count in group.values())


def tokens_of(usage: Mapping[str, Any], name: str) -> int | None:
    """Return one count of tokens, ``None`` when it is unknown."""
    for group in ("tokens", "billed_units"):
        counts = usage.get(group)
        count = _whole(counts.get(name)) if isinstance(counts, Mapping) else None
        if count is not None:
            return count
    return None


def _whole(count: Any) -> int | None:
    """Return a count as an integer, because the vendor's type is a float."""
    whole = int(count) if isinstance(count, float) and count.is_integer() else count
    return reported_tokens(whole)
