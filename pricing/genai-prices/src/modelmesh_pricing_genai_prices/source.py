"""Price hook, and the mapping from connectors to the library's providers. The first lookup imports the library."""

from __future__ import annotations

from types import MappingProxyType

from modelmesh.contracts import ModelPricing
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
"""The library's provider for each connector. Hugging Face is missing: its price is that of the provider its router chooses."""


@hookimpl
def modelmesh_price(connector_id: str, model_id: str) -> ModelPricing | None:
    """Return the price of a model in the library's bundled data, ``None`` when unknown.

    Nothing is downloaded, and prices that the program has downloaded with the library are not used.

    Args:
        connector_id: ID of the provider connector.
        model_id: Name of the model at the vendor.
    """
    provider = PROVIDERS.get(connector_id)
    if provider is None:
        return None
    from modelmesh_pricing_genai_prices.conversion import price_of  # noqa: PLC0415 - takes half a second, and most meshes need no lookup

    return price_of(provider, model_id)
