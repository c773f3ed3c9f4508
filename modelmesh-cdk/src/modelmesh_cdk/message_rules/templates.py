"""Rules of servers that render conversations with the chat template of a model, from which a connector derives its own."""

from __future__ import annotations

from modelmesh_cdk.message_rules.rules import Arguments, MessageRules, Source

_TEMPLATES = Source(
    "chat templates of Qwen 3.5 and Devstral as quoted in 0xku/kon#5: no role but system, user, assistant, tool", "2026-11-30"
)
_ARGUMENTS = Source(
    "ollama/ollama openai/openai.go, llama.cpp as quoted in lemonade-sdk/lemonade#1481: arguments are parsed", "2026-11-30"
)

TEMPLATED = MessageRules(
    vendor="this server",
    replaced_roles={"developer": "system"},
    functions=False,
    arguments=Arguments.JSON_OBJECT,
    sources={"replaced_roles": _TEMPLATES, "functions": _TEMPLATES, "arguments": _ARGUMENTS},
)
"""Template-rendering servers accept unknown keys, and each template has limits of its own; these hold for all."""
