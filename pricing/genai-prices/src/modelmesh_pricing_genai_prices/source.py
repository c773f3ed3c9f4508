"""The hook, and which of the library's providers is meant by a connector. The library is imported at the first question."""

from __future__ import annotations

from types import MappingProxyType

from modelmesh.contracts.models import ModelPricing
from modelmesh.hooks import hookimpl

PROVIDERS = MappingProxyType(
    {
        "anthropic.claude.v1": "anthropic",
        "cohere.nlp.v1": "cohere",
        "deepseek.api.v1": "deepseek",
        "fireworks.api.v1": "fireworks",
        "google.gemini.v1": "google",
        "groq.api.v1": "groq",
        "mistral.api.v1": "mistral",
        "openai.llm.v1": "openai",
        "openrouter.gateway.v1": "openrouter",
        "perplexity.search.v1": "perplexity",
        "together.api.v1": "together",
        "xai.grok.v1": "x-ai",
    }
)
"""The library's provider for each connector. Hugging Face is none of them: its price is that of whom the router picks."""


@hookimpl
def modelmesh_price(connector_id: str, model_id: str) -> ModelPricing | None:
    """Return what the library's bundled data says a model costs, ``None`` where it says nothing.

    Nothing is fetched, also where the program keeps the library's own copy of the prices up to date.

    Args:
        connector_id: ID of the provider connector.
        model_id: The vendor's own name of the model.
    """
    provider = PROVIDERS.get(connector_id)
    if provider is None:
        return None
    from modelmesh_pricing_genai_prices.conversion import price_of  # noqa: PLC0415 - half a second, and not for every mesh

    return price_of(provider, model_id)
