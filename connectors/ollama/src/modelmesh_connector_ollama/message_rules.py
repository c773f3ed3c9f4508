"""Message rules of Ollama's OpenAI-compatible API. Unknown keys are sent unchanged."""

from __future__ import annotations

from attrs import evolve

from modelmesh_cdk.message_rules import SELF_HOSTED, Source

_SERVER = Source("ollama/ollama, openai/openai.go, FromChatRequest", "2026-11-30")

RULES = evolve(
    SELF_HOSTED,
    vendor="Ollama",
    parts={"user": ("text", "image_url")},
    text_only_roles=("system", "assistant", "tool"),
    joined_text_roles=("user",),
    images=("image/png", "image/jpeg", "image/webp"),
    remote_images=False,
    sources={
        **SELF_HOSTED.sources,
        "arguments": _SERVER,
        "parts": _SERVER,
        "joined_text_roles": _SERVER,
        "text_only_roles": Source(f"{_SERVER.text}: each part becomes a separate message without the calls", "2026-11-30"),
        "images": _SERVER,
        "remote_images": _SERVER,
    },
)
