"""Conformance tests of OllamaProvider."""

from __future__ import annotations

from modelmesh_connector_ollama import OllamaProvider

from modelmesh_cdk.testing import ProviderConformance


class TestOllama(ProviderConformance):
    provider_class = OllamaProvider
    needs_key = False  # a self-hosted server
    supports_embeddings = True
