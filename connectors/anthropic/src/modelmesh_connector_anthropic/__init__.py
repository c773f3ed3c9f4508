"""Anthropic as a provider: ``anthropic.claude.v1``."""

from modelmesh_connector_anthropic.provider import AnthropicProvider

__all__ = ["AnthropicProvider"]
