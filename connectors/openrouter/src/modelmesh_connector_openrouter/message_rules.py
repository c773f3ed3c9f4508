"""OpenRouter's message rules.

OpenRouter converts messages for the provider that it selects. Unknown keys and parts are sent unchanged.
"""

from __future__ import annotations

from modelmesh_cdk.message_rules import MessageRules, Source

RULES = MessageRules(
    vendor="OpenRouter",
    custom_calls=True,
    refusals=True,
    ranges={"temperature": (0, 2), "top_p": (0, 1), "presence_penalty": (-2, 2), "frequency_penalty": (-2, 2)},
    sources={
        "custom_calls": Source(
            "passed on to the vendor behind it, which may be OpenAI (not confirmed by a source)", "2026-11-30"
        ),
        "refusals": Source("package openrouter 1.3.84, components/chatassistantmessage.py", "2026-11-30"),
        "ranges": Source("openrouter.ai/docs, parameters", "2026-11-30"),
    },
)
