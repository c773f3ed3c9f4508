"""Google's Gemini API with OpenAI's chat completions, embeddings, images, speech and transcriptions."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote

from attrs import evolve

from modelmesh.contracts import CHAT, EMBEDDINGS, Answer, FailureClass, ModelInfo
from modelmesh.errors import ProviderError
from modelmesh_cdk import (
    BaseProvider,
    EmbeddingLimit,
    ErrorMapping,
    LazyCodecs,
    OperationCodec,
    WireRequest,
    json_codec,
    model_list,
    provider_error,
    scrub_key,
)
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_connector_google import embeddings, parameters
from modelmesh_connector_google.answers import completion
from modelmesh_connector_google.error_mappings import MAPPINGS, code_of, delay_of, request_id_of, spent_class, text_of, unwrapped
from modelmesh_connector_google.events import EventDecoder, blocked
from modelmesh_connector_google.message_rules import RULES
from modelmesh_connector_google.model_rows import row_of
from modelmesh_connector_google.own_parts import in_openai_fields
from modelmesh_connector_google.safety import read_safety_settings


class GoogleProvider(BaseProvider):
    """Chat completions, embeddings, images, speech and transcriptions at Google's Gemini API.

    Variables, address, header and paths are those of google-genai 3.4.0 (read 2026-11-21). The key is sent in a header and
    never in an address, because proxies and servers log addresses.

    Options:
        api_version: Version for an address without one: ``v1``, or ``v1beta`` for preview features. The default is the variable
            ``GOOGLE_GENAI_API_VERSION``, where ``beta`` means ``v1beta``. Without both, images and audio have ``v1beta``.
        safety_settings: Default of ``safetySettings`` of chats: a list of ``{category, threshold}``, or a map of categories to
            thresholds.
    """

    id: ClassVar[str] = "google.gemini.v1"
    options: ClassVar[Collection[str]] = ("api_version", "safety_settings")
    native_operations: ClassVar[Collection[str]] = frozenset({"generate_content"})
    missing_is_model: ClassVar[bool] = True
    error_mappings: ClassVar[Sequence[ErrorMapping]] = MAPPINGS
    default_base_url: ClassVar[str] = "https://generativelanguage.googleapis.com"
    api_key_variable: ClassVar[str | None] = "GOOGLE_API_KEY"
    other_key_variables: ClassVar[Sequence[str]] = ("GEMINI_API_KEY",)
    base_url_variable: ClassVar[str | None] = "GOOGLE_GEMINI_BASE_URL"
    api_version: ClassVar[str] = "/v1"
    message_rules: ClassVar[MessageRules | None] = RULES
    list_path: ClassVar[str] = "/models?pageSize=1000"  # the most of a page (ai.google.dev/api/models, read 2026-11-21)
    embedding_limit: ClassVar[EmbeddingLimit | None] = EmbeddingLimit(
        inputs=100, source="Google's refusal, as reported in lancedb/lancedb#3618", as_of="2026-11-30"
    )

    operation_codecs: ClassVar[Mapping[str, OperationCodec]] = LazyCodecs("modelmesh_connector_google.operation_codecs")

    def __init__(self, config: Any = None, **settings: Any) -> None:
        """Read the settings. Nothing is connected.

        Args:
            config: Settings, as an object or a map.
            **settings: Settings by name.

        Raises:
            ConfigurationError: No key, no usable address, or an option that cannot be used.
        """
        super().__init__(config, **settings)
        self.safety_settings = read_safety_settings(self.config.options.get("safety_settings"))

    @property
    def names_version(self) -> bool:
        """Whether the settings name a version: the option, the variable or the end of the address."""
        named = self.config.options.get("api_version") or os.environ.get("GOOGLE_GENAI_API_VERSION")
        return bool(named) or self._resolve_base_url().rstrip("/").endswith("/v1")

    def _api_version(self) -> str:
        named = self.config.options.get("api_version") or os.environ.get("GOOGLE_GENAI_API_VERSION") or self.api_version
        return "/v1beta" if named == "beta" else f"/{str(named).strip('/')}"

    def _build_headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        if self.api_key is not None:
            headers["x-goog-api-key"] = self.api_key.reveal()
        return headers

    def _endpoint(self, request: WireRequest) -> str:
        address = f"{self.api_root}/{quote(_resource(request.model), safe='/')}"
        if request.call.operation.name == EMBEDDINGS.name:
            return f"{address}:batchEmbedContents"
        if request.call.operation.name != CHAT.name:
            message = f"{self.id} does not serve {request.call.operation.name}. Nothing was sent."
            raise provider_error(FailureClass.CAPABILITY, message, status=400)
        return f"{address}:streamGenerateContent?alt=sse" if request.stream else f"{address}:generateContent"

    def _build_request_payload(self, request: WireRequest) -> dict[str, Any]:
        if request.call.operation.name == EMBEDDINGS.name:
            return embeddings.body_of(request, _resource(request.model))
        body = parameters.body_of(request)
        messages = request.payload.get("messages") or ()
        if any(isinstance(one, Mapping) and one.get("reasoning_content") for one in messages):
            request.note_harmless("reasoning_content of assistant messages left out: Gemini takes no thoughts back")
        if self.safety_settings and body.get("safetySettings") is None:
            body["safetySettings"] = self.safety_settings
        return body

    def _encode_request(self, request: WireRequest) -> Any:
        if request.call.operation.name == "audio.transcriptions":
            from modelmesh_connector_google.transcriptions import revision_headers  # noqa: PLC0415 - only for transcriptions

            options = request.call.options
            headers = {**revision_headers(request.model), **options.headers}
            request.call = evolve(request.call, options=evolve(options, headers=headers))
        return super()._encode_request(request)

    def _own_messages(self, messages: list[Any]) -> list[Any]:
        """Return messages with the tool calls and results of Gemini's parts in OpenAI's fields."""
        return in_openai_fields(messages)

    # -- answers ------------------------------------------------------------------------------------------------------

    def _parse_response(self, data: dict[str, Any]) -> dict[str, Any]:
        if "embeddings" in data:
            return data  # finished in _decode_response, where the request is known
        if blocked(data):
            raise self._map_embedded_error(data)
        try:
            return completion(data, created=int(time.time()))
        except (TypeError, AttributeError, KeyError):
            message = "its body is not in Gemini's documented format"
            raise ValueError(message) from None

    def _decode_response(self, request: WireRequest, status: int, headers: Mapping[str, str], raw: bytes) -> Answer:
        answer = super()._decode_response(request, status, headers, raw)
        if request.call.operation.name == EMBEDDINGS.name:
            answer.body = embeddings.embeddings_of(answer.body, request)
        elif request.call.operation.name == CHAT.name and answer.body.get("model") is None:
            answer.body["model"] = request.model
        return answer

    def _stream_decoder(self, request: WireRequest) -> EventDecoder:
        options = request.payload.get("stream_options")
        include_usage = bool(isinstance(options, Mapping) and options.get("include_usage"))
        count = request.payload.get("n")
        return EventDecoder(
            self._map_embedded_error,
            model=request.model,
            candidates=count if isinstance(count, int) and count > 0 else 1,
            include_usage=include_usage,
            created=int(time.time()),
        )

    # -- model list --------------------------------------------------------------------------------------------------

    def _parse_model_list(self, data: Any) -> Sequence[ModelInfo]:
        """Return the models of a page. Google omits empty fields, and thus the list of an empty page."""
        return () if data == {} else model_list.read_rows(data, "models", self._parse_model_row)

    def _parse_model_row(self, row: Mapping[str, Any]) -> ModelInfo | None:
        """Return the row of a model."""
        return row_of(row, self.list_source())

    def _next_model_page(self, data: Any) -> Mapping[str, str] | None:
        """Return the token of the next page."""
        token = data.get("nextPageToken") if isinstance(data, Mapping) else None
        return {"pageToken": str(token)} if token else None

    # -- failures -----------------------------------------------------------------------------------------------------

    def _error_code(self, body: Any) -> str | None:
        return code_of(body)

    def _error_text(self, body: Any) -> str:
        return text_of(body) or super()._error_text(unwrapped(body))

    def _classify(self, status: int, code: str | None, headers: Mapping[str, str], body: Any) -> FailureClass:
        return spent_class(status, body) or super()._classify(status, code, headers, body)

    def _stated_delay(self, headers: Mapping[str, str], body: Any) -> float | None:
        """Return the delay of the headers, else that of ``RetryInfo`` in the body."""
        stated = super()._stated_delay(headers, body)
        return delay_of(body) if stated is None else stated

    def _map_error_response(self, status: int, headers: Mapping[str, str], raw: bytes) -> ProviderError:
        try:
            body = json_codec.decode(raw)
        except ValueError:
            body = None
        made = super()._map_error_response(status, headers, raw)
        made.request_id = made.request_id or scrub_key(request_id_of(body), self.api_key)
        return made

    def _map_embedded_error(self, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> ProviderError:
        """Return the error of an error body with a success status, or of a blocked prompt.

        A blocked prompt has no answer, not even an empty one, so it is an error and not a choice with ``content_filter``. The
        request is not retried at another account, because the prompt stays the same.
        """
        if not body.get("error"):
            reason = scrub_key(str(blocked(body)), self.api_key)
            message = f"the provider blocked the prompt ({reason}); its promptFeedback is in the error's body"
            return provider_error(
                FailureClass.POLICY, message, code=reason, headers=headers, body=scrub_key(dict(body), self.api_key), status=400
            )
        return super()._map_embedded_error(body, headers)


def _resource(model: str) -> str:
    """Return a model's name in paths, as google-genai 3.4.0 makes it."""
    return model if model.startswith(("models/", "tunedModels/")) else f"models/{model}"
