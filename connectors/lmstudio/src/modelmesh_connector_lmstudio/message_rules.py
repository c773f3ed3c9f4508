"""LM Studio's message rules. Unknown keys are sent unchanged."""

from __future__ import annotations

from attrs import evolve

from modelmesh_cdk.message_rules import SELF_HOSTED, Source

_TOOLS = Source("'Invalid messages in payload' for images in tool results, QwenLM/qwen-code#3616", "2026-11-30")
_IMAGES = Source("'url' field must be a base64 encoded image, lmstudio-ai/lmstudio-bug-tracker#1752, #1120", "2026-11-30")

RULES = evolve(
    SELF_HOSTED,
    vendor="LM Studio",
    roles=("system", "user", "assistant", "tool"),
    parts={"user": ("text", "image_url")},
    text_only_roles=("system", "assistant", "tool"),
    joined_text_roles=("user",),
    images=("image/png", "image/jpeg", "image/gif"),
    remote_images=False,
    sources={
        **SELF_HOSTED.sources,
        "roles": _TOOLS,
        "parts": _TOOLS,
        "joined_text_roles": _TOOLS,
        "text_only_roles": _TOOLS,
        "images": _IMAGES,
        "remote_images": _IMAGES,
    },
)
