"""Conformance tests of CohereProvider."""

from __future__ import annotations

from modelmesh_connector_cohere import CohereProvider

from modelmesh_cdk.testing import ProviderConformance


class TestCohere(ProviderConformance):
    provider_class = CohereProvider
    dialect = "cohere"
    supports_embeddings = True

    @property
    def served_operations(self) -> list[str]:
        """The operations without parsing, whose sample is a PDF file. Cohere parses images only."""
        return [name for name in super().served_operations if name != "documents.parse"]
