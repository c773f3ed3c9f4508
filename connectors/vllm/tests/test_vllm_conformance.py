"""VLLMProvider keeps what every provider keeps."""

from __future__ import annotations

from modelmesh_connector_vllm import VLLMProvider

from modelmesh_cdk.testing import ProviderConformance


class TestVLLM(ProviderConformance):
    provider_class = VLLMProvider
    needs_key = False  # a server of one's own
    supports_embeddings = True
