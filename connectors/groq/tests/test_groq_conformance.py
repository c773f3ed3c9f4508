"""GroqProvider keeps what every provider keeps."""

from __future__ import annotations

from modelmesh_connector_groq import GroqProvider

from modelmesh_cdk.testing import ProviderConformance


class TestGroq(ProviderConformance):
    provider_class = GroqProvider
    supports_embeddings = True
