"""Fireworks AI as a provider: ``fireworks.api.v1``."""

from modelmesh_connector_fireworks.provider import FireworksProvider

__all__ = ["FireworksProvider"]
