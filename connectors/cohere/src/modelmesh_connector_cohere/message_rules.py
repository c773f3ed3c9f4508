"""Cohere's message rules.

``/v2/chat`` answers 400 or 422 to a request that breaks a rule.
"""

from __future__ import annotations

from modelmesh_cdk.message_rules import Arguments, Blank, ContentWithCalls, MessageRules, Source, SystemPlace

_PACKAGE = Source("package cohere 7.3.1, types/chat_message_v2.py and tool_call_v2.py", "2026-11-21")
_ERRORS = Source("docs.cohere.com/v2/reference/errors", "2026-11-21")
_EMPTY = Source("'message must not be empty in a turn': docs.cohere.com/v2/reference/errors", "2026-11-21")

RULES = MessageRules(
    vendor="Cohere",
    roles=("system", "developer", "user", "assistant", "tool"),
    functions=False,
    keys={
        "system": ("role", "content"),
        "developer": ("role", "content"),
        "user": ("role", "content"),
        "assistant": (
            "role", "content", "tool_calls", "tool_plan", "citations", "thinking_blocks", "reasoning_content", "content_blocks",
        ),
        "tool": ("role", "content", "tool_call_id"),
    },
    call_keys=("id", "type", "function", "custom"),
    parts={
        "system": ("text",),
        "developer": ("text",),
        "user": ("text", "image_url"),
        "assistant": ("text", "thinking", "refusal"),
        "tool": ("text", "document"),
    },
    part_keys={"text": ("type", "text"), "image_url": ("type", "image_url")},
    blank={"user": Blank.STAND_IN, "system": Blank.LEAVE_OUT, "tool": Blank.STAND_IN, "part": Blank.LEAVE_OUT},
    content_with_calls=ContentWithCalls.NULL,
    null_content=True,
    system=SystemPlace.FIRST,
    system_alone=False,
    arguments=Arguments.JSON_OBJECT,
    images=("image/png", "image/jpeg", "image/webp", "image/gif"),
    max_stop_sequences=5,
    single_choice=True,
    sources={
        "roles": _PACKAGE,
        "functions": _PACKAGE,
        "keys": _PACKAGE,
        "call_keys": _PACKAGE,
        "parts": _PACKAGE,
        "part_keys": _PACKAGE,
        "blank": _EMPTY,
        "content_with_calls": _EMPTY,
        "null_content": Source("modelmesh_connector_cohere.messages leaves out turns without content", "2026-11-30"),
        "system": Source(f"'system turn must be the first in the list': {_ERRORS.text}", _ERRORS.read),
        "system_alone": Source("'message must be at least 1 token long': kwaroran/Risuai#504", "2026-11-30"),
        "paired": _ERRORS,
        "arguments": Source("package cohere 7.3.1, types/tool_call_v2function.py: arguments are JSON", "2026-11-21"),
        "images": Source("docs.cohere.com/docs/image-inputs", "2026-11-30"),
        "max_stop_sequences": Source("package cohere 7.3.1, v2/client.py: up to 5 stop_sequences", "2026-11-21"),
        "single_choice": Source("package cohere 7.3.1, v2/client.py has no such parameter", "2026-11-21"),
    },
)  # fmt: skip
