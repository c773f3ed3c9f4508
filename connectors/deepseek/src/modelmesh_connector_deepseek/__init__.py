"""DeepSeek as a provider: ``deepseek.api.v1``."""

from modelmesh_connector_deepseek.provider import DeepSeekProvider

__all__ = ["DeepSeekProvider"]
