"""Aliases of connector IDs. Output shows the values of these tables."""

from __future__ import annotations

from modelmesh._engine.foundation.ids import Kind, without_kind_prefix

ID_ALIASES = {
    "anthropic.llm.v1": "anthropic.claude.v1",
    "groq.inference.v1": "groq.api.v1",
    "deepseek.llm.v1": "deepseek.api.v1",
    "mistral.llm.v1": "mistral.api.v1",
    "together.inference.v1": "together.api.v1",
    "openrouter.api.v1": "openrouter.gateway.v1",
    "xai.api.v1": "xai.grok.v1",
    "cohere.api.v1": "cohere.nlp.v1",
    "jina.search.v1": "jina.ai.v1",
    "firecrawl.search.v1": "firecrawl.scrape.v1",
}
OBSERVABILITY_ALIASES = {"modelmesh.local-file.v1": "modelmesh.file.v1"}  # this ID also names a storage connector

STRATEGIES = (
    "stick-until-failure",
    "round-robin",
    "cost-first",
    "latency-first",
    "priority-selection",
    "rate-limit-aware",
    "load-balanced",
    "session-stickiness",
)
_STRATEGY_ALIASES = {"priority": "priority-selection"}


def canonical_id(text: str, kind: Kind) -> str:
    """Return the ID that a name in the configuration stands for.

    A strategy may be written by its short name: ``cost-first``, ``cost_first``.
    """
    name = without_kind_prefix(text, kind)
    if kind is Kind.STRATEGY and "." not in name:
        short = name.replace("_", "-")
        short = _STRATEGY_ALIASES.get(short, short)
        return f"modelmesh.{short}.v1"
    if kind is Kind.OBSERVABILITY:
        name = OBSERVABILITY_ALIASES.get(name, name)
    return ID_ALIASES.get(name, name)
