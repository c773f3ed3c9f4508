"""xAI's rules for conversations; unknown keys travel."""

from __future__ import annotations

from modelmesh_cdk.message_rules import MessageRules, SilentContent, Source

RULES = MessageRules(
    vendor="xAI",
    functions=False,
    silent_content=SilentContent.EMPTY,
    images=("image/png", "image/jpeg"),
    ranges={"temperature": (0, 2), "top_p": (0, 1)},
    sources={
        "functions": Source("docs.x.ai, chat completions: roles system, developer, user, assistant and tool", "2026-11-30"),
        "silent_content": Source(
            "'Each message must have at least one content element', langchain-ai/langchain#34140, AstrBotDevs/AstrBot#6447",
            "2026-11-30",
        ),
        "images": Source("docs.x.ai, image understanding: jpg, jpeg or png", "2026-11-30"),
        "ranges": Source("docs.x.ai, chat completions", "2026-11-30"),
    },
)
