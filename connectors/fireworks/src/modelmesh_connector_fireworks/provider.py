"""Fireworks AI's OpenAI-compatible API."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from attrs import evolve

from modelmesh.contracts import ModelInfo
from modelmesh_cdk import (
    COMMON_RATE_LIMIT_HEADERS,
    EmbeddingLimit,
    ErrorMapping,
    LazyCodecs,
    OpenAICompatibleProvider,
    OperationCodec,
    RateLimitHeaders,
)
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_connector_fireworks.error_mappings import MAPPINGS, RATE_LIMITS
from modelmesh_connector_fireworks.message_rules import RULES

EMBED_CAPABILITY = "representation.embeddings.text-embeddings"
OWN_ADDRESS = "https://api.fireworks.ai"


class FireworksProvider(OpenAICompatibleProvider):
    """Chat completions, embeddings, images and reranking at Fireworks AI.

    Variables and paths are those of the fireworks-ai package 1.2.30, statuses those of docs.fireworks.ai (inference error
    codes). Both were read 2026-11-21. An address without a version gets ``/inference/v1``. The package appends ``/v1`` to
    other addresses than Fireworks' own. Configure the version for such a gateway.
    """

    id: ClassVar[str] = "fireworks.api.v1"
    options: ClassVar[Collection[str]] = ()
    message_rules: ClassVar[MessageRules | None] = RULES
    # docs.fireworks.ai (guides/response-api, tools-sdks/anthropic-compatibility), read 2026-11-30
    native_operations: ClassVar[Collection[str]] = frozenset({"responses", "completions", "messages"})
    error_mappings: ClassVar[Sequence[ErrorMapping]] = MAPPINGS
    rate_limit_headers: ClassVar[Sequence[RateLimitHeaders]] = (*RATE_LIMITS, *COMMON_RATE_LIMIT_HEADERS)
    default_base_url: ClassVar[str] = f"{OWN_ADDRESS}/inference/v1"
    api_key_variable: ClassVar[str | None] = "FIREWORKS_API_KEY"
    base_url_variable: ClassVar[str | None] = "FIREWORKS_BASE_URL"
    api_version: ClassVar[str] = "/inference/v1"
    embedding_limit: ClassVar[EmbeddingLimit | None] = EmbeddingLimit(
        inputs=2048,
        source="docs.fireworks.ai/api-reference/creates-an-embedding-vector-representing-the-input-text",
        as_of="2026-11-30",
    )

    operation_codecs: ClassVar[Mapping[str, OperationCodec]] = LazyCodecs("modelmesh_connector_fireworks.operation_codecs")

    def _resolve_api_root(self) -> str:
        """Return the base address with its path, whether ``base_url`` contains all, a part or none of that path."""
        root = super()._resolve_api_root()
        duplicate = "/inference" + self.api_version
        if root.endswith(duplicate):
            return root.removesuffix(duplicate) + self.api_version
        return self.default_base_url if root == f"{OWN_ADDRESS}/v1" else root

    def _parse_model_row(self, row: Mapping[str, Any]) -> ModelInfo | None:
        """Return the catalogue row of one entry of the model list (fields: simonw/llm-fireworks#4, read 2026-11-21)."""
        info = super()._parse_model_row(row)
        stated = {"vision": row.get("supports_image_input"), "tool_calling": row.get("supports_tools")}
        features = {name: value for name, value in stated.items() if isinstance(value, bool)}
        return info if info is None else evolve(info, features=features)

    def _unlisted_models(self) -> Sequence[ModelInfo]:
        """Return the embedding models. The model list may not contain them: its names begin with ``accounts/``."""
        return tuple(info for info in self.shipped_models() if EMBED_CAPABILITY in info.capabilities)
