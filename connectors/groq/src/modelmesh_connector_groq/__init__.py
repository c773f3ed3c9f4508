"""Groq as a provider: ``groq.api.v1``."""

from modelmesh_connector_groq.provider import GroqProvider

__all__ = ["GroqProvider"]
