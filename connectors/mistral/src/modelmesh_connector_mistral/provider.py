"""Mistral's API behind OpenAI's chat completions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from modelmesh.contracts.models import ModelInfo
from modelmesh.routing.classes import FailureClass
from modelmesh_cdk import EmbeddingLimit, OpenAICompatibleProvider, WireRequest
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_connector_mistral.events import EventDecoder
from modelmesh_connector_mistral.message_rules import RULES
from modelmesh_connector_mistral.messages import in_own_form
from modelmesh_connector_mistral.model_rows import row_of
from modelmesh_connector_mistral.shapes import plain_choice, to_mistral

STATUSES_OF_REFUSALS = (400, 422)


class MistralProvider(OpenAICompatibleProvider):
    """Chat completions and embeddings at Mistral.

    Parameters, roles, content chunks and finish reasons are those of the mistralai package 3.7.0 (read 2026-11-21). Mistral
    refuses parameters that it does not know (422, ``extra_forbidden``); such a refusal lets another vendor serve.
    """

    id: ClassVar[str] = "mistral.api.v1"
    options: ClassVar[Collection[str]] = ()
    default_base_url: ClassVar[str] = "https://api.mistral.ai/v1"
    api_key_variable: ClassVar[str | None] = "MISTRAL_API_KEY"
    embedding_limit: ClassVar[EmbeddingLimit | None] = EmbeddingLimit(
        inputs=512,
        tokens=16_384,
        source="Mistral's refusals, as reported in raphaelmansuy/edgequake-llm#74 and aurelio-labs/semantic-router#297",
        as_of="2026-11-30",
    )
    message_rules: ClassVar[MessageRules | None] = RULES

    def _own_messages(self, messages: list[Any]) -> list[Any]:
        """Return messages with the content chunks that Mistral sent."""
        return in_own_form(messages)

    def _build_request_payload(self, request: WireRequest) -> dict[str, Any]:
        """Return the body with Mistral's names."""
        return to_mistral(super()._build_request_payload(request), request.call.operation.name, request.adapted)

    def _parse_response(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the answer with text where OpenAI has text."""
        choices = data.get("choices")
        try:
            for choice in choices if isinstance(choices, list) else ():
                plain_choice(choice, "message")
        except TypeError:
            message = "a choice is not as Mistral documents it"
            raise ValueError(message) from None
        return data

    def _stream_decoder(self, request: WireRequest) -> EventDecoder:
        return EventDecoder(super()._stream_decoder(request))

    def _parse_model_row(self, row: Mapping[str, Any]) -> ModelInfo | None:
        """Return what the list of models states of one."""
        return row_of(row, self._list_source())

    # -- failures: Mistral's error bodies have no ``error`` in them ---------------------------------------------------

    def _error_code(self, body: Any) -> str | None:
        """Return the type, which says more than the number that Mistral calls a code."""
        if isinstance(body, Mapping) and "error" not in body:
            code = body.get("type") or body.get("code")
            return str(code) if code else None
        return super()._error_code(body)

    def _error_text(self, body: Any) -> str:
        """Return ``message`` or ``detail``; either may be a list of what is wrong with each field."""
        if isinstance(body, Mapping) and "error" not in body:
            return str(body.get("message") or body.get("detail") or "")
        return super()._error_text(body)

    def _classify(self, status: int, code: str | None, headers: Mapping[str, str], body: Any) -> FailureClass:
        """Map a refusal; what one model or vendor cannot do, another may."""
        if status in STATUSES_OF_REFUSALS:
            text = self._error_text(body)
            if code == "invalid_model":
                return FailureClass.NOT_FOUND
            if "extra_forbidden" in text or "maximum context length" in text:
                return FailureClass.CAPABILITY
        return super()._classify(status, code, headers, body)
