"""vLLM's message rules. Unknown keys and part types are sent unchanged."""

from __future__ import annotations

from attrs import evolve

from modelmesh_cdk.message_rules import SELF_HOSTED, Source

RULES = evolve(
    SELF_HOSTED,
    vendor="vLLM",
    sources={
        **SELF_HOSTED.sources,
        "arguments": Source("vllm-project/vllm, entrypoints/chat_utils.py: arguments of earlier calls are parsed", "2026-11-30"),
    },
)
