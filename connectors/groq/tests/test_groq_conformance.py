"""Conformance tests of GroqProvider."""

from __future__ import annotations

from modelmesh_connector_groq import GroqProvider

from modelmesh_cdk.testing import ProviderConformance


class TestGroq(ProviderConformance):
    provider_class = GroqProvider
    supports_embeddings = True
