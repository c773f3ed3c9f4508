"""Groq's message rules.

The API answers 400 to an unknown key of a message: ``property 'metadata' is unsupported``.
"""

from __future__ import annotations

from modelmesh_cdk.message_rules import Arguments, MessageRules, Source

_PACKAGE = Source("package groq 1.7.0, types/chat/*_message_param.py", "2026-11-30")
_DOCS = Source("console.groq.com/docs/openai: fields that result in a 400", "2026-11-30")

RULES = MessageRules(
    vendor="Groq",
    roles=("system", "user", "assistant", "tool"),
    replaced_roles={"developer": "system"},
    functions=False,
    keys={
        "system": ("role", "content"),
        "user": ("role", "content"),
        "assistant": ("role", "content", "tool_calls", "reasoning"),
        "tool": ("role", "content", "tool_call_id"),
    },
    call_keys=("id", "type", "function"),
    parts={"user": ("text", "image_url", "document")},
    part_keys={"text": ("type", "text"), "image_url": ("type", "image_url")},
    text_only_roles=("system", "assistant", "tool"),
    joined_text_roles=("user",),
    arguments=Arguments.JSON_OBJECT,
    max_stop_sequences=4,
    ranges={"temperature": (0, 2), "top_p": (0, 1)},
    unsupported=("logprobs", "top_logprobs", "logit_bias"),
    single_choice=True,
    sources={
        "roles": _PACKAGE,
        "replaced_roles": Source("package groq 1.7.0, types/chat/chat_completion_role.py has no developer", "2026-11-30"),
        "functions": Source(
            "functions are deprecated in favour of tools: package groq 1.7.0, completion_create_params.py", "2026-11-30"
        ),
        "keys": Source(
            f"{_PACKAGE.text}; ed-donner/llm_engineering#1130, SimonSchubert/Kai#265; no name: {_DOCS.text}", "2026-11-30"
        ),
        "call_keys": _PACKAGE,
        "parts": _PACKAGE,
        "part_keys": _PACKAGE,
        "joined_text_roles": Source("'message[4].content must be a string', browser-use/browser-use#54", "2026-11-30"),
        "text_only_roles": Source("'value must be a string', CherryHQ/cherry-studio#3307, livekit/agents#1790", "2026-11-30"),
        "arguments": Source("the chat templates of its models read an object: lemonade-sdk/lemonade#1481", "2026-11-30"),
        "max_stop_sequences": Source("package groq 1.7.0, types/chat/completion_create_params.py", "2026-11-30"),
        "ranges": _DOCS,
        "unsupported": _DOCS,
        "single_choice": _DOCS,
    },
)
