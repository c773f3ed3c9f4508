"""OpenRouter's rules for conversations.

OpenRouter converts messages for the provider that it picks; keys and parts that it does not know travel.
"""

from __future__ import annotations

from modelmesh_cdk.message_rules import MessageRules, Source

RULES = MessageRules(
    vendor="OpenRouter",
    refusals=True,
    ranges={"temperature": (0, 2), "top_p": (0, 1), "presence_penalty": (-2, 2), "frequency_penalty": (-2, 2)},
    sources={
        "refusals": Source("package openrouter 1.3.84, components/chatassistantmessage.py", "2026-11-30"),
        "ranges": Source("openrouter.ai/docs, parameters", "2026-11-30"),
    },
)
