"""Together AI as a provider: ``together.api.v1``."""

from modelmesh_connector_together.provider import TogetherProvider

__all__ = ["TogetherProvider"]
