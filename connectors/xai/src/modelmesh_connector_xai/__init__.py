"""xAI as a provider: ``xai.grok.v1``."""

from modelmesh_connector_xai.provider import XAIProvider

__all__ = ["XAIProvider"]
