"""Perplexity as a provider: ``perplexity.search.v1``."""

from modelmesh_connector_perplexity.provider import PerplexityProvider

__all__ = ["PerplexityProvider"]
