"""OpenAI as a provider: ``openai.llm.v1``."""

from modelmesh_connector_openai.provider import OpenAIProvider

__all__ = ["OpenAIProvider"]
