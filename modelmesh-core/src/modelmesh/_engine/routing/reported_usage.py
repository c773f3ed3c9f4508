"""Usage that vendors report in the formats of the several operations, converted to the format of a chat completion.

Statistics, budgets and prices count one format. The caller receives the usage as the vendor sent it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh._engine.routing.usage_check import valid_usage
from modelmesh.contracts.operations import MESSAGES, Operation

_PROMPT_PARTS = ("cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens", "text_tokens")
_OUTPUT_PARTS = (*_PROMPT_PARTS, "reasoning_tokens")


def in_chat_format(operation: Operation, reported: Any) -> dict[str, Any] | None:
    """Return reported usage in the format of a chat completion, ``None`` without a valid report.

    Args:
        operation: The operation.
        reported: ``usage`` of an answer or of an event.
    """
    usage = valid_usage(reported)
    if usage is None:
        return None
    if operation.name == MESSAGES.name:
        return valid_usage(_of_message(usage))
    if "prompt_tokens" in usage or "completion_tokens" in usage:
        return usage
    return valid_usage(_of_tokens(usage))


def _of_message(usage: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the usage of Anthropic's messages, whose input excludes what the cache read and wrote."""
    read, written = usage.get("cache_read_input_tokens"), usage.get("cache_creation_input_tokens")
    counts = [count for count in (usage.get("input_tokens"), read, written) if isinstance(count, int)]
    found: dict[str, Any] = {}
    if usage.get("input_tokens") is not None:
        found["prompt_tokens"] = sum(counts)
    if usage.get("output_tokens") is not None:
        found["completion_tokens"] = usage["output_tokens"]
    details = {name: value for name, value in (("cached_tokens", read), ("cache_write_tokens", written)) if value is not None}
    if details:
        found["prompt_tokens_details"] = details
    return _with_total(found)


def _of_tokens(usage: Mapping[str, Any]) -> dict[str, Any]:
    """Convert usage with ``input_tokens`` and ``output_tokens``, and keep every other count, such as seconds of audio."""
    found = {name: value for name, value in usage.items() if name not in _CONVERTED}
    for name, own, details in (("prompt", "input", _PROMPT_PARTS), ("completion", "output", _OUTPUT_PARTS)):
        if usage.get(f"{own}_tokens") is not None:
            found[f"{name}_tokens"] = usage[f"{own}_tokens"]
        parts = usage.get(f"{own}_tokens_details") or usage.get(f"{own}_token_details")
        if isinstance(parts, Mapping):
            found[f"{name}_tokens_details"] = {part: parts[part] for part in details if parts.get(part) is not None}
    if usage.get("type") == "duration" and usage.get("seconds") is not None:
        found["audio_seconds"] = usage["seconds"]
    return _with_total(found)


_CONVERTED = frozenset(
    {"type", "seconds", "input_tokens", "output_tokens"}
    | {f"{own}_{kind}_details" for own in ("input", "output") for kind in ("tokens", "token")}
)


def _with_total(usage: dict[str, Any]) -> dict[str, Any]:
    if usage.get("total_tokens") is None and {"prompt_tokens", "completion_tokens"} <= usage.keys():
        usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]
    return usage
