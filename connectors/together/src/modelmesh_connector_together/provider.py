"""Together AI's OpenAI-compatible API."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from modelmesh.contracts import ModelInfo
from modelmesh_cdk import ErrorMapping, LazyCodecs, OpenAICompatibleProvider, OperationCodec
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_connector_together.error_mappings import MAPPINGS
from modelmesh_connector_together.message_rules import RULES
from modelmesh_connector_together.model_rows import row_of

END_OF_TEXT = "eos"
"""Together's finish reason for a complete text."""


class TogetherProvider(OpenAICompatibleProvider):
    """Chat completions, images, speech, transcriptions and embeddings at Together AI.

    Variables and finish reasons are those of the together package 3.1.1, address and statuses those of docs.together.ai
    (OpenAI compatibility, error codes). All were read 2026-11-21.
    """

    id: ClassVar[str] = "together.api.v1"
    options: ClassVar[Collection[str]] = ()
    message_rules: ClassVar[MessageRules | None] = RULES
    # docs.together.ai/reference (completions, batches), read 2026-11-30
    native_operations: ClassVar[Collection[str]] = frozenset(
        {"completions", "batches.create", "batches.retrieve", "batches.cancel"}
    )
    error_mappings: ClassVar[Sequence[ErrorMapping]] = MAPPINGS
    default_base_url: ClassVar[str] = "https://api.together.ai/v1"
    api_key_variable: ClassVar[str | None] = "TOGETHER_API_KEY"
    base_url_variable: ClassVar[str | None] = "TOGETHER_BASE_URL"

    operation_codecs: ClassVar[Mapping[str, OperationCodec]] = LazyCodecs("modelmesh_connector_together.media")

    def _parse_response(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the response with the finish reason ``eos`` replaced by ``stop``."""
        return _with_stop(data)

    def _parse_sse_chunk(self, data: str) -> dict[str, Any] | None:
        """Return a chunk with the finish reason ``eos`` replaced by ``stop``."""
        chunk = super()._parse_sse_chunk(data)
        return None if chunk is None else _with_stop(chunk)

    def _parse_model_row(self, row: Mapping[str, Any]) -> ModelInfo | None:
        """Return the catalogue row of one entry of the model list."""
        return row_of(row, self.list_source())


def _with_stop(data: dict[str, Any]) -> dict[str, Any]:
    choices = data.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, dict) and choice.get("finish_reason") == END_OF_TEXT:
            choice |= {"finish_reason": "stop", "native_finish_reason": END_OF_TEXT}
    return data
