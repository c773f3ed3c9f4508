"""Message rules of Perplexity's Agent API.

The Agent API rejects unknown keys. As in the chat completions that it replaced, roles must alternate after the system message,
and the first and the last of them must be the user's.
"""

from __future__ import annotations

from modelmesh_cdk.message_rules import LastAssistant, MessageRules, Source, SystemPlace

_PACKAGE = Source("package perplexityai 0.46.1, types/input_item_param.py", "2026-11-21")
_ORDER = Source(
    "'After the (optional) system message(s), user and assistant roles should be alternating', perplexityai/api-discussion#265",
    "2026-11-30",
)

RULES = MessageRules(
    vendor="Perplexity",
    roles=("system", "developer", "user", "assistant", "tool"),
    functions=False,
    keys={
        "system": ("role", "content"),
        "developer": ("role", "content"),
        "user": ("role", "content"),
        "assistant": ("role", "content", "tool_calls"),
        "tool": ("role", "content", "tool_call_id"),
    },
    call_keys=("id", "type", "function", "index"),
    parts={"user": ("text", "image_url")},
    part_keys={"text": ("type", "text"), "image_url": ("type", "image_url")},
    text_only_roles=("system", "developer", "assistant", "tool"),
    system=SystemPlace.FIRST,
    system_alone=False,
    alternating=True,
    opening="Hello.",
    last_assistant=LastAssistant.ASK_TO_CONTINUE,
    sources={
        "roles": _PACKAGE,
        "functions": _PACKAGE,
        "keys": Source(f"{_PACKAGE.text}, docs.perplexity.ai: unknown fields are refused", "2026-11-21"),
        "call_keys": _PACKAGE,
        "parts": _PACKAGE,
        "part_keys": _PACKAGE,
        "text_only_roles": _PACKAGE,
        "system": _ORDER,
        "system_alone": _ORDER,
        "alternating": _ORDER,
        "opening": _ORDER,
        "last_assistant": _ORDER,
    },
)
