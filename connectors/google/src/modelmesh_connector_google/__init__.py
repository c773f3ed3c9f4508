"""Google's Gemini as a provider: ``google.gemini.v1``."""

from modelmesh_connector_google.provider import GoogleProvider

__all__ = ["GoogleProvider"]
