"""OpenRouter as a provider: ``openrouter.gateway.v1``."""

from modelmesh_connector_openrouter.provider import OpenRouterProvider

__all__ = ["OpenRouterProvider"]
