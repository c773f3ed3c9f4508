"""Together's message rules. Unknown keys are sent unchanged."""

from __future__ import annotations

from attrs import evolve

from modelmesh_cdk.message_rules import TEMPLATED, ContentWithCalls, Source

RULES = evolve(
    TEMPLATED,
    vendor="Together",
    content_with_calls=ContentWithCalls.EMPTY,
    ranges={"presence_penalty": (-2, 2), "frequency_penalty": (-2, 2)},
    sources={
        **TEMPLATED.sources,
        "content_with_calls": Source(
            "togethercomputer/together-py, types/chat/completion_create_params.py: content is a text, mozilla-ai/any-llm#714",
            "2026-11-30",
        ),
        "ranges": Source("package together 3.1.1, types/chat/completion_create_params.py", "2026-11-30"),
    },
)
