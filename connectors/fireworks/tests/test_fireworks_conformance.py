"""Conformance tests of FireworksProvider."""

from __future__ import annotations

from modelmesh_connector_fireworks import FireworksProvider

from modelmesh_cdk.testing import ProviderConformance


class TestFireworks(ProviderConformance):
    provider_class = FireworksProvider
    supports_embeddings = True
    unlisted = (
        "fireworks/qwen3-embedding-8b",
        "nomic-ai/nomic-embed-text-v1.5",
    )  # the list contains models named accounts/…
