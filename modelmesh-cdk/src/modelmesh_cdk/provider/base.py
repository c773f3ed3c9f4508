"""Base class of provider connectors over HTTP."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from modelmesh._engine.foundation.lazy_import import LazyModule
from modelmesh.contracts import FailureClass
from modelmesh.contracts.provider import Answer
from modelmesh.errors import ProviderError
from modelmesh_cdk.declared_options import DeclaresOptions
from modelmesh_cdk.provider import catalogue
from modelmesh_cdk.provider.account import check_headers, find_api_key, restrict_to_loopback
from modelmesh_cdk.provider.config import BaseProviderConfig
from modelmesh_cdk.provider.connections import Connections
from modelmesh_cdk.provider.headers import RequestHeaders
from modelmesh_cdk.provider.hooks import ProviderHooks
from modelmesh_cdk.provider.learned_limits import LearnedLimits
from modelmesh_cdk.transport.proxies import proxy_for

if TYPE_CHECKING:
    from modelmesh.contracts.call import Call, Limits
    from modelmesh.contracts.models import ModelInfo, ModelPricing
    from modelmesh_cdk.provider import decoding, encoding, error_responses, event_streams, exchange, model_listing
    from modelmesh_cdk.transport.interfaces import AsyncTransport, Transport
    from modelmesh_cdk.wire.request import WireRequest
else:  # the first request imports them
    decoding = LazyModule(globals(), "decoding", "modelmesh_cdk.provider.decoding")
    encoding = LazyModule(globals(), "encoding", "modelmesh_cdk.provider.encoding")
    error_responses = LazyModule(globals(), "error_responses", "modelmesh_cdk.provider.error_responses")
    event_streams = LazyModule(globals(), "event_streams", "modelmesh_cdk.provider.event_streams")
    exchange = LazyModule(globals(), "exchange", "modelmesh_cdk.provider.exchange")
    model_listing = LazyModule(globals(), "model_listing", "modelmesh_cdk.provider.model_listing")


class BaseProvider(DeclaresOptions, ProviderHooks):
    """One account at one vendor with a JSON API over HTTP.

    The defaults speak OpenAI's format. A connector sets class attributes and overrides the hooks that differ. The page
    ``docs/reference/connector-hooks.md`` lists all of them.

    Attributes:
        config: The settings.
        api_root: Address that every path is appended to: the base URL with the API version.
        api_key: The API key, ``None`` without one.
        timeout: Seconds that an answer without streaming may take, ``None`` for the default of the mesh.
        max_retries: Retries at one model, ``None`` for the setting of the pool.
        capabilities: Capabilities of models that state none.
    """

    _base_settings: ClassVar[Collection[str]] = ("auth",)

    def __init__(
        self,
        config: BaseProviderConfig | Mapping[str, Any] | None = None,
        *,
        transport: Transport | str | None = None,
        async_transport: AsyncTransport | None = None,
        **settings: Any,
    ) -> None:
        """Read the settings. Nothing is connected.

        Args:
            config: Settings, as an object or a map.
            transport: The setting ``transport`` (``fast`` or ``httpx2``), or an object that replaces the transport of threads.
            async_transport: Replaces the transport of event loops.
            **settings: Settings by name.

        Raises:
            ConfigurationError: A required key is missing, the address is unusable, or a key or a header cannot be sent.
        """
        if isinstance(transport, str):
            settings["transport"], transport = transport, None
        if not isinstance(config, BaseProviderConfig):
            config = self.config_class.of({**(config or {}), **settings})
        self.config = config
        check_headers(self.id, config.headers)
        self.api_root = ""  # a hook that reads it too early finds an empty address
        self.api_key = find_api_key(self)
        self.api_root = self._resolve_api_root()
        self.timeout = config.timeout
        self.max_retries = config.max_retries
        self.capabilities: tuple[str, ...] = tuple(config.capabilities or self.default_capabilities)
        self._learned = LearnedLimits()
        self._request_headers = RequestHeaders()
        proxy = proxy_for(self.api_root)
        self._connections = Connections(
            self.id,
            self.api_root,
            config,
            proxy=proxy,
            loopback_only=restrict_to_loopback(self, proxy),
            transport=transport,
            async_transport=async_transport,
        )

    @classmethod
    def from_config(cls, settings: Mapping[str, Any]) -> Self:
        """Create a provider from its merged configuration."""
        return cls(settings)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.id} at {self.show_address()}>"

    # -- model catalogue ----------------------------------------------------------------------------------------------

    def models(self) -> Sequence[ModelInfo]:
        """Return the configured models, else the connector's model catalogue.

        Raises:
            ConnectorLoadError: The connector has no catalogue, or an invalid one.
        """
        found = self._configured_models() or self.shipped_models()
        if not found and type(self).shipped_models is BaseProvider.shipped_models:
            catalogue.require_catalogue(type(self))
        return found

    @classmethod
    def check_shipped(cls) -> None:
        """Check the connector's data files, as ``modelmesh connectors`` does.

        Raises:
            ConnectorLoadError: ``models.json`` is invalid, or is missing and no method replaces it.
        """
        found = catalogue.load_catalogue(cls.__module__.partition(".")[0], cls)
        if not found and cls.shipped_models is BaseProvider.shipped_models and cls.models is BaseProvider.models:
            catalogue.require_catalogue(cls)

    def shipped_models(self) -> Sequence[ModelInfo]:
        """Return the model catalogue of the connector's ``models.json``, without a request.

        Raises:
            ConnectorLoadError: The file is invalid.
        """
        return catalogue.load_catalogue(type(self).__module__.partition(".")[0], type(self))

    def _configured_models(self) -> tuple[ModelInfo, ...]:
        return catalogue.read_configured(self.config.models, self.shipped_models())

    def list_models(self) -> list[ModelInfo]:
        """Return the models as a list."""
        return list(self.models())

    def get_model_info(self, model_id: str) -> ModelInfo:
        """Return the row of a model.

        Raises:
            KeyError: The model is unknown.
        """
        for info in self.models():
            if model_id in (info.id, info.upstream):
                return info
        raise KeyError(model_id)

    def get_pricing(self, model_id: str) -> ModelPricing:
        """Return the list price of a model.

        Raises:
            KeyError: The model or its price is unknown. An unknown price is never zero.
        """
        price = self.get_model_info(model_id).pricing
        if price is None:
            raise KeyError(model_id)
        return price

    def get_capabilities(self) -> list[str]:
        """Return the capabilities of models that state none."""
        return list(self.capabilities)

    def supports(self, capability: str) -> bool:
        """Return whether models that state no capabilities have this one."""
        return capability in self.capabilities

    # -- requests -----------------------------------------------------------------------------------------------------

    def send(self, call: Call, model: str, limits: Limits) -> Any:
        """Serve one attempt. See :meth:`modelmesh.contracts.provider.Provider.send`."""
        transport = self._connections.sync()  # before the deadline starts: the first use imports the HTTP stack
        reply = exchange.drive_sync(exchange.attempt(self, call, model, limits, self._learned), transport)
        return reply if isinstance(reply, Answer) else event_streams.HttpEventStream(reply)

    async def asend(self, call: Call, model: str, limits: Limits) -> Any:
        """Serve one attempt without blocking the event loop."""
        transport = self._connections.of_loop()  # before the deadline starts: the first use imports the HTTP stack
        reply = await exchange.drive_async(exchange.attempt(self, call, model, limits, self._learned), transport)
        return reply if isinstance(reply, Answer) else event_streams.AsyncHttpEventStream(reply)

    def discover_models(self, limits: Limits | None = None) -> Sequence[ModelInfo]:
        """Read the vendor's model list. See :meth:`modelmesh.contracts.provider.ListsModels.discover_models`.

        Raises:
            ProviderError: There is no list, the list does not end, or :attr:`list_path` is empty.
        """
        known = (*self.shipped_models(), *self._configured_models())
        limits = limits or model_listing.LIST_LIMITS
        steps = model_listing.list_models(self, limits, self._request_headers, known)
        return exchange.drive_sync(steps, self._connections.sync())

    def get_json(self, url: str, limits: Limits) -> Any:
        """Fetch a JSON document of the vendor, such as its model list.

        Raises:
            ProviderError: There is no document.
        """
        headers = self._request_headers.fixed(self)
        return exchange.drive_sync(exchange.fetch_json(self, url, headers, limits), self._connections.sync())

    def probe(self, limits: Limits) -> None:
        """Request :attr:`probe_path`: an answer shows that the vendor is available and accepts the key.

        Raises:
            ProviderError: The vendor is unavailable or rejects the key, or :attr:`probe_path` is empty.
        """
        if not self.probe_path:
            message = f"{self.id} has no page that only a good key opens"
            raise ProviderError(message, failure=FailureClass.CONNECT)
        self.get_json(f"{self.api_root}{self.probe_path}", limits)

    # -- defaults of the hooks that call other hooks --------------------------------------------------------------------

    def _encode_request(self, request: WireRequest) -> tuple[str, list[tuple[str, str]], Any]:
        return encoding.encode_request(self, request, self._request_headers)

    def _decode_response(self, request: WireRequest, status: int, headers: Mapping[str, str], raw: bytes) -> Answer:
        headers = error_responses.without_key(self, headers)
        data = decoding.decode_body(self, request, status, headers, raw)
        kept = raw if request.call.relay else None
        del raw  # the body of 2,048 embeddings takes tens of megabytes, which are free before the vectors are unpacked
        return decoding.build_answer(self, request, headers, data, kept)

    def _map_error_response(self, status: int, headers: Mapping[str, str], raw: bytes) -> ProviderError:
        return error_responses.map_error_response(self, status, headers, raw)

    def _map_embedded_error(self, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> ProviderError:
        return error_responses.map_embedded_error(self, body, headers)

    def build_error(self, status: int, headers: Mapping[str, str], body: Any) -> ProviderError:
        """Return the error of a decoded error body: failure class, code, message and delay from the hooks."""
        return error_responses.build_error(self, status, headers, body)

    # -- connections --------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the connections of threads and of closed event loops."""
        self._connections.close()

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        await self._connections.aclose()

    def after_fork(self) -> None:
        """Drop the connections in a child process, which shares their sockets with its parent."""
        self._connections.after_fork()
