"""Conformance tests of VLLMProvider."""

from __future__ import annotations

from modelmesh_connector_vllm import VLLMProvider

from modelmesh_cdk.testing import ProviderConformance


class TestVLLM(ProviderConformance):
    provider_class = VLLMProvider
    needs_key = False  # a self-hosted server
    supports_embeddings = True
