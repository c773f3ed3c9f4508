"""Conformance tests of OpenRouterProvider."""

from __future__ import annotations

from modelmesh_connector_openrouter import OpenRouterProvider

from modelmesh_cdk.testing import ProviderConformance


class TestOpenRouter(ProviderConformance):
    provider_class = OpenRouterProvider
    supports_embeddings = True
