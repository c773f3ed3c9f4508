"""OpenRouter, a gateway to other vendors' models."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from modelmesh.contracts import CHAT, FailureClass, ModelInfo
from modelmesh_cdk import ErrorMapping, LazyCodecs, OpenAICompatibleProvider, OperationCodec, WireRequest
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_connector_openrouter.error_mappings import MAPPINGS
from modelmesh_connector_openrouter.message_rules import RULES
from modelmesh_connector_openrouter.model_rows import row_of

TITLE = "ModelMesh"
CHAT_OPTIONS = ("route", "transforms")
ROUTED = ("chat.completions", "embeddings")


class OpenRouterProvider(OpenAICompatibleProvider):
    """Chat completions, embeddings, images, speech, transcriptions and reranking at OpenRouter.

    Address, variables, error types and ``usage.cost`` are those of the openrouter package 1.3.84. Statuses and errors inside
    a response are those of openrouter.ai/docs (errors and debugging). Both were read 2026-11-21.

    Options:
        http_referer: The application's address, sent as ``HTTP-Referer`` (default: ``OPENROUTER_HTTP_REFERER``).
        x_title: The application's name, sent as ``X-Title`` and under its newer name ``X-OpenRouter-Title``
            (default: ``OPENROUTER_X_OPEN_ROUTER_TITLE``, else ``ModelMesh``).
        provider_preferences: Default of the parameter ``provider`` of chat completions and embeddings.
        route: Default of the parameter ``route`` of chat completions, e.g. ``fallback``.
        transforms: Default of the parameter ``transforms`` of chat completions, e.g. ``[middle-out]``.
    """

    id: ClassVar[str] = "openrouter.gateway.v1"
    message_rules: ClassVar[MessageRules | None] = RULES
    # openrouter.ai/docs/api-reference (responses, messages), read 2026-11-30
    native_operations: ClassVar[Collection[str]] = frozenset({"responses", "messages"})
    missing_is_model: ClassVar[bool] = True
    options: ClassVar[Collection[str]] = ("http_referer", "x_title", "provider_preferences", "route", "transforms")
    error_mappings: ClassVar[Sequence[ErrorMapping]] = MAPPINGS
    default_base_url: ClassVar[str] = "https://openrouter.ai/api/v1"
    api_key_variable: ClassVar[str | None] = "OPENROUTER_API_KEY"
    api_version: ClassVar[str] = "/api/v1"
    probe_path: ClassVar[str] = "/key"  # the model list needs no key
    list_path: ClassVar[str] = "/models?output_modalities=all"  # default: text models only (openrouter package, models_.py)

    operation_codecs: ClassVar[Mapping[str, OperationCodec]] = LazyCodecs("modelmesh_connector_openrouter.media")

    def _resolve_api_root(self) -> str:
        """Return the base address with its path, also if ``base_url`` ends with ``/api``."""
        root = super()._resolve_api_root()
        twice = "/api" + self.api_version
        return root.removesuffix(twice) + self.api_version if root.endswith(twice) else root

    def _build_headers(self) -> dict[str, str]:
        """Return the headers of every request. Options take precedence over environment variables."""
        headers, options = super()._build_headers(), self.config.options
        referer = options.get("http_referer", os.environ.get("OPENROUTER_HTTP_REFERER", ""))
        title = options.get("x_title", os.environ.get("OPENROUTER_X_OPEN_ROUTER_TITLE") or TITLE)
        named = {"HTTP-Referer": referer, "X-Title": title, "X-OpenRouter-Title": title}
        return {**headers, **{name: str(value) for name, value in named.items() if value}}

    def _build_request_payload(self, request: WireRequest) -> dict[str, Any]:
        """Return the request body, with the configured preferences as defaults."""
        payload = super()._build_request_payload(request)
        preferences = self.config.options.get("provider_preferences")
        if preferences and request.call.operation.name in ROUTED:
            payload.setdefault("provider", preferences)
        if request.call.operation.name == CHAT.name:
            for name in CHAT_OPTIONS:
                if self.config.options.get(name) is not None:
                    payload.setdefault(name, self.config.options[name])
        return payload

    def _parse_response(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the response. Raise an error if a choice contains one, as an interrupted generation does."""
        for choice in _choices(data):
            if isinstance(choice, Mapping) and isinstance(choice.get("error"), Mapping):
                raise self._map_embedded_error({"error": choice["error"]})
        return data

    def _parse_sse_chunk(self, data: str) -> dict[str, Any] | None:
        """Return a chunk. Remove the empty choice that OpenRouter repeats in the usage chunk after the finish reason."""
        chunk = super()._parse_sse_chunk(data)
        if chunk is not None and chunk.get("usage") and all(map(_is_empty, _choices(chunk))):
            chunk["choices"] = []
        return chunk

    def _parse_model_row(self, row: Mapping[str, Any]) -> ModelInfo | None:
        """Return the catalogue row of one entry of the model list."""
        return row_of(row, self.list_source())

    # -- failures -----------------------------------------------------------------------------------------------------

    def _classify(self, status: int, code: str | None, headers: Mapping[str, str], body: Any) -> FailureClass:
        """Map an error response. OpenRouter also answers 403 to an input that its moderation flags."""
        if status == 403 and "flagged_input" in _metadata(body):  # noqa: PLR2004 - forbidden
            return FailureClass.POLICY
        return super()._classify(status, code, headers, body)


def _metadata(body: Any) -> Mapping[str, Any]:
    error = body.get("error") if isinstance(body, Mapping) else None
    found = error.get("metadata") if isinstance(error, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _choices(data: Mapping[str, Any]) -> list[Any]:
    found = data.get("choices")
    return found if isinstance(found, list) else []


def _is_empty(choice: Any) -> bool:
    if not isinstance(choice, Mapping) or choice.get("finish_reason") is not None or choice.get("error"):
        return False
    delta = choice.get("delta")
    return not delta or not any(value for name, value in delta.items() if name != "role")
