"""Base rules for servers that render conversations with a model's chat template."""

from __future__ import annotations

from attrs import evolve

from modelmesh_cdk.message_rules.rules import Arguments, MessageRules, Source, SystemPlace

_TEMPLATES = Source(
    "chat templates of Qwen 3.5 and Devstral as quoted in 0xku/kon#5: no role but system, user, assistant, tool", "2026-11-30"
)
_TEXTS = Source("chat templates of Llama 3 and Qwen 2.5 VL: media parts are in messages of the user", "2026-11-30")
_ARGUMENTS = Source(
    "ollama/ollama openai/openai.go, llama.cpp as quoted in lemonade-sdk/lemonade#1481: arguments are parsed", "2026-11-30"
)

TEMPLATED = MessageRules(
    vendor="this server",
    replaced_roles={"developer": "system"},
    functions=False,
    parts={"system": ("text",), "assistant": ("text",), "tool": ("text",)},
    arguments=Arguments.JSON_OBJECT,
    sources={"parts": _TEXTS, "replaced_roles": _TEMPLATES, "functions": _TEMPLATES, "arguments": _ARGUMENTS},
)
"""Rules that hold for all chat templates. The servers accept unknown keys, and each template has its own limits."""

_FIRST = Source("'System message must be at the beginning', vllm-project/vllm#41114, ggml-org/llama.cpp#20733", "2026-11-30")
_QUERY = Source("'No user query found in messages', lmstudio-ai/lmstudio-bug-tracker#1586", "2026-11-30")

SELF_HOSTED = evolve(
    TEMPLATED,
    system=SystemPlace.ONE_FIRST,
    system_alone=False,
    sources={**TEMPLATED.sources, "system": _FIRST, "system_alone": _QUERY},
)
"""Rules for self-hosted servers that report a template's own errors, as they do with Qwen 3.5 and later."""
