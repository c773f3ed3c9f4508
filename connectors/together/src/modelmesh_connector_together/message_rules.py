"""Together's rules for conversations; unknown keys travel."""

from __future__ import annotations

from attrs import evolve

from modelmesh_cdk.message_rules import TEMPLATED, Source

RULES = evolve(
    TEMPLATED,
    vendor="Together",
    ranges={"presence_penalty": (-2, 2), "frequency_penalty": (-2, 2)},
    sources={
        **TEMPLATED.sources,
        "ranges": Source("package together 3.1.1, types/chat/completion_create_params.py", "2026-11-30"),
    },
)
