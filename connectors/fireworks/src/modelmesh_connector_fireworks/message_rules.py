"""Fireworks' message rules.

The API answers 400 to an unknown key: ``Extra inputs are not permitted, field: 'messages[3].tool_name'``.
"""

from __future__ import annotations

from attrs import evolve

from modelmesh_cdk.message_rules import TEMPLATED, Source

_PACKAGE = Source("package fireworks-ai 1.2.30, types/shared_params/chat_message.py", "2026-11-30")
_PARAMETERS = Source("package fireworks-ai 1.2.30, types/chat/completion_create_params.py", "2026-11-30")
_UNKNOWN_KEY = "Extra inputs are not permitted, as quoted in earendil-works/pi#4514"
_KEYS = ("role", "content", "reasoning_content", "tool_call_id", "tool_calls")

RULES = evolve(
    TEMPLATED,
    vendor="Fireworks",
    roles=("system", "user", "assistant", "tool"),
    keys={
        "system": _KEYS[:2],
        "user": _KEYS[:2],
        "assistant": ("role", "content", "reasoning_content", "tool_calls"),
        "tool": ("role", "content", "tool_call_id"),
    },
    call_keys=("id", "type", "function", "index"),
    parts={"system": ("text",), "user": ("text", "image_url"), "assistant": ("text",), "tool": ("text",)},
    part_keys={"text": ("type", "text"), "image_url": ("type", "image_url")},
    max_stop_sequences=4,
    ranges={"temperature": (0, 2), "presence_penalty": (-2, 2), "frequency_penalty": (-2, 2)},
    sources={
        **TEMPLATED.sources,
        "roles": _PACKAGE,
        "keys": Source(f"{_PACKAGE.text}, {_UNKNOWN_KEY}", "2026-11-30"),
        "call_keys": Source(f"package fireworks-ai 1.2.30, chat_completion_message_tool_call.py, {_UNKNOWN_KEY}", "2026-11-30"),
        "parts": _PACKAGE,
        "part_keys": Source(f"{_PACKAGE.text}, {_UNKNOWN_KEY}", "2026-11-30"),
        "max_stop_sequences": _PARAMETERS,
        "ranges": _PARAMETERS,
    },
)
