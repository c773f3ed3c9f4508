"""OpenAI's own API."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

from modelmesh_cdk import EmbeddingLimit, ErrorMapping, LazyCodecs, OpenAICompatibleProvider, OperationCodec, operations_under
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_connector_openai.error_mappings import MAPPINGS
from modelmesh_connector_openai.message_rules import RULES

HEADERS_OF_VARIABLES = {"OPENAI_ORG_ID": "OpenAI-Organization", "OPENAI_PROJECT_ID": "OpenAI-Project"}


class OpenAIProvider(OpenAICompatibleProvider):
    """Every operation of OpenAI.

    The options ``organization`` and ``project`` are sent as headers. Their defaults are the variables ``OPENAI_ORG_ID`` and
    ``OPENAI_PROJECT_ID``. Variables and headers are those of the openai package 3.52.0 (read 2026-11-21).
    """

    id: ClassVar[str] = "openai.llm.v1"
    options: ClassVar[Collection[str]] = ("organization", "project")
    message_rules: ClassVar[MessageRules | None] = RULES
    # openai package 3.52.0, resources/, read 2026-11-30. Its models of completions were shut down on 2026-09-28.
    native_operations: ClassVar[Collection[str]] = operations_under("responses", "files", "batches", "uploads")
    error_mappings: ClassVar[Sequence[ErrorMapping]] = MAPPINGS
    default_base_url: ClassVar[str] = "https://api.openai.com/v1"
    api_key_variable: ClassVar[str | None] = "OPENAI_API_KEY"
    base_url_variable: ClassVar[str | None] = "OPENAI_BASE_URL"
    output_limit_parameter: ClassVar[str] = "max_completion_tokens"  # reasoning models refuse max_tokens
    embedding_limit: ClassVar[EmbeddingLimit | None] = EmbeddingLimit(
        inputs=2048,
        tokens=300_000,
        source="platform.openai.com/docs/api-reference/embeddings/create, as quoted in spiceai/spiceai#6144",
        as_of="2026-11-30",
    )
    requests_base64_embeddings: ClassVar[bool] = True  # openai package 3.52.0, resources/embeddings.py, read 2026-11-30

    operation_codecs: ClassVar[Mapping[str, OperationCodec]] = LazyCodecs("modelmesh_connector_openai.images")

    def _build_headers(self) -> dict[str, str]:
        """Return the headers of every request. Configured values override the environment."""
        headers = super()._build_headers()
        for variable, name in HEADERS_OF_VARIABLES.items():
            value = os.environ.get(variable, "")
            if value:
                headers.setdefault(name, value)
        return headers
