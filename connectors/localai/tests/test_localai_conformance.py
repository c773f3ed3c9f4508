"""Conformance tests of LocalAIProvider."""

from __future__ import annotations

from modelmesh_connector_localai import LocalAIProvider

from modelmesh_cdk.testing import ProviderConformance


class TestLocalAI(ProviderConformance):
    provider_class = LocalAIProvider
    needs_key = False  # a self-hosted server
    supports_embeddings = True
