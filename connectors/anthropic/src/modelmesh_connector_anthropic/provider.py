"""Anthropic's Messages API behind OpenAI's chat completions."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from attrs import evolve

from modelmesh.contracts import ModelInfo
from modelmesh.errors import ConfigurationError, ProviderError
from modelmesh_cdk import COMMON_RATE_LIMIT_HEADERS, BaseProvider, ErrorMapping, OperationCodec, RateLimitHeaders, WireRequest
from modelmesh_cdk.message_rules import MessageRules
from modelmesh_connector_anthropic.answers import completion
from modelmesh_connector_anthropic.error_mappings import MAPPINGS, RATE_LIMITS, code_of, delay_of, status_of
from modelmesh_connector_anthropic.events import EventDecoder
from modelmesh_connector_anthropic.message_rules import RULES
from modelmesh_connector_anthropic.model_rows import row_of
from modelmesh_connector_anthropic.native_messages import NativeMessages
from modelmesh_connector_anthropic.own_blocks import in_openai_fields
from modelmesh_connector_anthropic.parameters import MAX_TOKENS, body_of, headers_of

VERSION = "2026-10-21"
"""What the anthropic package 2.11.0 sends as ``anthropic-version`` (read 2026-11-21)."""

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class AnthropicProvider(BaseProvider):
    """Chat completions at Anthropic.

    Variables, address, headers and path are those of the anthropic package 2.11.0 (read 2026-11-21), which sends an
    API key as a bearer token.

    Options:
        anthropic_version: The API's version, a date. Versions before ``2026-10-21`` have the parameters ``temperature``,
            ``top_p`` and ``top_k``, later versions do not.
        max_tokens: Output tokens of requests without a limit. The default is the model's output limit in the catalogue, and 4096
            for an unknown model.
    """

    id: ClassVar[str] = "anthropic.claude.v1"
    missing_is_model: ClassVar[bool] = True
    options: ClassVar[Collection[str]] = ("anthropic_version", "max_tokens")
    error_mappings: ClassVar[Sequence[ErrorMapping]] = MAPPINGS
    rate_limit_headers: ClassVar[Sequence[RateLimitHeaders]] = (*RATE_LIMITS, *COMMON_RATE_LIMIT_HEADERS)
    default_base_url: ClassVar[str] = "https://api.anthropic.com"
    api_key_variable: ClassVar[str | None] = "ANTHROPIC_API_KEY"
    base_url_variable: ClassVar[str | None] = "ANTHROPIC_BASE_URL"
    message_rules: ClassVar[MessageRules | None] = RULES
    native_operations: ClassVar[Collection[str]] = frozenset({"messages"})
    operation_codecs: ClassVar[Mapping[str, OperationCodec]] = {"messages": NativeMessages()}
    list_path: ClassVar[str] = "/models?limit=1000"  # the most of a page (types/model_list_params.py)

    def __init__(self, config: Any = None, **settings: Any) -> None:
        """Read the settings. Nothing is connected.

        Args:
            config: Settings, as an object or a map.
            **settings: Settings by name.

        Raises:
            ConfigurationError: The key is missing, or the address or an option is invalid.
        """
        super().__init__(config, **settings)
        self._output_limits: dict[str, int | None] = {}
        self.version = str(self.config.options.get("anthropic_version") or VERSION)  # unquoted YAML makes it a date
        if not _DATE.fullmatch(self.version):
            message = f"the provider {self.id} has anthropic_version {self.version!r}, which is no date; write '{VERSION}'"
            raise ConfigurationError(message)
        self.max_tokens = given = self.config.options.get("max_tokens")
        if given is not None and (not isinstance(given, int) or isinstance(given, bool) or given < 1):
            message = f"the provider {self.id} has max_tokens {given!r}; write a whole number from 1, e.g. {MAX_TOKENS}"
            raise ConfigurationError(message)

    def _build_headers(self) -> dict[str, str]:
        headers = super()._build_headers()
        if not any(name.lower() == "anthropic-version" for name in self.config.headers):
            headers["anthropic-version"] = self.version
        return headers

    def _encode_request(self, request: WireRequest) -> tuple[str, list[tuple[str, str]], bytes]:
        given = headers_of(request.payload)
        if given:
            options = request.call.options
            own = {name.lower() for name in options.headers}
            given = {name: value for name, value in given.items() if name not in own}
            request.call = evolve(request.call, options=evolve(options, headers={**given, **options.headers}))
        return super()._encode_request(request)

    def _get_completion_endpoint(self) -> str:
        return f"{self.api_root}/messages"

    def _build_request_payload(self, request: WireRequest) -> dict[str, Any]:
        return body_of(
            request,
            samples=self._version_of(request) < VERSION,
            set_max=self.max_tokens,
            known_max=self._known_max(request.model),
        )

    def _version_of(self, request: WireRequest) -> str:
        """Return the API version of a request: its header, else the account's header, else the option."""
        for headers in (request.call.options.headers, self.config.headers):
            for name, value in headers.items():
                if name.lower() == "anthropic-version":
                    return str(value)
        return self.version

    def _known_max(self, model: str) -> int | None:
        if model not in self._output_limits:
            try:
                self._output_limits[model] = self.get_model_info(model).max_output_tokens
            except KeyError:
                return None
        return self._output_limits[model]

    def _own_messages(self, messages: list[Any]) -> list[Any]:
        """Return messages with the tool calls and results of Anthropic's blocks in OpenAI's fields."""
        return in_openai_fields(messages)

    def _parse_response(self, data: dict[str, Any]) -> dict[str, Any]:
        try:
            return completion(data, created=int(time.time()))
        except (TypeError, KeyError, AttributeError):
            message = "its body is not a message as Anthropic documents it"
            raise ValueError(message) from None

    def _stream_decoder(self, request: WireRequest) -> EventDecoder:
        options = request.payload.get("stream_options")
        include_usage = bool(isinstance(options, Mapping) and options.get("include_usage"))
        return EventDecoder(self._map_embedded_error, include_usage=include_usage, created=int(time.time()))

    # -- the list of models -------------------------------------------------------------------------------------------

    def _parse_model_row(self, row: Mapping[str, Any]) -> ModelInfo | None:
        """Return the row of a model."""
        return row_of(row, self.list_source())

    def _next_model_page(self, data: Any) -> Mapping[str, str] | None:
        """Return the cursor after a page (``pagination.py`` of the anthropic package 2.11.0)."""
        more = isinstance(data, Mapping) and data.get("has_more") is not False and data.get("last_id")
        return {"after_id": str(data["last_id"])} if more and data.get("data") else None

    # -- failures -----------------------------------------------------------------------------------------------------

    def _error_code(self, body: Any) -> str | None:
        return code_of(body)

    def _stated_delay(self, headers: Mapping[str, str], body: Any) -> float | None:
        """Return the delay of the headers, else the date on which an account has access again."""
        stated = super()._stated_delay(headers, body)
        return delay_of(self._error_text(body), time.time()) if stated is None else stated

    def _map_embedded_error(self, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> ProviderError:
        """Return the error of an ``error`` event, or of an error body under a status of success."""
        heard = dict(headers or {})
        if body.get("request_id"):
            heard.setdefault("request-id", str(body["request_id"]))
        status = status_of(body)
        if status is None:
            return super()._map_embedded_error(body, heard)
        return self.build_error(status, heard, dict(body))
