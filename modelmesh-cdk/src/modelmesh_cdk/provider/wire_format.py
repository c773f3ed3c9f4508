"""How one vendor's API is spoken: the hooks that a connector overrides, and the pure work around them.

Nothing here does I/O: requests become bytes, bytes become answers or typed errors.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from modelmesh._engine.foundation.failure_rules import classify
from modelmesh._engine.plugins import attribution
from modelmesh.contracts import CHAT, EMBEDDINGS, Billed, FailureClass, Secret, messages_for_connector
from modelmesh.contracts.call import Limits
from modelmesh.contracts.headers import unsendable
from modelmesh.contracts.operations import ReplyKind
from modelmesh.contracts.provider import Answer
from modelmesh.contracts.rate_limits import RateLimit
from modelmesh.errors import ConfigurationError, ProviderError, ProviderTimeoutError
from modelmesh_cdk.message_rules import MessageRules, fit
from modelmesh_cdk.provider.common_errors import COMMON
from modelmesh_cdk.provider.config import BaseProviderConfig
from modelmesh_cdk.provider.error_bodies import is_page, read_error
from modelmesh_cdk.provider.error_mapping import ErrorMapping, find_mapping, unsupported_parameter
from modelmesh_cdk.provider.event_streams import Unwrapped
from modelmesh_cdk.provider.failures import DELAYED, broke_off, failure, misused, refusal, scrubbed, vendor_text
from modelmesh_cdk.provider.rate_limit_headers import DEFAULT, RateLimitHeaders, ReportedLimits, stated_delay
from modelmesh_cdk.provider.stream_usage import ask_for_usage
from modelmesh_cdk.provider.tool_calls import complete_calls
from modelmesh_cdk.provider.vectors import in_asked_form
from modelmesh_cdk.transport.port import TransportError, TransportTimeoutError
from modelmesh_cdk.wire import json_codec
from modelmesh_cdk.wire.limits import TooMuchError
from modelmesh_cdk.wire.request import WireRequest
from modelmesh_cdk.wire.urls import api_root

CHAT_CAPABILITY = "generation.text-generation.chat-completion"
USER_AGENT = "modelmesh/0.1.0"


class WireFormat:
    """OpenAI's format; a connector sets the class attributes and overrides the hooks that differ.

    Attributes:
        id: Connector ID, the same as the entry point's name.
        default_base_url: Address of the vendor's API.
        api_key_variable: Environment variable with the key, read when none is configured.
        other_key_variables: More of them, read in this order after it.
        base_url_variable: Environment variable with an address, read when none is configured.
        api_version: What the paths begin with when the address has none.
        requires_key: Whether there is nothing to be had without a key.
        default_capabilities: Of models that state none of their own.
        missing_is_model: Whether the vendor answers 404 only for a model that it does not have.
        error_mappings: What the vendor's error codes and words mean.
        rate_limit_headers: Names of the headers that report the vendor's limits.
        message_rules: The vendor's rules for conversations, which the kit makes every chat obey; ``None`` changes nothing.
        asks_stream_usage: Whether streams are asked for their usage with ``stream_options``. ``False`` for a vendor that reports
            it anyway and does not know the option.
        output_limit_parameter: Name of the parameter that limits the tokens of an answer, for limits that the mesh sets. The
            caller's own limits keep the caller's names.
    """

    id: ClassVar[str] = "modelmesh.base.v1"
    default_base_url: ClassVar[str] = ""
    api_key_variable: ClassVar[str | None] = None
    other_key_variables: ClassVar[Sequence[str]] = ()
    base_url_variable: ClassVar[str | None] = None
    api_version: ClassVar[str] = "/v1"
    requires_key: ClassVar[bool] = True
    default_capabilities: ClassVar[Sequence[str]] = (CHAT_CAPABILITY,)
    missing_is_model: ClassVar[bool] = False
    error_mappings: ClassVar[Sequence[ErrorMapping]] = ()
    rate_limit_headers: ClassVar[Sequence[RateLimitHeaders]] = DEFAULT
    asks_stream_usage: ClassVar[bool] = True
    output_limit_parameter: ClassVar[str] = "max_tokens"
    config_class: ClassVar[type[BaseProviderConfig]] = BaseProviderConfig
    message_rules: ClassVar[MessageRules | None] = None

    def __init__(self, config: BaseProviderConfig) -> None:
        """Find the key and the address.

        Raises:
            ConfigurationError: No key where one is needed, or no usable address; a key or a header that cannot be sent.
        """
        self.config = config
        for name, value in config.headers.items():
            if why := unsendable(value, name):
                message = f"the header {name!r} of the provider {self.id} {why}; correct it under headers"
                raise ConfigurationError(message)
        self.api_root = ""
        self.api_key = self._find_key()
        self.api_root = self._resolve_api_root()
        self._headers: list[tuple[str, str]] | None = None

    def _find_key(self) -> Secret | None:
        given = self.config.api_key
        names = [name for name in (self.api_key_variable, *self.other_key_variables) if name]
        found = [given.reveal()] if given is not None else [os.environ.get(name, "") for name in names]
        text = next(filter(None, (one.strip() for one in found)), "")  # a file with a key ends in a line break
        if why := unsendable(text):
            message = f"the API key of the provider {self.id} {why}, so that no header can carry it; copy it anew"
            raise ConfigurationError(message)
        if text:
            return Secret(text)
        if self.requires_key:
            how = f"set api_key, or the variable: export {names[0]}=…" if names else "set api_key"
            how += f" ({' or '.join(names[1:])} will do too)" if names[1:] else ""
            what = "was given an empty API key" if given is not None else "has no API key"
            message = f"the provider {self.id} {what}; {how}"
            raise ConfigurationError(message)
        return None

    def _resolve_base_url(self) -> str:
        """Return the address as it was written; a host in a variable that ends in ``_HOST`` may lack its scheme."""
        variable = self.base_url_variable
        named = os.environ.get(variable, "").strip() if variable else ""
        written = self.config.base_url.strip() or named or self.default_base_url
        if variable and variable.endswith("_HOST") and written == named and written and "://" not in written:
            return f"http://{written}"
        return written

    def _resolve_api_root(self) -> str:
        try:
            return api_root(self._resolve_base_url(), self._api_version())
        except ValueError as error:
            message = f"the provider {self.id} has no usable base_url: {error}"
            raise ConfigurationError(message) from None

    # -- hooks: what is different about a vendor ----------------------------------------------------------------------

    def _api_version(self) -> str:
        """Return what the paths begin with when the address has no version."""
        return self.api_version

    def _build_headers(self) -> dict[str, str]:
        """Return the headers of every request, the key among them."""
        headers = {"Content-Type": "application/json"}
        if self.api_key is not None:
            headers["Authorization"] = f"Bearer {self.api_key.reveal()}"
        return headers

    def _get_completion_endpoint(self) -> str:
        """Return the address of chat completions; other operations stand beside it, by the table of operations."""
        return f"{self.api_root}/chat/completions"

    def _endpoint(self, request: WireRequest) -> str:
        """Return the address of a request."""
        operation = request.call.operation
        return self._get_completion_endpoint() if operation.name == "chat.completions" else f"{self.api_root}{operation.path}"

    def _build_request_payload(self, request: WireRequest) -> dict[str, Any]:
        """Return the body; what the caller sent and the vendor may know must be in it."""
        payload = {"model": request.model, **request.payload}
        if request.call.output_limit is not None and self.output_limit_parameter != "max_tokens" and "max_tokens" in payload:
            payload[self.output_limit_parameter] = payload.pop("max_tokens")
        if request.stream:
            payload["stream"] = True
            if self.asks_stream_usage:
                ask_for_usage(request, payload)
        return payload

    def _message_rules(self, request: WireRequest) -> MessageRules | None:
        """Return the rules for the conversation of a request; override it where they depend on the model."""
        del request
        return self.message_rules

    def _own_messages(self, messages: list[Any]) -> list[Any]:
        """Return messages with what this vendor itself answered in the vendor's own form, before the rules are applied."""
        return messages

    def _parse_response(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the answer in OpenAI's shape; what the vendor sent beyond it must still be in it."""
        return data

    def _parse_sse_chunk(self, data: str) -> dict[str, Any] | None:
        """Return the chunk that the data of one event is, in OpenAI's shape; ``None`` to skip it.

        Called by the default :meth:`_stream_decoder`. ``[DONE]`` never comes here.
        """
        chunk = json_codec.decode(data.encode())
        return chunk if isinstance(chunk, dict) else None

    def _stream_decoder(self, request: WireRequest) -> Any:
        """Return what decodes one stream: an object with ``decode(event) -> list[dict]`` and a flag ``done``.

        Override it for a format whose events only make sense together.
        """
        from modelmesh_cdk.provider.openai_stream import ChunkDecoder  # noqa: PLC0415 - only for streams

        plain = type(self)._parse_sse_chunk is WireFormat._parse_sse_chunk  # noqa: SLF001 - its own method
        return ChunkDecoder(None if plain else self._parse_sse_chunk, self._map_embedded_error)

    def _error_code(self, body: Any) -> str | None:
        """Return the vendor's code in an error body; ``None`` where it has none."""
        if isinstance(body, Mapping) and isinstance(body.get("detail"), list):
            return None  # a list of what is wrong with each field has a type a field, and no code
        return next(iter(read_error(body).codes), None)

    def _error_text(self, body: Any) -> str:
        """Return the vendor's message in an error body."""
        return read_error(body).message

    def _stated_delay(self, headers: Mapping[str, str], body: Any) -> float | None:
        """Return the seconds that a refusal asks to wait; ``None`` when it states none.

        Override it for a vendor that states the delay in the body.
        """
        del body
        return stated_delay(headers, wall=time.time(), names=self.rate_limit_headers)

    def _classify(self, status: int, code: str | None, headers: Mapping[str, str], body: Any) -> FailureClass:
        """Map a refusal into a class of failure; what follows from the class is the mesh's.

        The rows of :attr:`error_mappings` come first, then those of :mod:`modelmesh_cdk.provider.common_errors`, then the status.
        """
        known = self._explanation(status, code, body)
        if known is not None:
            return known.failure
        if status == _NOT_FOUND and self.missing_is_model and isinstance(body, Mapping | list) and body:
            return FailureClass.NOT_FOUND
        return classify(status, code, delay_given=self._stated_delay(headers, body) is not None)

    def _explanation(self, status: int, code: str | None, body: Any) -> ErrorMapping | None:
        """Return the row that explains a refusal; ``None`` when no row does."""
        return find_mapping(status, code, read_error(body), (*self.error_mappings, *COMMON))

    # -- around the hooks ----------------------------------------------------------------------------------------

    def _encode_request(self, request: WireRequest) -> tuple[str, list[tuple[str, str]], bytes]:
        options = request.call.options
        url: Any = self._endpoint(request)
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise self._misused(
                "_endpoint" if _overrides(self, "_endpoint") else "_get_completion_endpoint", url, "a whole address"
            )
        if options.query:
            url += ("&" if "?" in url else "?") + _query(options.query)
        if request.call.operation.name == CHAT.name and "messages" in request.payload:
            self._fit_conversation(request)
        payload: Any = self._build_request_payload(request)
        if not isinstance(payload, dict):
            raise self._misused("_build_request_payload", payload, "the body as a dict")
        changes = [line for line in request.adapted if line not in request.harmless] if request.call.strict else []
        if changes:
            message = f"{self.id} would have to change the request ({'; '.join(changes)}), and the pool is strict"
            raise failure(FailureClass.CAPABILITY, message, status=400)
        try:
            body = json_codec.encode(payload)
        except (ValueError, TypeError) as error:
            message = f"the request cannot be written as JSON: {error}. Nothing was sent."
            raise failure(FailureClass.CALLER, message, status=400) from None
        headers = self._fixed_headers()
        if request.stream:
            headers = [*headers[:-1], ("Accept", "text/event-stream")]
        if options.headers:
            own = {name.lower() for name in options.headers}
            headers = [pair for pair in headers if pair[0].lower() not in own] + _checked(options.headers)
        return url, headers, body

    def _fit_conversation(self, request: WireRequest) -> None:
        """Make a chat obey the vendor's rules."""
        messages = messages_for_connector(self.id, request.payload["messages"], request.adapted)
        if isinstance(messages, list):
            messages = self._own_messages(messages)
        if messages is not request.payload["messages"]:
            request.payload = {**request.payload, "messages": messages}
        rules = self._message_rules(request)
        if rules is not None:
            fitted = fit(request.payload, rules)
            request.payload = fitted.payload
            request.adapted += fitted.notes

    def _fixed_headers(self) -> list[tuple[str, str]]:
        if self._headers is None:
            vendor: Any = self._build_headers()
            if not isinstance(vendor, Mapping) or not all(isinstance(part, str) for pair in vendor.items() for part in pair):
                raise self._misused("_build_headers", vendor, "a dict of str to str; a Secret is sent by its reveal()")
            built = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate", **vendor}
            own = {name.lower() for name in self.config.headers}
            kept = [(name, value) for name, value in built.items() if name.lower() not in own]
            for name, value in kept:
                if why := unsendable(value, name):
                    message = f"the header {name!r} {why}; correct the settings of the provider. Nothing was sent."
                    raise failure(FailureClass.CONNECT, message)
            self._headers = [*kept, *self.config.headers.items(), ("Accept", "application/json")]
        return self._headers

    def _decode_response(self, request: WireRequest, status: int, headers: Mapping[str, str], raw: bytes) -> Answer:
        headers = self._without_key(headers)
        if not 200 <= status < 300:  # noqa: PLR2004 - HTTP success
            raise self._map_error_response(status, headers, raw)
        if request.call.operation.reply is ReplyKind.BYTES:
            return Answer(raw, headers, request.adapted, self.reported_rate_limits(headers))
        try:
            many = request.call.operation.name == EMBEDDINGS.name or bool(request.payload.get("logprobs"))
            data = json_codec.decode(raw, numbers=many)
        except TooMuchError as error:
            raise self._not_an_answer(str(error), status, headers) from None
        except ValueError:
            raise self._not_an_answer("its body is not JSON", status, headers) from None
        if not isinstance(data, dict):
            raise self._not_an_answer("its body is not a JSON object", status, headers)
        if data.get("error") or data.get("object") == "error":
            raise self._map_embedded_error(data, headers)
        parsed: Any = self._parse_response(data)
        if not isinstance(parsed, dict):
            raise self._misused("_parse_response", parsed, "the answer as a dict in OpenAI's shape", written=True)
        broken = broke_off(parsed, headers)
        if broken is not None:
            raise broken
        _complete(request, parsed)
        return Answer(parsed, headers, request.adapted, self.reported_rate_limits(headers))

    def reported_rate_limits(self, headers: Mapping[str, str]) -> Sequence[RateLimit]:
        """Return the rate limits that response headers report."""
        return ReportedLimits(headers, time.time(), self.rate_limit_headers)

    def _map_error_response(self, status: int, headers: Mapping[str, str], raw: bytes) -> ProviderError:
        try:
            body: Any = json_codec.decode(raw)
        except ValueError:
            body = raw.decode("utf-8", "replace")[:2000]
        if status in PAGE_IS_OUTAGE and is_page(headers.get("content-type", ""), raw):
            return self._page(status, headers, body)
        return self.build_error(status, headers, body)

    def build_error(self, status: int, headers: Mapping[str, str], body: Any) -> ProviderError:
        """Make the error of a refusal: its class, its code, and what the mesh does not try again."""
        code = self._scrubbed_code(body)
        kind: Any = self._classify(status, code, headers, body)
        text: Any = self._error_text(body)
        if not isinstance(kind, FailureClass):
            kinds = ", ".join(f"FailureClass.{one.name}" for one in FailureClass)
            raise self._misused("_classify", kind, f"one of {kinds}", written=True)
        if not isinstance(text, str):
            raise self._misused("_error_text", text, "a str, empty where there is none", written=True)
        delay = self._stated_delay(headers, body) if kind in DELAYED else None
        made = refusal(kind, status, headers, body, code=code, text=text, key=self.api_key, delay=delay)
        known = self._explanation(status, code, body) if kind is FailureClass.CAPABILITY else None
        if known is not None:
            made.too_long = known.too_long
            made.feature = scrubbed(unsupported_parameter(known, read_error(body)), self.api_key)
        return made

    def _page(self, status: int, headers: Mapping[str, str], body: str) -> ProviderError:
        """Make the error of a page of HTML: what stands before the vendor's API failed, not the request."""
        made = failure(
            FailureClass.PROTOCOL,
            f"the provider answered HTTP {status} with a page of HTML instead of JSON",
            status=status,
            headers=self._without_key(headers),
            body=scrubbed(body, self.api_key),
        )
        made.billed = Billed.NO
        return made

    def _map_embedded_error(self, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> ProviderError:
        """Make the error of an error body that came under a status of success."""
        code, headers = self._scrubbed_code(body), headers or {}
        status = read_error(body).status or _STATUS_OF_CODE.get((code or "").lower())
        if status is None and self._explanation(_BAD_REQUEST, code, body) is not None:
            status = _BAD_REQUEST
        if status is not None:
            return self.build_error(status, headers, dict(body))
        return failure(
            FailureClass.PROTOCOL, f"the provider answered an error as success ({code or 'no code'})", code=code, headers=headers
        )

    def _scrubbed_code(self, body: Any) -> str | None:
        code: Any = self._error_code(body)
        if code is not None and not isinstance(code, str):
            raise self._misused("_error_code", code, "a str, or None where there is none", written=True)
        return scrubbed(code, self.api_key)  # type: ignore[no-any-return]

    def _may_stream(self, status: int, headers: Mapping[str, str]) -> bool:
        """Return whether a reply to a streamed request can be a stream; JSON is read first, it may be an error."""
        return 200 <= status < 300 and _media_type(headers) != _JSON  # noqa: PLR2004 - HTTP success

    def _check_is_stream(self, headers: Mapping[str, str]) -> None:
        kind = _media_type(headers)
        if kind in (_JSON, "text/html"):
            message = f"its body is {kind}, not a stream of events"
            raise ValueError(message)

    def _answered(self, request: WireRequest, status: int, headers: Mapping[str, str], raw: bytes) -> Answer:
        """Return a whole answer; a streamed request has none, only a refusal or an error under a status of success."""
        if request.stream and 200 <= status < 300:  # noqa: PLR2004 - HTTP success
            body = json_codec.decode(raw)
            if isinstance(body, Mapping) and (body.get("error") or body.get("object") == "error"):
                raise self._map_embedded_error(body, headers)
            self._check_is_stream(headers)
        return self._decode_response(request, status, headers, raw)

    def _misused(self, hook: str, value: Any, right: str, *, written: bool = False) -> ProviderError:
        """Make the error of a hook that returned what it may not."""
        return misused(self, hook, value, right, written=written)

    def _unreadable(self, error: ValueError) -> str:
        """Say why an answer cannot be read, with the connector's own line where it was one that could not."""
        place = attribution.locate_exception(error, self)
        return f"{error} (read at {place})" if place else str(error)

    def _not_an_answer(self, why: str, status: int, headers: Mapping[str, str]) -> ProviderError:
        if not 200 <= status < 300:  # noqa: PLR2004 - an unreadable refusal is still a refusal
            return self._map_error_response(status, headers, b"")
        headers = self._without_key(headers)
        return failure(FailureClass.PROTOCOL, f"the provider answered, but {why}", status=status, headers=headers)

    def _without_key(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """Return response headers in which the account's key is blanked: gateways echo it, e.g. as a request ID."""
        key = self.api_key
        if not key or not any(key.reveal() in value for value in headers.values()):
            return headers
        return {name: key.scrub(value) for name, value in headers.items()}

    def _broken(self, error: TransportError, limits: Limits) -> ProviderError:
        made = failure(error.failure, f"no answer from {self._where()}: {error}")
        made.reason, made.address = (
            vendor_text(str(error), self.api_key),
            self.api_root.partition("://")[0] + "://" + self._where(),
        )
        if isinstance(made, ProviderTimeoutError):
            made.timeout_seconds = error.seconds if isinstance(error, TransportTimeoutError) else limits.total
        return made

    def _where(self) -> str:
        return self.api_root.partition("://")[2].partition("/")[0].rpartition("@")[2]

    def decode_pieces(self, encoding: str | None) -> Unwrapped:
        """Return what undoes a stream's content encoding."""
        return Unwrapped(encoding)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} at {self._where()}>"


_JSON = "application/json"


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _overrides(provider: WireFormat, hook: str) -> bool:
    return getattr(type(provider), hook) is not getattr(WireFormat, hook)


def _complete(request: WireRequest, answer: dict[str, Any]) -> None:
    """Put a whole answer into the form that its operation has at OpenAI."""
    if request.call.operation.name == CHAT.name:
        complete_calls(answer)
    elif request.call.operation.name == EMBEDDINGS.name:
        in_asked_form(answer, request.payload.get("encoding_format"))


def _query(parameters: Mapping[str, Any]) -> str:
    try:
        return urlencode(parameters, doseq=True)
    except UnicodeError:
        message = "an extra query parameter holds half a character (a lone surrogate); nothing was sent"
        raise failure(FailureClass.CALLER, message, status=400) from None


def _checked(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    for name, value in headers.items():
        if why := unsendable(str(value), str(name)):
            message = f"the extra header {name!r} {why}; nothing was sent"
            raise failure(FailureClass.CALLER, message, status=400)
    return [(str(name), str(value)) for name, value in headers.items()]


PAGE_IS_OUTAGE = frozenset({*range(400, 500), 501, 505}) - {401, 402, 407, 408, 413, 414, 425, 429, 431}
"""Statuses that a page of HTML makes meaningless. Every other status keeps its class."""

_NOT_FOUND, _BAD_REQUEST = 404, 400
_STATUS_OF_CODE = {
    "too_many_requests": 429,
    "invalid_api_key": 401,
    "model_not_found": 404,
    "request_timeout": 408,
    "internal_error": 500,
    "bad_gateway": 502,
    "service_unavailable": 503,
    "gateway_timeout": 504,
    "overloaded": 529,
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "insufficient_quota": 429,
    "overloaded_error": 529,
    "server_error": 500,
    "api_error": 500,
    "internal_server_error": 500,
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "context_length_exceeded": 400,
}
