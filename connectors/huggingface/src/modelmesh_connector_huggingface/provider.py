"""Hugging Face's router to many inference providers, and embeddings at its provider ``hf-inference``."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from modelmesh.contracts import EMBEDDINGS, Answer, ModelInfo
from modelmesh_cdk import (
    EmbeddingLimit,
    ErrorMapping,
    LazyCodecs,
    OpenAICompatibleProvider,
    OperationCodec,
    WireRequest,
    json_codec,
    to_requested_encoding,
)
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_connector_huggingface.error_mappings import MAPPINGS
from modelmesh_connector_huggingface.features import embedding_list, task_body, task_path
from modelmesh_connector_huggingface.message_rules import RULES

CHAT_CAPABILITY = "generation.text-generation.chat-completion"


class HuggingFaceProvider(OpenAICompatibleProvider):
    """Chat completions at Hugging Face Inference Providers. Embeddings, images and transcriptions at ``hf-inference``.

    Address and the header ``X-HF-Bill-To`` are those of the huggingface-hub package 2.4.0 (``constants.py``), read 2026-11-21.

    Options:
        bill_to: The billed organization, sent as ``X-HF-Bill-To``.
        openai_embeddings: ``True`` if ``base_url`` is a self-hosted endpoint with OpenAI's ``/v1/embeddings``. Otherwise
            embeddings use the task ``feature-extraction``. Its path is outside the root of chat completions.
    """

    id: ClassVar[str] = "huggingface.inference.v1"
    options: ClassVar[Collection[str]] = ("bill_to", "openai_embeddings")
    message_rules: ClassVar[MessageRules | None] = RULES
    error_mappings: ClassVar[Sequence[ErrorMapping]] = MAPPINGS
    default_base_url: ClassVar[str] = "https://router.huggingface.co/v1"
    probe_path: ClassVar[str] = ""  # the model list needs no key
    api_key_variable: ClassVar[str | None] = "HF_TOKEN"
    other_key_variables: ClassVar[Sequence[str]] = ("HF_API_KEY", "HUGGINGFACE_API_TOKEN")
    embedding_limit: ClassVar[EmbeddingLimit | None] = EmbeddingLimit(
        inputs=32,
        source="--max-client-batch-size of text-embeddings-inference, its default (its page CLI arguments)",
        as_of="2026-11-30",
    )

    operation_codecs: ClassVar[Mapping[str, OperationCodec]] = LazyCodecs("modelmesh_connector_huggingface.tasks")

    def _build_headers(self) -> dict[str, str]:
        """Return the headers of every request."""
        headers = super()._build_headers()
        organization = self.config.options.get("bill_to")
        return {**headers, "X-HF-Bill-To": str(organization)} if organization else headers

    def _is_task(self, request: WireRequest) -> bool:
        return request.call.operation.name == EMBEDDINGS.name and not self.config.options.get("openai_embeddings")

    def _endpoint(self, request: WireRequest) -> str:
        """Return the address of a request. The path of a task does not contain the API version."""
        if self._is_task(request):
            return self.api_root.removesuffix(self.api_version) + task_path(request.model)
        return super()._endpoint(request)

    def _build_request_payload(self, request: WireRequest) -> dict[str, Any]:
        """Return the request body."""
        return task_body(request) if self._is_task(request) else super()._build_request_payload(request)

    def _decode_response(self, request: WireRequest, status: int, headers: Mapping[str, str], raw: bytes) -> Answer:
        """Return the response. The response of a task is a bare array."""
        if not self._is_task(request) or not 200 <= status < 300:  # noqa: PLR2004 - HTTP success
            return super()._decode_response(request, status, headers, raw)
        vectors = json_codec.decode(raw)
        if isinstance(vectors, dict) and vectors.get("error"):
            raise self._map_embedded_error(vectors, headers)
        if not isinstance(vectors, list):
            message = "its body is not a list of vectors"
            raise ValueError(message)  # noqa: TRY004 - the vendor's response is invalid, not an argument's type
        made = embedding_list(vectors, request)
        to_requested_encoding(made, request.payload.get("encoding_format"))
        return Answer(made, headers, request.adapted, self.reported_rate_limits(headers))

    def _unlisted_models(self) -> Sequence[ModelInfo]:
        """Return the models of tasks, which the router's model list does not contain."""
        return tuple(info for info in self.shipped_models() if CHAT_CAPABILITY not in info.capabilities)
