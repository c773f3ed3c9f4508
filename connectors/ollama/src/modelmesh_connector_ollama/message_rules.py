"""Ollama's rules for conversations, those of its OpenAI-compatible API; unknown keys travel."""

from __future__ import annotations

from attrs import evolve

from modelmesh_cdk.message_rules import SELF_HOSTED, Source

_SERVER = Source("ollama/ollama, openai/openai.go, FromChatRequest", "2026-11-30")

RULES = evolve(
    SELF_HOSTED,
    vendor="Ollama",
    parts={"user": ("text", "image_url")},
    text_only=("system", "assistant", "tool"),
    joined_texts=("user",),
    images=("image/png", "image/jpeg", "image/webp"),
    remote_images=False,
    sources={
        **SELF_HOSTED.sources,
        "arguments": _SERVER,
        "parts": _SERVER,
        "joined_texts": _SERVER,
        "text_only": Source(f"{_SERVER.text}: each part becomes a message of its own, without its calls", "2026-11-30"),
        "images": _SERVER,
        "remote_images": _SERVER,
    },
)
