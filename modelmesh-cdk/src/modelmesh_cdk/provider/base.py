"""A provider over HTTP: hooks say what is different about a vendor, the kit does the rest, sync and async alike."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping, Sequence
from threading import Lock
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from modelmesh._engine.plugins import attribution
from modelmesh.contracts import CHAT, FailureClass
from modelmesh.contracts.call import Call, Limits
from modelmesh.contracts.headers import CREDENTIALS
from modelmesh.contracts.models import ModelInfo, ModelPricing
from modelmesh.errors import ConfigurationError, ProviderError
from modelmesh_cdk.declared_options import DeclaresOptions
from modelmesh_cdk.provider import catalogue, model_list
from modelmesh_cdk.provider.config import BaseProviderConfig
from modelmesh_cdk.provider.embedding_batches import Batches, EmbeddingLimit, remaining
from modelmesh_cdk.provider.event_streams import AsyncHttpEventStream, HttpEventStream
from modelmesh_cdk.provider.stream_usage import refuses_usage
from modelmesh_cdk.provider.wire_format import WireFormat
from modelmesh_cdk.transport.loops import LoopTransports
from modelmesh_cdk.transport.port import AsyncTransport, Deadline, Transport, TransportError
from modelmesh_cdk.transport.proxies import log_use, may_be_loopback, proxy_for
from modelmesh_cdk.wire import json_codec
from modelmesh_cdk.wire.limits import LARGE_BODY, MAX_BODY, Body
from modelmesh_cdk.wire.request import WireRequest

ALLOW_HTTP = "MODELMESH_ALLOW_HTTP"
"""Environment variable that allows keys over plain ``http://``, as the setting ``allow_http`` does for one provider."""


class BaseProvider(DeclaresOptions, WireFormat):
    """One account at one vendor that speaks JSON over HTTP.

    The defaults speak OpenAI's format. A connector sets the class attributes of :class:`WireFormat` and overrides the
    hooks that differ: :meth:`_build_headers`, :meth:`_build_request_payload`, :meth:`_parse_response`,
    :meth:`_parse_sse_chunk`, :meth:`_get_completion_endpoint`, and for finer work :meth:`_stream_decoder`,
    :meth:`_classify`, :meth:`_error_code`. For the vendor's list of models there are :meth:`_get_list_endpoint`,
    :meth:`_parse_model_list`, :meth:`_parse_model_row`, :meth:`_next_model_page` and :meth:`_unlisted_models`.

    Attributes:
        probe_path: What :meth:`probe` asks for, after the API's root: a page that costs nothing and that only a good key
            opens. Empty where there is none; then a real request finds out.
        list_path: Where the vendor's list of models is, after the API's root, with the query that it is to be asked with.
            Empty where there is none.
        embedding_limit: What one request for embeddings may hold; larger ones are sent in parts. ``None`` where the vendor
            states no limit; one that a refusal states is remembered.
    """

    _base_settings: ClassVar[Collection[str]] = ("auth",)
    probe_path: ClassVar[str] = "/models"
    list_path: ClassVar[str] = "/models"
    embedding_limit: ClassVar[EmbeddingLimit | None] = None

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
        super().__init__(config)
        self.timeout = config.timeout
        self.max_retries = config.max_retries
        self.capabilities: tuple[str, ...] = tuple(config.capabilities or self.default_capabilities)
        self._lock = Lock()
        self._usage_refused = False
        self._learned_batches: dict[str, int] = {}
        self._given, self._given_async = transport, async_transport
        self._transport: Transport | None = transport
        self._async_transports = LoopTransports()
        self._proxy = proxy_for(self.api_root)
        self._loopback_only = self._keeps_to_this_machine()

    @classmethod
    def from_config(cls, settings: Mapping[str, Any]) -> Self:
        """Make a provider of its merged configuration."""
        return cls(settings)

    # -- the catalogue ------------------------------------------------------------------------------------------------

    def models(self) -> Sequence[ModelInfo]:
        """Return the configured models, else the catalogue that the connector ships.

        Raises:
            ConnectorLoadError: It ships none, or one that is wrong.
        """
        found = self._configured_models() or self.shipped_models()
        if not found and type(self).shipped_models is BaseProvider.shipped_models:
            catalogue.must_exist(type(self))
        return found

    @classmethod
    def check_shipped(cls) -> None:
        """Look at what the connector ships beside its code; ``modelmesh connectors`` does.

        Raises:
            ConnectorLoadError: Its ``models.json`` is wrong, or missing where nothing else has the list.
        """
        found = catalogue.load_catalogue(cls.__module__.partition(".")[0], cls)
        if not found and cls.shipped_models is BaseProvider.shipped_models and cls.models is BaseProvider.models:
            catalogue.must_exist(cls)

    def shipped_models(self) -> Sequence[ModelInfo]:
        """Return the catalogue in the connector's ``models.json``; nobody is asked.

        Raises:
            ConnectorLoadError: The file is wrong.
        """
        return catalogue.load_catalogue(type(self).__module__.partition(".")[0], type(self))

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

    # -- the vendor's list of models ----------------------------------------------------------------------------------

    def discover_models(self, limits: Limits | None = None) -> Sequence[ModelInfo]:
        """Ask the vendor which models it has now; see :meth:`modelmesh.contracts.provider.ListsModels.discover_models`.

        Raises:
            ProviderError: There was no list, no end of it, or :attr:`list_path` names none.
        """
        return model_list.discovered(self, limits or model_list.LIST_LIMITS)

    def _get_list_endpoint(self) -> str:
        """Return the address of the list."""
        return f"{self.api_root}{self.list_path}"

    def _parse_model_list(self, data: Any) -> Sequence[ModelInfo]:
        """Return the models of one page: by default those of a bare list, or of one under ``data``.

        Raises:
            ValueError: The page holds no list.
        """
        return model_list.rows_of(data, "data", self._parse_model_row)

    def _parse_model_row(self, row: Mapping[str, Any]) -> ModelInfo | None:
        """Return what a row of the list states of a model the catalogue does not know; ``None`` leaves it out."""
        return model_list.openai_row(row, self.list_source())

    def _next_model_page(self, data: Any) -> Mapping[str, str] | None:
        """Return the query parameters that ask for the page after this one; ``None`` after the last."""
        del data
        return None

    def _unlisted_models(self) -> Sequence[ModelInfo]:
        """Return the models of the catalogue that the vendor has though its list is not about their kind."""
        return ()

    def list_source(self) -> str:
        """Return the address of the vendor's list of models for messages, without its query and without a password."""
        return model_list.shown(str(self._get_list_endpoint()))

    # -- one attempt --------------------------------------------------------------------------------------------------

    def send(self, call: Call, model: str, limits: Limits) -> Any:
        """Serve one attempt; see :meth:`modelmesh.contracts.provider.Provider.send`."""
        batches = self._batches(call, model)
        if batches is None:
            return self._send_one(call, model, limits)
        began = time.monotonic()
        try:
            for part in batches.parts():
                try:
                    batches.keep(part, self._send_one(part, model, remaining(limits, began)))
                except ProviderError as error:
                    if not batches.shrinks(part, error):
                        raise
        except ProviderError as error:
            raise batches.failed(error) from None
        return batches.joined()

    def _batches(self, call: Call, model: str) -> Batches | None:
        """Return the request in parts when it is one for several embeddings, which a vendor may want in batches."""
        batches = Batches(call, model, self.embedding_limit, self._learned_batches)
        return batches if batches.several else None

    def _send_one(self, call: Call, model: str, limits: Limits) -> Any:
        began, request = time.monotonic(), WireRequest(call, model, usage_refused=self._usage_refused)
        try:
            try:
                return self._send(request, limits)
            except ProviderError as error:
                if not refuses_usage(request, error):
                    raise
            request = WireRequest(call, model, usage_refused=True)
            reply = self._send(request, remaining(limits, began))
        except ProviderError as error:
            error.adapted = request.adapted
            raise
        self._usage_refused = True  # only now: the first refusal may have been about something else
        return reply

    def _send(self, request: WireRequest, limits: Limits) -> Any:
        call = request.call
        url, headers, body = self._written(request)
        transport = self._sync()  # before the clock starts: the first use imports the HTTP stack
        deadline = _deadline(limits, stream=call.stream)
        try:
            response = transport.send("POST", url, headers, body, deadline)
        except TransportError as error:
            raise self._broken(error, limits) from None
        opened = False
        try:
            if call.stream and self._may_stream(response.status, response.headers):
                self._check_is_stream(response.headers)
                opened = True
                return HttpEventStream(self, request, response, deadline, limits)
            collected = Body(response.headers.get("content-encoding"), _most(call))
            for piece in response:
                collected.feed(piece)
            return self._answered(request, response.status, response.headers, collected.end())
        except TransportError as error:
            raise self._broken(error, limits) from None
        except ValueError as error:
            raise self._not_an_answer(self._unreadable(error), response.status, response.headers) from None
        finally:
            if not opened:
                response.close()

    def _written(self, request: WireRequest) -> tuple[str, list[tuple[str, str]], bytes]:
        """Encode a request; a mistake in doing so is the connector's, and nothing was sent."""
        try:
            written = self._encode_request(request)
        except ProviderError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a hook raises is the connector's mistake
            raise attribution.unexpected_exception(self, error, written=False) from None
        if not (isinstance(written, tuple) and tuple(map(type, written)) == (str, list, bytes)):
            raise self._misused(
                "_encode_request", written, "a tuple of three: the address (str), a list of headers, the body (bytes)"
            )
        return written

    async def asend(self, call: Call, model: str, limits: Limits) -> Any:
        """Serve one attempt without blocking the event loop."""
        batches = self._batches(call, model)
        if batches is None:
            return await self._asend_one(call, model, limits)
        began = time.monotonic()
        try:
            for part in batches.parts():
                try:
                    batches.keep(part, await self._asend_one(part, model, remaining(limits, began)))
                except ProviderError as error:
                    if not batches.shrinks(part, error):
                        raise
        except ProviderError as error:
            raise batches.failed(error) from None
        return batches.joined()

    async def _asend_one(self, call: Call, model: str, limits: Limits) -> Any:
        began, request = time.monotonic(), WireRequest(call, model, usage_refused=self._usage_refused)
        try:
            try:
                return await self._asend(request, limits)
            except ProviderError as error:
                if not refuses_usage(request, error):
                    raise
            request = WireRequest(call, model, usage_refused=True)
            reply = await self._asend(request, remaining(limits, began))
        except ProviderError as error:
            error.adapted = request.adapted
            raise
        self._usage_refused = True  # only now: the first refusal may have been about something else
        return reply

    async def _asend(self, request: WireRequest, limits: Limits) -> Any:
        call = request.call
        url, headers, body = self._written(request)
        transport = self._async()  # before the clock starts: the first use imports the HTTP stack
        deadline = _deadline(limits, stream=call.stream)
        try:
            response = await transport.send("POST", url, headers, body, deadline)
        except TransportError as error:
            raise self._broken(error, limits) from None
        opened = False
        try:
            if call.stream and self._may_stream(response.status, response.headers):
                self._check_is_stream(response.headers)
                opened = True
                return AsyncHttpEventStream(self, request, response, deadline, limits)
            collected = Body(response.headers.get("content-encoding"), _most(call))
            async for piece in response:
                collected.feed(piece)
            return self._answered(request, response.status, response.headers, collected.end())
        except TransportError as error:
            raise self._broken(error, limits) from None
        except ValueError as error:
            raise self._not_an_answer(self._unreadable(error), response.status, response.headers) from None
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
                raw = collected.end()
            finally:
                response.close()
            if response.status == 200:  # noqa: PLR2004 - HTTP OK
                return json_codec.decode(raw)
        except TransportError as error:
            raise self._broken(error, limits) from None
        except ValueError as error:
            raise self._not_an_answer(self._unreadable(error), response.status, response.headers) from None
        raise self._map_error_response(response.status, response.headers, raw)

    def probe(self, limits: Limits) -> None:
        """Ask for the list of models, or what :attr:`probe_path` names: the vendor is up, and takes the key.

        Raises:
            ProviderError: It is not, or does not; or there is no page that would say so.
        """
        if not self.probe_path:
            message = f"{self.id} has no page that only a good key opens"
            raise ProviderError(message, failure=FailureClass.CONNECT)
        self.get_json(f"{self.api_root}{self.probe_path}", limits)

    # -- connections --------------------------------------------------------------------------------------------------

    def _sync(self) -> Transport:
        transport = self._transport
        if transport is None:
            from modelmesh_cdk.transport.httpx2_transport import HttpxTransport  # noqa: PLC0415 - HTTP when first used

            with self._lock:
                if self._transport is None:
                    self._transport = HttpxTransport(self.api_root, client=self.config.http_client, **self._connecting())
                transport = self._transport
        return transport

    def _connecting(self) -> dict[str, Any]:
        if self._proxy is not None:
            log_use(self._proxy, self.api_root)
        return {
            "max_connections": self.config.max_connections,
            "proxy": self._proxy,
            "loopback_only": self._loopback_only,
        }

    def _keeps_to_this_machine(self) -> bool:
        """Whether requests must not leave this machine, because the key would be in clear text.

        Raises:
            ConfigurationError: They would leave it.
        """
        config = self.config
        keyed = self.api_key is not None or any(name.lower() in CREDENTIALS for name in config.headers)
        if (
            not self.api_root.startswith("http://")
            or not keyed
            or config.allow_http
            or os.environ.get(ALLOW_HTTP, "") in ("1", "true")
        ):
            return False
        host = self._proxy.host if self._proxy is not None else urlsplit(self.api_root).hostname or ""
        if not may_be_loopback(host):
            message = (
                f"the provider {self.id} would send its API key in clear text: its base_url is http://{self._where()}. "
                f"Use https://, or set allow_http: true (or {ALLOW_HTTP}=1) where you trust the network"
            )
            raise ConfigurationError(message)
        return True

    def _async(self) -> AsyncTransport:
        if self._given_async is not None:
            return self._given_async
        return self._async_transports.current(self._make_async)

    def _make_async(self) -> AsyncTransport:
        from modelmesh_cdk.transport.httpx2_transport import AsyncHttpxTransport  # noqa: PLC0415 - HTTP when first used

        return AsyncHttpxTransport(self.api_root, client=self.config.http_async_client, **self._connecting())

    def close(self) -> None:
        """Close the connections of threads, and of event loops that were closed."""
        self._async_transports.drop_closed()
        transport, self._transport = self._transport, self._given
        if transport is not None and transport is not self._given:  # what the caller gave, the caller closes
            transport.close()

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        await self._async_transports.aclose()

    def after_fork(self) -> None:
        """Take new connections and a new lock in a child process."""
        self._lock = Lock()
        self._transport = self._given
        self._async_transports = LoopTransports()


def _most(call: Call) -> int:
    """Return how many bytes an answer may have."""
    return MAX_BODY if call.operation.name == CHAT.name else LARGE_BODY


def _deadline(limits: Limits, *, stream: bool) -> Deadline:
    phase = limits.first_content if stream else limits.answer
    return Deadline(connect=limits.connect, phase=phase, total=limits.total, gap=limits.gap)
