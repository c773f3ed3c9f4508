"""Conformance tests of OpenAIProvider."""

from __future__ import annotations

from modelmesh_connector_openai import OpenAIProvider

from modelmesh_cdk.testing import ProviderConformance


class TestOpenAI(ProviderConformance):
    provider_class = OpenAIProvider
    supports_embeddings = True
