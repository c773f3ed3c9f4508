"""Ollama as a provider: ``ollama.local.v1``."""

from modelmesh_connector_ollama.provider import OllamaProvider

__all__ = ["OllamaProvider"]
