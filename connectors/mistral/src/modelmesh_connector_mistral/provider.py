"""Mistral's API behind OpenAI's chat completions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from modelmesh.contracts import ModelInfo
from modelmesh_cdk import (
    COMMON_RATE_LIMIT_HEADERS,
    EmbeddingLimit,
    ErrorMapping,
    LazyCodecs,
    OpenAICompatibleProvider,
    OperationCodec,
    RateLimitHeaders,
    WireRequest,
    operations_under,
)
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_connector_mistral.error_mappings import MAPPINGS, RATE_LIMITS
from modelmesh_connector_mistral.events import EventDecoder
from modelmesh_connector_mistral.message_rules import RULES
from modelmesh_connector_mistral.messages import to_mistral_messages
from modelmesh_connector_mistral.model_rows import row_of
from modelmesh_connector_mistral.shapes import flatten_choice, to_mistral


class MistralProvider(OpenAICompatibleProvider):
    """Chat completions, embeddings, speech, transcriptions, OCR and moderation at Mistral.

    Parameters, roles, content chunks and finish reasons are those of the mistralai package 3.7.0 (read 2026-11-21). Mistral
    rejects unknown parameters (422, ``extra_forbidden``). Such a request fails over to another vendor.
    """

    id: ClassVar[str] = "mistral.api.v1"
    options: ClassVar[Collection[str]] = ()
    error_mappings: ClassVar[Sequence[ErrorMapping]] = MAPPINGS
    rate_limit_headers: ClassVar[Sequence[RateLimitHeaders]] = (*RATE_LIMITS, *COMMON_RATE_LIMIT_HEADERS)
    default_base_url: ClassVar[str] = "https://api.mistral.ai/v1"
    api_key_variable: ClassVar[str | None] = "MISTRAL_API_KEY"
    requests_stream_usage: ClassVar[bool] = False  # streams always report usage, the option is rejected: openai-agents-python#442
    embedding_limit: ClassVar[EmbeddingLimit | None] = EmbeddingLimit(
        inputs=512,
        tokens=16_384,
        source="Mistral's error responses, as reported in raphaelmansuy/edgequake-llm#74 and aurelio-labs/semantic-router#297",
        as_of="2026-11-30",
    )
    requests_base64_embeddings: ClassVar[bool] = True  # mistralai package 3.7.0, models/encodingformat.py, read 2026-11-30
    message_rules: ClassVar[MessageRules | None] = RULES
    # mistralai package 3.7.0, client/files.py, read 2026-11-30
    native_operations: ClassVar[Collection[str]] = operations_under("files")

    operation_codecs: ClassVar[Mapping[str, OperationCodec]] = LazyCodecs("modelmesh_connector_mistral.operation_codecs")

    def _own_messages(self, messages: list[Any]) -> list[Any]:
        """Return messages with Mistral's content chunks restored."""
        return to_mistral_messages(messages)

    def _build_request_payload(self, request: WireRequest) -> dict[str, Any]:
        """Return the request body with Mistral's parameter names."""
        return to_mistral(super()._build_request_payload(request), request.call.operation.name, request.adapted)

    def _parse_response(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the response with content as text, as in OpenAI's format."""
        choices = data.get("choices")
        try:
            for choice in choices if isinstance(choices, list) else ():
                flatten_choice(choice, "message")
        except TypeError:
            message = "a choice does not have the documented format"
            raise ValueError(message) from None
        return data

    def _stream_decoder(self, request: WireRequest) -> EventDecoder:
        return EventDecoder(super()._stream_decoder(request))

    def _parse_model_row(self, row: Mapping[str, Any]) -> ModelInfo | None:
        """Return the catalogue row of one entry of the model list."""
        return row_of(row, self.list_source())

    # -- failures: Mistral's error bodies have no ``error`` object ----------------------------------------------------
