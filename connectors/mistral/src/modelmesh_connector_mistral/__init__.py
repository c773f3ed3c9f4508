"""Mistral as a provider: ``mistral.api.v1``."""

from modelmesh_connector_mistral.provider import MistralProvider

__all__ = ["MistralProvider"]
