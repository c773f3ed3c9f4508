"""FireworksProvider keeps what every provider keeps."""

from __future__ import annotations

from modelmesh_connector_fireworks import FireworksProvider

from modelmesh_cdk.testing import ProviderConformance


class TestFireworks(ProviderConformance):
    provider_class = FireworksProvider
    supports_embeddings = True
