"""Hooks of a provider connector and their defaults, which speak OpenAI's format.

Hooks do no I/O: they build requests and read responses. :mod:`modelmesh_cdk.provider.declared_hooks` lists all of them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from modelmesh._engine.foundation.failure_rules import BUSY_STATUSES, classify
from modelmesh._engine.foundation.lazy_import import LazyModule
from modelmesh.contracts import CHAT, EMBEDDINGS, FailureClass, Secret
from modelmesh.contracts.operations import OperationScope, StreamKind
from modelmesh.errors import ConfigurationError, ProviderError
from modelmesh_cdk.provider.config import BaseProviderConfig
from modelmesh_cdk.provider.rate_limit_headers import COMMON_RATE_LIMIT_HEADERS, RateLimitHeaders, ReportedLimits, stated_delay
from modelmesh_cdk.wire.urls import join_api_root

if TYPE_CHECKING:
    from modelmesh.contracts.models import ModelInfo
    from modelmesh.contracts.provider import Answer
    from modelmesh.contracts.rate_limits import RateLimit
    from modelmesh_cdk.message_rules import MessageRules
    from modelmesh_cdk.provider import common_errors, error_bodies, model_list, stream_usage, vectors
    from modelmesh_cdk.provider.embedding_batches import EmbeddingLimit
    from modelmesh_cdk.provider.error_mapping import ErrorMapping
    from modelmesh_cdk.provider.operation_codec import OperationCodec
    from modelmesh_cdk.wire import json_codec
    from modelmesh_cdk.wire.request import WireRequest
else:  # create() needs none of them
    common_errors = LazyModule(globals(), "common_errors", "modelmesh_cdk.provider.common_errors")
    error_bodies = LazyModule(globals(), "error_bodies", "modelmesh_cdk.provider.error_bodies")
    model_list = LazyModule(globals(), "model_list", "modelmesh_cdk.provider.model_list")
    stream_usage = LazyModule(globals(), "stream_usage", "modelmesh_cdk.provider.stream_usage")
    vectors = LazyModule(globals(), "vectors", "modelmesh_cdk.provider.vectors")
    json_codec = LazyModule(globals(), "json_codec", "modelmesh_cdk.wire.json_codec")

CHAT_CAPABILITY = "generation.text-generation.chat-completion"
_NOT_FOUND = 404
_OF_ACCOUNT = OperationScope.ACCOUNT


class ProviderHooks:
    """What a connector overrides.

    Attributes:
        id: Connector ID, equal to the name of the entry point.
        config_class: Class of the settings.
        default_base_url: Address of the vendor's API.
        base_url_variable: Environment variable with an address, read when the settings contain none.
        api_version: Path of the API version, appended to an address that has none.
        api_key_variable: Environment variable with the API key, read when the settings contain none.
        other_key_variables: Further variables with the API key, read in this order after ``api_key_variable``.
        requires_key: Whether the API requires a key.
        default_capabilities: Capabilities of models that state none.
        missing_is_model: Whether the vendor returns 404 only for an unknown model.
        error_mappings: Meaning of the vendor's error codes and messages.
        rate_limit_headers: Names of the headers that report the vendor's rate limits.
        message_rules: The vendor's rules for conversations. The kit adapts every chat to them. ``None`` adapts nothing.
        requests_stream_usage: Whether requests for streams ask for token usage with ``stream_options``. ``False`` for a vendor
            that reports usage anyway and rejects the option.
        output_limit_parameter: Parameter that limits the output tokens, for limits that the mesh sets. Limits of the caller keep
            the names that the caller used.
        embedding_limit: Limits of one request for embeddings. The kit splits larger requests. ``None`` where the vendor
            documents no limit. The kit remembers a limit that a refusal states.
        requests_base64_embeddings: Whether requests for embeddings ask for base64, which is smaller and faster to read. Callers
            receive the encoding that they asked for. ``True`` where the vendor documents ``encoding_format``.
        native_operations: Names of the operations that the vendor serves in their own format: of those that the mesh otherwise
            translates to chat completions (``responses``, ``completions``, ``messages``, ``generate_content``), and of those of
            an account (``files.create``, ``batches.create`` …).
        operation_codecs: Codecs of the operations whose format differs from OpenAI's, by the name of the operation. Chat
            completions and embeddings have the hooks of the connector instead.
        probe_path: Path below the API root that :meth:`probe` requests: free of charge, and refused without a valid key. Empty
            where there is none. Then only a request shows whether the vendor is available.
        list_path: Path of the vendor's model list below the API root, with its query. Empty where there is none.
    """

    id: ClassVar[str] = "modelmesh.base.v1"
    config_class: ClassVar[type[BaseProviderConfig]] = BaseProviderConfig
    default_base_url: ClassVar[str] = ""
    base_url_variable: ClassVar[str | None] = None
    api_version: ClassVar[str] = "/v1"
    api_key_variable: ClassVar[str | None] = None
    other_key_variables: ClassVar[Sequence[str]] = ()
    requires_key: ClassVar[bool] = True
    default_capabilities: ClassVar[Sequence[str]] = (CHAT_CAPABILITY,)
    missing_is_model: ClassVar[bool] = False
    error_mappings: ClassVar[Sequence[ErrorMapping]] = ()
    rate_limit_headers: ClassVar[Sequence[RateLimitHeaders]] = COMMON_RATE_LIMIT_HEADERS
    message_rules: ClassVar[MessageRules | None] = None
    requests_stream_usage: ClassVar[bool] = True
    output_limit_parameter: ClassVar[str] = "max_tokens"
    embedding_limit: ClassVar[EmbeddingLimit | None] = None
    requests_base64_embeddings: ClassVar[bool] = False
    native_operations: ClassVar[Collection[str]] = frozenset()
    operation_codecs: ClassVar[Mapping[str, OperationCodec]] = {}
    probe_path: ClassVar[str] = "/models"
    list_path: ClassVar[str] = "/models"

    config: BaseProviderConfig
    api_root: str
    api_key: Secret | None

    # -- address and headers ------------------------------------------------------------------------------------------

    def _resolve_base_url(self) -> str:
        """Return the configured address, else that of the environment variable, else the default.

        A host in a variable that ends in ``_HOST`` may lack its scheme.
        """
        variable = self.base_url_variable
        named = os.environ.get(variable, "").strip() if variable else ""
        written = self.config.base_url.strip() or named or self.default_base_url
        if variable and variable.endswith("_HOST") and written == named and written and "://" not in written:
            return f"http://{written}"
        return written

    def _api_version(self) -> str:
        """Return the path of the API version, appended to an address that has none."""
        return self.api_version

    def _resolve_api_root(self) -> str:
        """Return the address that every path is appended to: the base URL with the API version."""
        try:
            return join_api_root(self._resolve_base_url(), self._api_version())
        except ValueError as error:
            message = f"the provider {self.id} has no usable base_url: {error}"
            raise ConfigurationError(message) from None

    def _get_completion_endpoint(self) -> str:
        """Return the address of chat completions."""
        return f"{self.api_root}/chat/completions"

    def _endpoint(self, request: WireRequest) -> str:
        """Return the address of a request: that of chat completions, or the path of the operation below the API root."""
        operation = request.call.operation
        return self._get_completion_endpoint() if operation.name == CHAT.name else f"{self.api_root}{operation.path}"

    def _build_headers(self) -> dict[str, str]:
        """Return the headers of every request, including the API key."""
        headers = {"Content-Type": "application/json"}
        if self.api_key is not None:
            headers["Authorization"] = f"Bearer {self.api_key.reveal()}"
        return headers

    # -- requests -----------------------------------------------------------------------------------------------------

    def _message_rules(self, request: WireRequest) -> MessageRules | None:
        """Return the message rules of a request. Override it where the rules depend on the model."""
        del request
        return self.message_rules

    def _own_messages(self, messages: list[Any]) -> list[Any]:
        """Return messages with this vendor's own answers in the vendor's format, before the message rules apply."""
        return messages

    def _build_request_payload(self, request: WireRequest) -> dict[str, Any]:
        """Return the JSON body. It contains every parameter of the caller that the vendor may accept."""
        operation = request.call.operation
        if operation.scope is _OF_ACCOUNT:
            return dict(request.payload)
        payload = {"model": request.model, **request.payload}
        if request.call.output_limit is not None and self.output_limit_parameter != "max_tokens" and "max_tokens" in payload:
            payload[self.output_limit_parameter] = payload.pop("max_tokens")
        if request.stream and operation.stream is not StreamKind.BYTES:  # speech streams without a parameter
            payload["stream"] = True
            if self.requests_stream_usage:
                stream_usage.ask_for_usage(request, payload)
        if self.requests_base64_embeddings and operation.name == EMBEDDINGS.name:
            vectors.ask_for_base64(request, payload)
        return payload

    def _encode_request(self, request: WireRequest) -> tuple[str, list[tuple[str, str]], Any]:
        """Return address, headers and body of a request: ``bytes``, or a body with files. The default calls the hooks above."""
        raise NotImplementedError

    # -- responses ----------------------------------------------------------------------------------------------------

    def _parse_response(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the response in OpenAI's format, with every further field of the vendor."""
        return data

    def _decode_response(self, request: WireRequest, status: int, headers: Mapping[str, str], raw: bytes) -> Answer:
        """Return the answer in a response body, or raise its error. The default calls :meth:`_parse_response`."""
        raise NotImplementedError

    def _parse_sse_chunk(self, data: str) -> dict[str, Any] | None:
        """Return the data of one stream event as a chunk in OpenAI's format, ``None`` to skip the event.

        The default :meth:`_stream_decoder` calls it, except for ``[DONE]``.
        """
        chunk = json_codec.decode(data.encode())
        return chunk if isinstance(chunk, dict) else None

    def _stream_decoder(self, request: WireRequest) -> Any:
        """Return the decoder of one stream: an object with ``decode(event) -> list[dict]`` and a flag ``done``.

        Override it for a format with events that depend on each other.
        """
        from modelmesh_cdk.provider.openai_stream import ChunkDecoder, text_decoder  # noqa: PLC0415 - only for streams

        plain = type(self)._parse_sse_chunk is ProviderHooks._parse_sse_chunk  # noqa: SLF001 - its own method
        parse = None if plain else self._parse_sse_chunk
        return ChunkDecoder(parse, self._map_embedded_error, decode_text=text_decoder() if plain and request.call.relay else None)

    # -- errors -------------------------------------------------------------------------------------------------------

    def _error_code(self, body: Any) -> str | None:
        """Return the vendor's code in an error body, ``None`` where it has none."""
        if isinstance(body, Mapping) and isinstance(body.get("detail"), list):
            return None  # a list of field errors has a type for each field and no code
        return next(iter(error_bodies.read_error(body).codes), None)

    def _error_text(self, body: Any) -> str:
        """Return the vendor's message in an error body."""
        return error_bodies.read_error(body).message

    def _stated_delay(self, headers: Mapping[str, str], body: Any) -> float | None:
        """Return the seconds that a refusal asks to wait, ``None`` where it states none.

        Override it for a vendor that states the delay in the body.
        """
        del body
        return stated_delay(headers, wall=time.time(), names=self.rate_limit_headers)

    def _classify(self, status: int, code: str | None, headers: Mapping[str, str], body: Any) -> FailureClass:
        """Return the failure class of a refusal.

        The rows of :attr:`error_mappings` apply first, then those of :mod:`modelmesh_cdk.provider.common_errors`, then the
        status.
        """
        known = common_errors.find_explanation(status, code, body, self.error_mappings)
        if known is not None:
            return known.failure
        if status == _NOT_FOUND and self.missing_is_model and isinstance(body, Mapping | list) and body:
            return FailureClass.NOT_FOUND
        delay_given = status in BUSY_STATUSES and self._stated_delay(headers, body) is not None
        return classify(status, code, delay_given=delay_given)

    def _map_error_response(self, status: int, headers: Mapping[str, str], raw: bytes) -> ProviderError:
        """Return the error of a response with an error status. The default calls the hooks above."""
        raise NotImplementedError

    def _map_embedded_error(self, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> ProviderError:
        """Return the error of an error body under a success status, or of an error event of a stream."""
        raise NotImplementedError

    # -- model list ---------------------------------------------------------------------------------------------------

    def _get_list_endpoint(self) -> str:
        """Return the address of the model list."""
        return f"{self.api_root}{self.list_path}"

    def _parse_model_list(self, data: Any) -> Sequence[ModelInfo]:
        """Return the models of one page. The default reads a list, or a list under ``data``.

        Raises:
            ValueError: The page contains no list.
        """
        return model_list.read_rows(data, "data", self._parse_model_row)

    def _parse_model_row(self, row: Mapping[str, Any]) -> ModelInfo | None:
        """Return what a row of the list states about a model that the catalogue lacks, ``None`` to skip the row."""
        return model_list.read_openai_row(row, self.list_source())

    def _next_model_page(self, data: Any) -> Mapping[str, str] | None:
        """Return the query parameters of the next page, ``None`` after the last page."""
        del data
        return None

    def _unlisted_models(self) -> Sequence[ModelInfo]:
        """Return the models of the catalogue that the vendor serves and that its list does not cover."""
        return ()

    # -- what hooks call ----------------------------------------------------------------------------------------------

    def list_source(self) -> str:
        """Return the address of the model list for messages, without its query and without a password."""
        return model_list.show_url(str(self._get_list_endpoint()))

    def reported_rate_limits(self, headers: Mapping[str, str]) -> Sequence[RateLimit]:
        """Return the rate limits that response headers report."""
        return ReportedLimits(headers, time.time(), self.rate_limit_headers)

    def show_address(self) -> str:
        """Return host and port of the API root for messages, without a password."""
        return self.api_root.partition("://")[2].partition("/")[0].rpartition("@")[2]
