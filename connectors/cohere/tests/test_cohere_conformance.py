"""Conformance tests of CohereProvider."""

from __future__ import annotations

from modelmesh_connector_cohere import CohereProvider

from modelmesh_cdk.testing import ProviderConformance


class TestCohere(ProviderConformance):
    provider_class = CohereProvider
    dialect = "cohere"
    supports_embeddings = True
