"""Groq's OpenAI-compatible API."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from modelmesh_cdk import ErrorMapping, LazyCodecs, OpenAICompatibleProvider, OperationCodec, operations_under
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_connector_groq.error_mappings import MAPPINGS
from modelmesh_connector_groq.message_rules import RULES


class GroqProvider(OpenAICompatibleProvider):
    """Chat completions, speech and transcriptions at Groq, and embeddings with a configured model.

    Variables, paths and the field ``x_groq`` are those of the groq package 1.7.0 (read 2026-11-21). The address of that package
    has no path.
    """

    id: ClassVar[str] = "groq.api.v1"
    options: ClassVar[Collection[str]] = ()
    message_rules: ClassVar[MessageRules | None] = RULES
    # groq package 1.7.0, resources/, and console.groq.com/docs/openai (Responses API), read 2026-11-30
    native_operations: ClassVar[Collection[str]] = frozenset({"responses", *operations_under("files", "batches")})
    error_mappings: ClassVar[Sequence[ErrorMapping]] = MAPPINGS
    default_base_url: ClassVar[str] = "https://api.groq.com/openai/v1"
    api_key_variable: ClassVar[str | None] = "GROQ_API_KEY"
    base_url_variable: ClassVar[str | None] = "GROQ_BASE_URL"
    api_version: ClassVar[str] = "/openai/v1"

    operation_codecs: ClassVar[Mapping[str, OperationCodec]] = LazyCodecs("modelmesh_connector_groq.audio")

    def _resolve_api_root(self) -> str:
        """Return the address with its path once, also when it was written as far as ``/openai``."""
        root = super()._resolve_api_root()
        twice = "/openai" + self.api_version
        return root.removesuffix(twice) + self.api_version if root.endswith(twice) else root

    def _parse_sse_chunk(self, data: str) -> dict[str, Any] | None:
        """Return a chunk. Usage and errors in ``x_groq`` are copied to the fields of OpenAI's format."""
        chunk = super()._parse_sse_chunk(data)
        own = chunk.get("x_groq") if chunk else None
        if chunk is None or not isinstance(own, dict):
            return chunk
        if own.get("usage") and not chunk.get("usage"):
            chunk["usage"] = own["usage"]
        if own.get("error"):
            chunk.setdefault("error", {"message": own["error"]})
        return chunk
