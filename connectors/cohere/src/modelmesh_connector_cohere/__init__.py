"""Cohere as a provider: ``cohere.nlp.v1``."""

from modelmesh_connector_cohere.provider import CohereProvider

__all__ = ["CohereProvider"]
