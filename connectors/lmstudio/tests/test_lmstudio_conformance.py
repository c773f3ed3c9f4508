"""Conformance tests of LMStudioProvider."""

from __future__ import annotations

from modelmesh_connector_lmstudio import LMStudioProvider

from modelmesh_cdk.testing import ProviderConformance


class TestLMStudio(ProviderConformance):
    provider_class = LMStudioProvider
    needs_key = False  # a self-hosted server
    supports_embeddings = True
