"""LM Studio as a provider: ``lmstudio.local.v1``."""

from modelmesh_connector_lmstudio.provider import LMStudioProvider

__all__ = ["LMStudioProvider"]
