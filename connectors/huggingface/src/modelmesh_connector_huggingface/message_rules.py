"""Hugging Face's message rules.

The router forwards a request to one of many providers. Most providers render it with the model's chat template. Groq and
Fireworks reject unknown keys of messages.
"""

from __future__ import annotations

from attrs import evolve

from modelmesh_cdk.message_rules import TEMPLATED, Source

_PROVIDERS = Source(
    "Groq and Fireworks serve its requests and reject unknown keys: ed-donner/llm_engineering#1130, earendil-works/pi#4514",
    "2026-11-30",
)

RULES = evolve(
    TEMPLATED,
    vendor="Hugging Face",
    keys={
        "system": ("role", "content"),
        "user": ("role", "content"),
        "assistant": ("role", "content", "tool_calls", "reasoning", "reasoning_content"),
        "tool": ("role", "content", "tool_call_id"),
    },
    call_keys=("id", "type", "function", "index"),
    part_keys={"text": ("type", "text"), "image_url": ("type", "image_url")},
    sources={**TEMPLATED.sources, "keys": _PROVIDERS, "call_keys": _PROVIDERS, "part_keys": _PROVIDERS},
)
