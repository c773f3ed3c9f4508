"""HuggingFaceProvider keeps what every provider keeps."""

from __future__ import annotations

from modelmesh_connector_huggingface import HuggingFaceProvider

from modelmesh_cdk.testing import ProviderConformance


class TestHuggingFace(ProviderConformance):
    provider_class = HuggingFaceProvider
