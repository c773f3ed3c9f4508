"""Conformance tests of GoogleProvider."""

from __future__ import annotations

from modelmesh_connector_google import GoogleProvider

from modelmesh_cdk.testing import ProviderConformance


class TestGoogle(ProviderConformance):
    provider_class = GoogleProvider
    dialect = "gemini"
    supports_embeddings = True
