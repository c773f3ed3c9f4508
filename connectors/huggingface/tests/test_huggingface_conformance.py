"""Conformance tests of HuggingFaceProvider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmesh_connector_huggingface import HuggingFaceProvider

from modelmesh_cdk.testing import ProviderConformance, Received
from modelmesh_cdk.testing.dialects import OpenAIDialect, written

TASK = "/pipeline/feature-extraction"


class RouterDialect(OpenAIDialect):
    """OpenAI's dialect with embeddings as a task, as in the huggingface-hub package 2.4.0 (read 2026-11-21)."""

    def path(self, operation: str, model: str) -> str:
        return f"/hf-inference/models/{model}{TASK}" if operation == "embeddings" else super().path(operation, model)

    def read_embeddings(self, received: Received) -> dict[str, Any]:
        body = self.read_chat(received)
        model = received.path.removeprefix("/hf-inference/models/").removesuffix(TASK)
        return {"model": model, "input": body["inputs"], **{name: value for name, value in body.items() if name != "inputs"}}

    def write_embeddings(self, body: Mapping[str, Any], received: Received) -> bytes:
        return written([row["embedding"] for row in body["data"]])


class TestHuggingFace(ProviderConformance):
    provider_class = HuggingFaceProvider
    wire = RouterDialect()
    supports_embeddings = True
    unlisted = (  # models of tasks, which the router does not list
        "thenlper/gte-large",
        "black-forest-labs/FLUX.1-dev",
        "openai/whisper-large-v3",
        "openai/whisper-large-v3-turbo",
    )
    supports_embedding_usage = False
