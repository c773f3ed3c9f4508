"""Conformance tests of XAIProvider."""

from __future__ import annotations

from modelmesh_connector_xai import XAIProvider

from modelmesh_cdk.testing import ProviderConformance


class TestXAI(ProviderConformance):
    provider_class = XAIProvider
    supports_embeddings = True
