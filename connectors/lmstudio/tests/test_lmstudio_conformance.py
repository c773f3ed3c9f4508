"""LMStudioProvider keeps what every provider keeps."""

from __future__ import annotations

from modelmesh_connector_lmstudio import LMStudioProvider

from modelmesh_cdk.testing import ProviderConformance


class TestLMStudio(ProviderConformance):
    provider_class = LMStudioProvider
    needs_key = False  # a server of one's own
    supports_embeddings = True
