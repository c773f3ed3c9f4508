"""Cohere's chat and embeddings behind OpenAI's, reranking, parsing and transcriptions."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

from modelmesh.contracts import Answer, Billed, FailureClass, Limits, ModelInfo, Secret
from modelmesh.errors import ProviderError
from modelmesh_cdk import (
    BaseProvider,
    EmbeddingLimit,
    ErrorMapping,
    LazyCodecs,
    OperationCodec,
    WireRequest,
    model_list,
    provider_error,
    scrub_key,
)
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_connector_cohere import embeddings
from modelmesh_connector_cohere.answers import completion
from modelmesh_connector_cohere.error_mappings import MAPPINGS, failed_reason, is_error
from modelmesh_connector_cohere.events import EventDecoder
from modelmesh_connector_cohere.message_rules import RULES
from modelmesh_connector_cohere.model_rows import row_of
from modelmesh_connector_cohere.parameters import chat_body

_EMBEDDINGS = "embeddings"
_OF_HOOKS = ("chat.completions", _EMBEDDINGS)


class CohereProvider(BaseProvider):
    """Chat completions, embeddings, reranking, parsing of images and transcriptions at Cohere, API version 2.

    Variables, address, headers and paths are those of the cohere package 7.3.1 (``client.py``, ``environment.py``,
    ``core/client_wrapper.py``, read 2026-11-21).

    Options:
        client_name: Value of ``X-Client-Name``. None by default.
        input_type: Default purpose of embeddings. ``search_document`` by default.
    """

    id: ClassVar[str] = "cohere.nlp.v1"
    options: ClassVar[Collection[str]] = ("client_name", "input_type")
    error_mappings: ClassVar[Sequence[ErrorMapping]] = MAPPINGS
    default_base_url: ClassVar[str] = "https://api.cohere.com"
    api_key_variable: ClassVar[str | None] = "COHERE_API_KEY"
    other_key_variables: ClassVar[Sequence[str]] = ("CO_API_KEY",)
    base_url_variable: ClassVar[str | None] = "CO_API_URL"
    api_version: ClassVar[str] = "/v2"
    message_rules: ClassVar[MessageRules | None] = RULES
    list_path: ClassVar[str] = "/models?page_size=1000"  # the most of a page (models/client.py)
    embedding_limit: ClassVar[EmbeddingLimit | None] = EmbeddingLimit(
        inputs=96, source="cohere package 7.3.1 (v2/client.py: at most 96 texts per call)", as_of="2026-11-21"
    )

    operation_codecs: ClassVar[Mapping[str, OperationCodec]] = LazyCodecs("modelmesh_connector_cohere.operations")

    def _resolve_api_root(self) -> str:
        root = super()._resolve_api_root()
        host = urlsplit(root).hostname or ""
        if root.endswith("/v1") and host.endswith(("cohere.com", "cohere.ai")):
            return root.removesuffix("/v1") + self.api_version  # of the previous API. The cohere package does the same.
        return root

    def _build_headers(self) -> dict[str, str]:
        headers = super()._build_headers()
        name = self.config.options.get("client_name")
        if name:
            headers["X-Client-Name"] = name.reveal() if isinstance(name, Secret) else str(name)
        return headers

    def _get_completion_endpoint(self) -> str:
        return f"{self.api_root}/chat"

    def _endpoint(self, request: WireRequest) -> str:
        return f"{self.api_root}/embed" if request.call.operation.name == _EMBEDDINGS else super()._endpoint(request)

    def _build_request_payload(self, request: WireRequest) -> dict[str, Any]:
        if request.call.operation.name == _EMBEDDINGS:
            wanted = self.config.options.get("input_type") or embeddings.INPUT_TYPE
            return embeddings.embed_body(request, input_type=str(wanted))
        return chat_body(request)

    # -- answers ------------------------------------------------------------------------------------------------------

    def _parse_response(self, data: dict[str, Any]) -> dict[str, Any]:
        if is_error(data) or failed_reason(data.get("finish_reason")):
            raise self._map_embedded_error(data)
        try:
            if "embeddings" in data:
                return embeddings.embedding_list(data)
            return completion(data, created=int(time.time()))
        except (TypeError, AttributeError):
            raise ValueError("its body is not in Cohere's documented format") from None

    def _decode_response(self, request: WireRequest, status: int, headers: Mapping[str, str], raw: bytes) -> Answer:
        answer = super()._decode_response(request, status, headers, raw)
        if request.call.operation.name in _OF_HOOKS:
            answer.body.setdefault("model", request.model)
        if request.call.operation.name == _EMBEDDINGS:
            if "data" not in answer.body:
                raise ValueError("the response has no embeddings")
            embeddings.finish(answer.body, request.payload)
        return answer

    def _stream_decoder(self, request: WireRequest) -> EventDecoder:
        options = request.payload.get("stream_options")
        include_usage = bool(isinstance(options, Mapping) and options.get("include_usage"))
        return EventDecoder(self._map_embedded_error, model=request.model, include_usage=include_usage, created=int(time.time()))

    # -- the list of models -------------------------------------------------------------------------------------------

    def _get_list_endpoint(self) -> str:
        """Return the address of the list, which is in the first version of the API only (``models/raw_client.py``)."""
        root = self.api_root.removesuffix(self.api_version)
        return f"{self.api_root if root == self.api_root else root + '/v1'}{self.list_path}"

    def _parse_model_list(self, data: Any) -> Sequence[ModelInfo]:
        """Return the models of a page."""
        return model_list.read_rows(data, "models", self._parse_model_row)

    def _parse_model_row(self, row: Mapping[str, Any]) -> ModelInfo | None:
        """Return the row of a model."""
        return row_of(row, self.list_source())

    def _next_model_page(self, data: Any) -> Mapping[str, str] | None:
        """Return the token of the next page."""
        token = data.get("next_page_token") if isinstance(data, Mapping) else None
        return {"page_token": str(token)} if token else None

    def probe(self, limits: Limits) -> None:
        """Request the model list.

        Raises:
            ProviderError: The vendor is unavailable or rejects the key.
        """
        self.get_json(self._get_list_endpoint(), limits)

    # -- failures -----------------------------------------------------------------------------------------------------

    def _error_code(self, body: Any) -> str | None:
        """Return nothing for a refusal, which has no code, and the finish reason of an answer that failed."""
        reason = body.get("finish_reason") if isinstance(body, Mapping) else None
        return reason if isinstance(reason, str) else None

    def _map_error_response(self, status: int, headers: Mapping[str, str], raw: bytes) -> ProviderError:
        made = super()._map_error_response(status, headers, raw)
        if made.request_id is None and isinstance(made.body, Mapping) and isinstance(made.body.get("id"), str):
            made.request_id = made.body["id"]
        return made

    def _map_embedded_error(self, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> ProviderError:
        """Return the error of an answer that failed while it was written, or of an error body under a status of success."""
        code = scrub_key(self._error_code(body), self.api_key)
        kind, why = failed_reason(code) or (FailureClass.PROTOCOL, "an error with a success status")
        body = scrub_key(dict(body), self.api_key)
        made = provider_error(
            kind, f"the provider returned no answer: {why} ({code or 'no code'})", code=code, headers=headers, body=body
        )
        made.billed = Billed.UNKNOWN
        return made
