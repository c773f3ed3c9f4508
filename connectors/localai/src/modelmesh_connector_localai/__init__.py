"""LocalAI as a provider: ``localai.local.v1``."""

from modelmesh_connector_localai.provider import LocalAIProvider

__all__ = ["LocalAIProvider"]
