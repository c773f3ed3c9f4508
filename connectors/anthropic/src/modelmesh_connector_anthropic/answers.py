"""Conversion of Anthropic's messages to OpenAI's chat completions.

Fields, stop reasons and usage totals are those of the anthropic package 2.11.0 (``types/message.py``,
``types/usage.py``, ``types/stop_reason.py``), read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelmesh.contracts import FailureClass, reported_tokens
from modelmesh.errors import ProviderError
from modelmesh_cdk import json_codec, provider_error

_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
_CONVERTED = frozenset({"id", "type", "role", "model", "content", "usage"})
_PLAIN: dict[str, tuple[int, frozenset[str]]] = {
    "thinking": (0, frozenset({"type", "thinking", "signature"})),
    "redacted_thinking": (0, frozenset({"type", "data"})),
    "text": (1, frozenset({"type", "text"})),
    "tool_use": (3, frozenset({"type", "id", "name", "input"})),
}
"""Order of the block types in a message rebuilt from OpenAI's fields, and the keys that those fields can represent."""


def completion(data: Mapping[str, Any], *, created: int) -> dict[str, Any]:
    """Return an answer in OpenAI's format.

    Args:
        data: The vendor's message. Its further fields stay unchanged at the top level.
        created: Unix time of receipt, because the vendor sends none.

    Raises:
        ValueError: The data is not a message.
        ProviderError: The message has an unknown stop reason and no content.
    """
    blocks, reason = data.get("content"), stop_reason(data.get("stop_reason"))
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        message = "its body is not an Anthropic message: 'content' is not a list of blocks"
        raise ValueError(message)
    if reason is None:
        message = "its body is an incomplete Anthropic message: it has no stop_reason"
        raise ValueError(message)
    for block in blocks:
        check_block(block)
    check_end(blocks, reason, data.get("usage"))
    choice = {
        "index": 0,
        "message": message_from_blocks(blocks),
        "finish_reason": finish_reason(reason),
        "logprobs": None,
        "stop_reason": reason,
    }
    return {
        **beyond(data),
        "id": data.get("id"),
        "object": "chat.completion",
        "created": created,
        "model": data.get("model"),
        "choices": [choice],
        "usage": usage_of(data.get("usage")),
    }


def beyond(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a message outside OpenAI's schema."""
    return {name: value for name, value in data.items() if name not in _CONVERTED}


def stop_reason(given: Any) -> str | None:
    """Return a stop reason, ``None`` for a value that is absent, empty or not text."""
    return given if isinstance(given, str) and given else None


def finish_reason(reason: str | None) -> str | None:
    """Return OpenAI's finish reason. An unknown stop reason is ``stop``, because OpenAI's set is closed.

    The vendor's value stays in ``stop_reason``.
    """
    return None if reason is None else _FINISH.get(reason, "stop")


def check_block(block: Mapping[str, Any]) -> None:
    """Check the required fields of a block.

    Raises:
        ValueError: A field is missing or has a wrong type.
    """
    kind = block.get("type")
    field = _TEXTS.get(kind) if isinstance(kind, str) else None
    if field is not None and not isinstance(block.get(field), str | None):
        message = f"the field {field!r} of a block {kind!r} is not text"
        raise ValueError(message)
    if kind == "tool_use" and not all(isinstance(block.get(name), str) and block[name] for name in ("id", "name")):
        message = "a block 'tool_use' has no ID or no name"
        raise ValueError(message)


_TEXTS = {"text": "text", "thinking": "thinking"}


def check_end(blocks: Sequence[Mapping[str, Any]], reason: str, usage: Any) -> None:
    """Check the content of a message whose stop reason states that it is complete.

    Raises:
        ValueError: A tool call was cut.
        ProviderError: The message has an unknown stop reason and no content.
    """
    if reason not in _FINISH and all(block.get("type") in _THOUGHTS for block in blocks):
        raise empty_answer(reason, usage)
    if _FINISH.get(reason) == "length":
        return
    for block in blocks:
        if block.get("type") == "tool_use" and not isinstance(block.get("input"), dict | None):
            message = f"the arguments of its call of {str(block.get('name'))[:80]!r} are not a JSON object"
            raise ValueError(message)


_THOUGHTS = frozenset({"thinking", "redacted_thinking"})


def empty_answer(reason: str, usage: Any) -> ProviderError:
    """Return the error of a response without content and with an unknown stop reason."""
    message = f"the provider's response has no content and the unknown stop reason {reason[:80]!r}"
    made = provider_error(FailureClass.PROTOCOL, message, code=reason[:80])
    made.usage = usage_of(usage)
    return made


def message_from_blocks(blocks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the assistant message of blocks.

    The next request must contain the message with its ``thinking_blocks`` and ``content_blocks``. The latter contains all
    blocks unchanged, if OpenAI's fields cannot represent them.
    """
    texts = [block.get("text") or "" for block in blocks if block.get("type") == "text"]
    thoughts = [block for block in blocks if block.get("type") in ("thinking", "redacted_thinking")]
    calls = [tool_call_from_block(block) for block in blocks if block.get("type") == "tool_use"]
    message: dict[str, Any] = {"role": "assistant", "content": "".join(texts) if texts else None}
    if calls:
        message["tool_calls"] = calls
    if thoughts:
        message["thinking_blocks"] = thoughts
        message["reasoning_content"] = "".join(block.get("thinking") or "" for block in thoughts)
    if not is_plain(blocks):
        message["content_blocks"] = list(blocks)
    return message


def tool_call_from_block(block: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tool call of a ``tool_use`` block."""
    arguments = block.get("input")
    text = arguments if isinstance(arguments, str) else json_codec.encode({} if arguments is None else arguments).decode()
    return {"id": block.get("id"), "type": "function", "function": {"name": block.get("name"), "arguments": text}}


def is_plain(blocks: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether OpenAI's fields can represent these blocks: thoughts, then one text, then calls."""
    least = 0
    for block in blocks:
        rank, fields = _PLAIN.get(str(block.get("type")), (-1, frozenset()))
        if rank < least:
            return False
        if any(value is not None and name not in fields and value != {"type": "direct"} for name, value in block.items()):
            return False
        least = rank + 1 if rank == 1 else rank  # OpenAI's format has one text only
    return True


def usage_of(usage: Any) -> dict[str, Any] | None:
    """Return usage with OpenAI's fields and the vendor's, ``None`` when the vendor reported no counts.

    The vendor's ``input_tokens`` exclude cached tokens. OpenAI's ``prompt_tokens`` include them.
    """
    if not isinstance(usage, dict):
        return None
    found: dict[str, Any] = {}
    read, written = (
        reported_tokens(usage.get("cache_read_input_tokens")),
        reported_tokens(usage.get("cache_creation_input_tokens")),
    )
    prompt, answer = reported_tokens(usage.get("input_tokens")), reported_tokens(usage.get("output_tokens"))
    if prompt is None and answer is None:
        return None
    if prompt is not None:
        found["prompt_tokens"] = prompt = prompt + (read or 0) + (written or 0)
    if answer is not None:
        found["completion_tokens"] = answer
    if prompt is not None and answer is not None:
        found["total_tokens"] = prompt + answer
    cached = {name: value for name, value in (("cached_tokens", read), ("cache_write_tokens", written)) if value is not None}
    if cached:
        found["prompt_tokens_details"] = cached
    details = usage.get("output_tokens_details")
    thought = reported_tokens(details.get("thinking_tokens")) if isinstance(details, dict) else None
    if thought is not None:
        found["completion_tokens_details"] = {"reasoning_tokens": thought}
    return {**found, **usage}
