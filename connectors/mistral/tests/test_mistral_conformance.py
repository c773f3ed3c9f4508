"""Conformance tests of MistralProvider."""

from __future__ import annotations

from typing import Any

from modelmesh_connector_mistral import MistralProvider

from modelmesh_cdk.testing import ProviderConformance, Received
from modelmesh_cdk.testing.dialects import OpenAIDialect

OPENAIS = {"random_seed": "seed", "max_tokens": "max_completion_tokens", "output_dimension": "dimensions"}


class MistralDialect(OpenAIDialect):
    """OpenAI's dialect with Mistral's parameter names, from the mistralai package 3.7.0 (read 2026-11-21)."""

    def read_chat(self, received: Received) -> dict[str, Any]:
        return {OPENAIS.get(name, name): value for name, value in super().read_chat(received).items()}


class TestMistral(ProviderConformance):
    provider_class = MistralProvider
    wire = MistralDialect()
    supports_embeddings = True
