"""Perplexity's Agent API behind OpenAI's chat completions, and its embeddings."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from modelmesh.contracts import EMBEDDINGS, Answer, ModelInfo
from modelmesh.errors import ProviderError
from modelmesh_cdk import BaseProvider, EmbeddingLimit, ErrorMapping, LazyCodecs, OperationCodec, WireRequest
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_connector_perplexity.answers import completion
from modelmesh_connector_perplexity.embeddings import decode_vectors, embed_body
from modelmesh_connector_perplexity.error_mappings import MAPPINGS
from modelmesh_connector_perplexity.events import EventDecoder
from modelmesh_connector_perplexity.message_rules import RULES
from modelmesh_connector_perplexity.questions import body_of

GROUNDED = "retrieval.rag.grounded-generation"
STATUS_OF_TYPE = {"request_rate_limit_exceeded": 429, "internal_error": 500, "bad_gateway": 502, "gateway_timeout": 504}


class PerplexityProvider(BaseProvider):
    """Answers grounded in a web search, web search itself, and embeddings.

    Perplexity ended chat completions on 2026-09-27. The connector sends chats to its Agent API. Variables and types are those of
    the perplexityai package 0.46.1. Paths, the mapping of parameters, events and errors are those of
    docs.perplexity.ai/docs/agent-api/migrate-from-sonar. Both were read 2026-11-21.

    Options:
        web_search: ``False`` omits the tool ``web_search``, which the connector otherwise adds to every request without it.
        search_recency_filter: ``hour``, ``day``, ``week``, ``month`` or ``year``, for requests without a filter.
    """

    id: ClassVar[str] = "perplexity.search.v1"
    options: ClassVar[Collection[str]] = ("web_search", "search_recency_filter")
    message_rules: ClassVar[MessageRules | None] = RULES
    error_mappings: ClassVar[Sequence[ErrorMapping]] = MAPPINGS
    default_base_url: ClassVar[str] = "https://api.perplexity.ai"
    api_key_variable: ClassVar[str | None] = "PERPLEXITY_API_KEY"
    base_url_variable: ClassVar[str | None] = "PERPLEXITY_BASE_URL"
    probe_path: ClassVar[str] = ""  # the model list needs no key (page List Models, read 2026-11-21)
    default_capabilities: ClassVar[Sequence[str]] = (GROUNDED,)
    operation_codecs: ClassVar[Mapping[str, OperationCodec]] = LazyCodecs("modelmesh_connector_perplexity.searches")
    embedding_limit: ClassVar[EmbeddingLimit | None] = EmbeddingLimit(
        inputs=512, tokens=120_000, source="docs.perplexity.ai/api-reference/embeddings-post", as_of="2026-11-30"
    )

    def _get_completion_endpoint(self) -> str:
        return f"{self.api_root}/agent"

    def _build_request_payload(self, request: WireRequest) -> dict[str, Any]:
        if request.call.operation.name == EMBEDDINGS.name:
            return embed_body(request)
        options = self.config.options
        return body_of(request, searches=bool(options.get("web_search", True)), recency=options.get("search_recency_filter"))

    def _parse_response(self, data: dict[str, Any]) -> dict[str, Any]:
        if data.get("status") in ("failed", "cancelled"):
            message = f"the response was {data['status']} without a reason"
            raise ValueError(message)
        if "output" not in data and isinstance(data.get("data"), list):
            return data  # embeddings, which _decode_response completes because it has the request
        try:
            return completion(data)
        except (KeyError, TypeError, AttributeError):
            message = "its body is not a response in Perplexity's documented format"
            raise ValueError(message) from None

    def _decode_response(self, request: WireRequest, status: int, headers: Mapping[str, str], raw: bytes) -> Answer:
        answer = super()._decode_response(request, status, headers, raw)
        if request.call.operation.name == EMBEDDINGS.name:
            decode_vectors(answer.body, request.payload.get("encoding_format"))
        return answer

    def _stream_decoder(self, request: WireRequest) -> EventDecoder:
        options = request.payload.get("stream_options")
        return EventDecoder(
            self._map_embedded_error, asked_usage=bool(isinstance(options, Mapping) and options.get("include_usage"))
        )

    def _unlisted_models(self) -> Sequence[ModelInfo]:
        """Return the other models. The list covers the Agent API (docs.perplexity.ai, List Models, read 2026-11-21)."""
        return tuple(info for info in self.shipped_models() if GROUNDED not in info.capabilities)

    # -- failures -----------------------------------------------------------------------------------------------------

    def _map_embedded_error(self, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> ProviderError:
        """Return the error of a failed run with a success status."""
        error = body.get("error")
        if isinstance(error, Mapping) and not isinstance(error.get("code"), int):
            status = STATUS_OF_TYPE.get(str(error.get("type")))
            if status is not None:
                body = {**body, "error": {**error, "code": status}}
        return super()._map_embedded_error(body, headers)
