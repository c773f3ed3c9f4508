"""xAI's message rules. Unknown keys are sent unchanged."""

from __future__ import annotations

from modelmesh_cdk.message_rules import Arguments, Blank, ContentWithCalls, MessageRules, Source

RULES = MessageRules(
    vendor="xAI",
    functions=False,
    parts={
        "system": ("text",),
        "developer": ("text",),
        "user": ("text", "image_url", "file"),
        "assistant": ("text",),
        "tool": ("text",),
    },
    blank={
        "system": Blank.LEAVE_OUT,
        "user": Blank.STAND_IN,
        "assistant": Blank.LEAVE_OUT,
        "tool": Blank.STAND_IN,
        "part": Blank.LEAVE_OUT,
    },
    content_with_calls=ContentWithCalls.EMPTY,
    arguments=Arguments.JSON_OBJECT,
    images=("image/png", "image/jpeg"),
    ranges={"temperature": (0, 2), "top_p": (0, 1)},
    sources={
        "functions": Source("docs.x.ai, chat completions: roles system, developer, user, assistant and tool", "2026-11-30"),
        "parts": Source("docs.x.ai, chat completions: content of each role", "2026-11-30"),
        "blank": Source(
            "'An empty message was provided. Every message needs at least one non-empty content element': "
            "langbot-app/LangBot#1205, AstrBotDevs/AstrBot#6447, charmbracelet/crush#964",
            "2026-11-30",
        ),
        "arguments": Source("docs.x.ai, function calling: arguments are a JSON object", "2026-11-30"),
        "content_with_calls": Source(
            "'Each message must have at least one content element', langchain-ai/langchain#34140, AstrBotDevs/AstrBot#6447",
            "2026-11-30",
        ),
        "images": Source("docs.x.ai, image understanding: jpg, jpeg or png", "2026-11-30"),
        "ranges": Source("docs.x.ai, chat completions", "2026-11-30"),
    },
)
