"""A provider over HTTP: hooks say what is different about a vendor, the kit does the rest, sync and async alike."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any, ClassVar, Self
from urllib.parse import urlencode
from weakref import WeakKeyDictionary

from modelmesh.contracts.call import Call, Limits
from modelmesh.contracts.models import ModelInfo, ModelPricing
from modelmesh.contracts.provider import Answer
from modelmesh.errors import ConfigurationError, ProviderError
from modelmesh.operations import ReplyKind
from modelmesh.routing.classes import FailureClass, classify
from modelmesh.routing.delays import server_delay
from modelmesh.secret import Secret
from modelmesh_cdk import catalogue
from modelmesh_cdk.event_streams import AsyncHttpEventStream, HttpEventStream, Unwrapped
from modelmesh_cdk.failures import failure, refusal, scrubbed
from modelmesh_cdk.provider_config import BaseProviderConfig
from modelmesh_cdk.transport.port import AsyncTransport, Deadline, Transport, TransportError
from modelmesh_cdk.wire import json_codec
from modelmesh_cdk.wire.limits import Body
from modelmesh_cdk.wire.request import WireRequest
from modelmesh_cdk.wire.urls import api_root

CHAT_CAPABILITY = "generation.text-generation.chat-completion"
USER_AGENT = "modelmesh/0.1.0"


class BaseProvider:
    """One account at one vendor that speaks JSON over HTTP.

    The defaults speak OpenAI's format. A connector sets the class attributes and overrides the hooks that differ:
    :meth:`_build_headers`, :meth:`_build_request_payload`, :meth:`_parse_response`, :meth:`_parse_sse_chunk`,
    :meth:`_get_completion_endpoint`, and for finer work :meth:`_stream_decoder`, :meth:`_classify`, :meth:`_error_code`.

    Attributes:
        id: Connector ID, the same as the entry point's name.
        default_base_url: Address of the vendor's API.
        api_key_variable: Environment variable with the key, read when none is configured.
        base_url_variable: Environment variable with an address, read when none is configured.
        api_version: What the paths begin with when the address has none.
        requires_key: Whether there is nothing to be had without a key.
        default_capabilities: Of models that state none of their own.
    """

    id: ClassVar[str] = "modelmesh.base.v1"
    default_base_url: ClassVar[str] = ""
    api_key_variable: ClassVar[str | None] = None
    base_url_variable: ClassVar[str | None] = None
    api_version: ClassVar[str] = "/v1"
    requires_key: ClassVar[bool] = True
    default_capabilities: ClassVar[Sequence[str]] = (CHAT_CAPABILITY,)
    config_class: ClassVar[type[BaseProviderConfig]] = BaseProviderConfig

    def __init__(
        self,
        config: BaseProviderConfig | Mapping[str, Any] | None = None,
        *,
        transport: Transport | None = None,
        async_transport: AsyncTransport | None = None,
        **settings: Any,
    ) -> None:
        """Prepare; nothing is connected to.

        Args:
            config: Settings, as an object or a map.
            transport: In place of httpx2, for threads.
            async_transport: In place of httpx2, for asyncio.
            **settings: The same settings by name.

        Raises:
            ConfigurationError: No key where one is needed, or no usable address.
        """
        if not isinstance(config, BaseProviderConfig):
            config = self.config_class.of({**(config or {}), **settings})
        self.config = config
        self._root = ""
        self.timeout = config.timeout
        self.max_retries = config.max_retries
        self.capabilities: tuple[str, ...] = tuple(config.capabilities or self.default_capabilities)
        self._api_key = self._find_key()
        self._root = self._find_root()
        self._lock = Lock()
        self._given, self._given_async = transport, async_transport
        self._transport: Transport | None = transport
        self._async_transports: WeakKeyDictionary[Any, AsyncTransport] = WeakKeyDictionary()
        self._headers: list[tuple[str, str]] | None = None

    @classmethod
    def from_config(cls, settings: Mapping[str, Any]) -> Self:
        """Make a provider of its merged configuration."""
        return cls(settings)

    def _find_key(self) -> Secret | None:
        if self.config.api_key is not None:
            return self.config.api_key or None
        text = os.environ.get(self.api_key_variable, "") if self.api_key_variable else ""
        if text:
            return Secret(text)
        if self.requires_key:
            name = self.api_key_variable
            how = f"set api_key, or the variable: export {name}=…" if name else "set api_key"
            message = f"the provider {self.id} has no API key; {how}"
            raise ConfigurationError(message)
        return None

    def _find_root(self) -> str:
        named = os.environ.get(self.base_url_variable, "") if self.base_url_variable else ""
        address = self.config.base_url or named or self.default_base_url
        try:
            return api_root(address, self.api_version)
        except ValueError as error:
            message = f"the provider {self.id} has no usable base_url: {error}"
            raise ConfigurationError(message) from None

    # -- hooks: what is different about a vendor ----------------------------------------------------------------------

    def _build_headers(self) -> dict[str, str]:
        """Return the headers of every request, the key among them."""
        headers = {"Content-Type": "application/json"}
        if self._api_key is not None:
            headers["Authorization"] = f"Bearer {self._api_key.reveal()}"
        return headers

    def _get_completion_endpoint(self) -> str:
        """Return the address of chat completions; other operations stand beside it, by the table of operations."""
        return f"{self._root}/chat/completions"

    def _endpoint(self, request: WireRequest) -> str:
        """Return the address of a request."""
        operation = request.call.operation
        return self._get_completion_endpoint() if operation.name == "chat.completions" else f"{self._root}{operation.path}"

    def _build_request_payload(self, request: WireRequest) -> dict[str, Any]:
        """Return the body; what the caller sent and the vendor may know must be in it."""
        payload = {"model": request.model, **request.payload}
        if request.stream:
            payload["stream"] = True
        return payload

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
        from modelmesh_cdk.openai_stream import ChunkDecoder  # noqa: PLC0415 - only for streams

        plain = type(self)._parse_sse_chunk is BaseProvider._parse_sse_chunk  # noqa: SLF001 - its own method
        return ChunkDecoder(None if plain else self._parse_sse_chunk, self._event_failure)

    def _error_code(self, body: Any) -> str | None:
        """Return the vendor's code in an error body."""
        error = body.get("error") if isinstance(body, Mapping) else None
        if not isinstance(error, Mapping):
            return None
        code = error.get("code") or error.get("type")
        return str(code) if code else None

    def _error_text(self, body: Any) -> str:
        """Return the vendor's message in an error body."""
        error = body.get("error", body) if isinstance(body, Mapping) else body
        message = error.get("message") if isinstance(error, Mapping) else error
        return str(message if message is not None else "")

    def _classify(self, status: int, code: str | None, headers: Mapping[str, str], body: Any) -> FailureClass:
        """Map a refusal into a class of failure; what follows from the class is the mesh's."""
        delay = server_delay(headers, wall=lambda: 0.0) is not None
        return classify(status, code, delay_given=delay)

    # -- the catalogue ------------------------------------------------------------------------------------------------

    def models(self) -> Sequence[ModelInfo]:
        """Return the configured models, else the catalogue that the connector ships."""
        return self._configured_models() or self.shipped_models()

    def shipped_models(self) -> Sequence[ModelInfo]:
        """Return the catalogue in the connector's ``models.json``; nobody is asked."""
        return catalogue.load_catalogue(type(self).__module__.partition(".")[0])

    def _configured_models(self) -> tuple[ModelInfo, ...]:
        shipped = {info.id: info for info in self.shipped_models()}
        found = []
        for row in self.config.models:
            if isinstance(row, ModelInfo):
                found.append(row)
            elif isinstance(row, str):
                found.append(shipped.get(row) or ModelInfo(row, row))
            else:
                found.append(catalogue.read_row(row, source="configuration"))
        return tuple(found)

    def list_models(self) -> list[ModelInfo]:
        """Return the catalogue as a list."""
        return list(self.models())

    def get_model_info(self, model_id: str) -> ModelInfo:
        """Return one row of the catalogue.

        Raises:
            KeyError: It has none of that ID.
        """
        for info in self.models():
            if model_id in (info.id, info.upstream):
                return info
        raise KeyError(model_id)

    def get_pricing(self, model_id: str) -> ModelPricing:
        """Return a model's list price.

        Raises:
            KeyError: The model or its price is unknown; an unknown price is never zero.
        """
        price = self.get_model_info(model_id).pricing
        if price is None:
            raise KeyError(model_id)
        return price

    def get_capabilities(self) -> list[str]:
        """Return the capabilities of models that state none of their own."""
        return list(self.capabilities)

    def supports(self, capability: str) -> bool:
        """Whether a capability is among them."""
        return capability in self.capabilities

    # -- one attempt --------------------------------------------------------------------------------------------------

    def send(self, call: Call, model: str, limits: Limits) -> Any:
        """Serve one attempt; see :meth:`modelmesh.contracts.provider.Provider.send`."""
        request = WireRequest(call, model)
        url, headers, body = self._encode(request)
        deadline = _deadline(limits, stream=call.stream)
        try:
            response = self._sync().send("POST", url, headers, body, deadline)
        except TransportError as error:
            raise self._broken(error, limits) from None
        opened = False
        try:
            if call.stream and response.status == 200:  # noqa: PLR2004 - HTTP OK
                self._check_is_stream(response.headers)
                opened = True
                return HttpEventStream(self, request, response, deadline, limits)
            collected = Body(response.headers.get("content-encoding"))
            for piece in response:
                collected.feed(piece)
            return self._answer(request, response.status, response.headers, collected.end())
        except TransportError as error:
            raise self._broken(error, limits) from None
        except ValueError as error:
            raise self._not_an_answer(str(error), response.status, response.headers) from None
        finally:
            if not opened:
                response.close()

    async def asend(self, call: Call, model: str, limits: Limits) -> Any:
        """Serve one attempt without blocking the event loop."""
        request = WireRequest(call, model)
        url, headers, body = self._encode(request)
        deadline = _deadline(limits, stream=call.stream)
        try:
            response = await self._async().send("POST", url, headers, body, deadline)
        except TransportError as error:
            raise self._broken(error, limits) from None
        opened = False
        try:
            if call.stream and response.status == 200:  # noqa: PLR2004 - HTTP OK
                self._check_is_stream(response.headers)
                opened = True
                return AsyncHttpEventStream(self, request, response, deadline, limits)
            collected = Body(response.headers.get("content-encoding"))
            async for piece in response:
                collected.feed(piece)
            return self._answer(request, response.status, response.headers, collected.end())
        except TransportError as error:
            raise self._broken(error, limits) from None
        except ValueError as error:
            raise self._not_an_answer(str(error), response.status, response.headers) from None
        finally:
            if not opened:
                await response.aclose()

    def get_json(self, url: str, limits: Limits) -> Any:
        """Ask for a JSON document of the vendor's, such as its list of models.

        Raises:
            ProviderError: There was none.
        """
        try:
            response = self._sync().send("GET", url, self._fixed_headers(), b"", _deadline(limits, stream=False))
            try:
                collected = Body(response.headers.get("content-encoding"))
                for piece in response:
                    collected.feed(piece)
                data = json_codec.decode(collected.end()) if response.status == 200 else None  # noqa: PLR2004 - HTTP OK
            finally:
                response.close()
        except TransportError as error:
            raise self._broken(error, limits) from None
        except ValueError as error:
            raise self._not_an_answer(str(error), response.status, response.headers) from None
        if data is None:
            raise refusal(
                classify(response.status), response.status, response.headers, None, code=None, text="", key=self._api_key
            )
        return data

    # -- the pure middle of it ----------------------------------------------------------------------------------------

    def _encode(self, request: WireRequest) -> tuple[str, list[tuple[str, str]], bytes]:
        options = request.call.options
        url = self._endpoint(request)
        if options.query:
            url += ("&" if "?" in url else "?") + urlencode(options.query, doseq=True)
        try:
            payload = self._build_request_payload(request)
            if request.call.strict and request.adapted:
                message = f"{self.id} would have to change the request ({'; '.join(request.adapted)}), and the pool is strict"
                raise failure(FailureClass.CAPABILITY, message, status=400)
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

    def _fixed_headers(self) -> list[tuple[str, str]]:
        if self._headers is None:
            built = {**self._build_headers(), **self.config.headers}
            extra = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"}
            self._headers = [
                *built.items(),
                *((n, v) for n, v in extra.items() if n not in built),
                ("Accept", "application/json"),
            ]
        return self._headers

    def _answer(self, request: WireRequest, status: int, headers: Mapping[str, str], raw: bytes) -> Answer:
        if not 200 <= status < 300:  # noqa: PLR2004 - HTTP success
            raise self._refused(status, headers, raw)
        if request.call.operation.reply is ReplyKind.BYTES:
            return Answer(raw, headers, request.adapted)
        try:
            data = json_codec.decode(raw)
        except ValueError:
            raise self._not_an_answer("its body is not JSON", status, headers) from None
        if not isinstance(data, dict):
            raise self._not_an_answer("its body is not a JSON object", status, headers)
        if data.get("error"):
            raise self._event_failure(data, headers)
        return Answer(self._parse_response(data), headers, request.adapted)

    def _refused(self, status: int, headers: Mapping[str, str], raw: bytes) -> ProviderError:
        try:
            body: Any = json_codec.decode(raw)
        except ValueError:
            body = raw.decode("utf-8", "replace")[:2000]
        code = self._scrubbed_code(body)
        kind = self._classify(status, code, headers, body)
        return refusal(kind, status, headers, body, code=code, text=self._error_text(body), key=self._api_key)

    def _event_failure(self, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> ProviderError:
        """Make the error of an error body that came under a status of success."""
        error, code = body.get("error"), self._scrubbed_code(body)
        stated = error.get("code") if isinstance(error, Mapping) else None
        status = stated if isinstance(stated, int) and 400 <= stated < 600 else _STATUS_OF_CODE.get(code or "")  # noqa: PLR2004
        if status is not None:
            kind = self._classify(status, code, headers or {}, body)
            return refusal(kind, status, headers or {}, dict(body), code=code, text=self._error_text(body), key=self._api_key)
        return failure(
            FailureClass.PROTOCOL, f"the provider answered an error as success ({code or 'no code'})", code=code, headers=headers
        )

    def _scrubbed_code(self, body: Any) -> str | None:
        return scrubbed(self._error_code(body), self._api_key)  # type: ignore[no-any-return]

    def _check_is_stream(self, headers: Mapping[str, str]) -> None:
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind in ("application/json", "text/html"):
            message = f"its body is {kind}, not a stream of events"
            raise ValueError(message)

    def _not_an_answer(self, why: str, status: int, headers: Mapping[str, str]) -> ProviderError:
        if not 200 <= status < 300:  # noqa: PLR2004 - an unreadable refusal is still a refusal
            return self._refused(status, headers, b"")
        return failure(FailureClass.PROTOCOL, f"the provider answered, but {why}", status=status, headers=headers)

    def _broken(self, error: TransportError, limits: Limits) -> ProviderError:
        made = failure(error.failure, f"no answer from {self._where()}: {error}")
        if error.failure is FailureClass.TIMEOUT:
            made.timeout_seconds = limits.first_content if "headers" in str(error) else limits.total  # type: ignore[attr-defined]
        return made

    def _where(self) -> str:
        return self._root.partition("://")[2].partition("/")[0].rpartition("@")[2]

    def decode_pieces(self, encoding: str | None) -> Unwrapped:
        """Return what undoes a stream's content encoding."""
        return Unwrapped(encoding)

    # -- connections --------------------------------------------------------------------------------------------------

    def _sync(self) -> Transport:
        transport = self._transport
        if transport is None:
            from modelmesh_cdk.transport.httpx2_transport import HttpxTransport  # noqa: PLC0415 - HTTP when first used

            with self._lock:
                if self._transport is None:
                    config = self.config
                    self._transport = HttpxTransport(
                        self._root, max_connections=config.max_connections, client=config.http_client
                    )
                transport = self._transport
        return transport

    def _async(self) -> AsyncTransport:
        if self._given_async is not None:
            return self._given_async
        loop = asyncio.get_running_loop()
        transport = self._async_transports.get(loop)
        if transport is None:
            from modelmesh_cdk.transport.httpx2_transport import AsyncHttpxTransport  # noqa: PLC0415

            config = self.config
            transport = AsyncHttpxTransport(self._root, max_connections=config.max_connections, client=config.http_async_client)
            self._async_transports[loop] = transport
        return transport

    def close(self) -> None:
        """Close the connections of threads."""
        transport, self._transport = self._transport, self._given
        if transport is not None:
            transport.close()

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        transport = self._async_transports.pop(asyncio.get_running_loop(), None)
        if transport is not None:
            await transport.aclose()

    def after_fork(self) -> None:
        """Take new connections and a new lock in a child process."""
        self._lock = Lock()
        self._transport = self._given
        self._async_transports = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} at {self._where()}>"


def _deadline(limits: Limits, *, stream: bool) -> Deadline:
    phase = limits.first_content if stream else limits.answer
    return Deadline(connect=limits.connect, phase=phase, total=limits.total, gap=limits.gap)


def _checked(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    for name, value in headers.items():
        if any(mark in f"{name}{value}" for mark in "\r\n\0"):
            message = f"the extra header {name!r} holds a line break; nothing was sent"
            raise failure(FailureClass.CALLER, message, status=400)
    return [(str(name), str(value)) for name, value in headers.items()]


_STATUS_OF_CODE = {
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
