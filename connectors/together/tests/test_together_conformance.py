"""TogetherProvider keeps what every provider keeps."""

from __future__ import annotations

from modelmesh_connector_together import TogetherProvider

from modelmesh_cdk.testing import ProviderConformance


class TestTogether(ProviderConformance):
    provider_class = TogetherProvider
    supports_embeddings = True
