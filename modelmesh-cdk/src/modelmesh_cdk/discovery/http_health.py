"""Discovery connector that probes each provider with one GET request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import frozen

from modelmesh.errors import ConfigurationError, ModelMeshError
from modelmesh_cdk.discovery.base import BaseDiscovery, BaseDiscoveryConfig
from modelmesh_cdk.provider.base import BaseProvider
from modelmesh_cdk.provider.headers import USER_AGENT
from modelmesh_cdk.transport.interfaces import Deadline, Transport, TransportError
from modelmesh_cdk.transport.proxies import proxy_for
from modelmesh_cdk.transport.selection import make_transport, select_transport
from modelmesh_cdk.wire.urls import join_api_root


@frozen(kw_only=True)
class HttpHealthDiscoveryConfig(BaseDiscoveryConfig):
    """Settings of an :class:`HttpHealthDiscovery`.

    Attributes:
        health_path: Path of the health endpoint.
        expected_status: Status of a provider that is up.
    """

    health_path: str = "/health"
    expected_status: int = 200


class HttpHealthDiscovery(BaseDiscovery):
    """Discovery connector that requests the health endpoint of each provider, without a key.

    The address comes from :meth:`register_provider_url` or the setting ``urls``, else from the base URL of an attached
    provider without the API version.

    Example:
        ::

            discovery = HttpHealthDiscovery({"health_path": "/health", "urls": {"vllm": "http://localhost:8000"}})
            discovery.probe("vllm").success
    """

    id: ClassVar[str] = "modelmesh.http-health.v1"
    config_class: ClassVar[type[BaseDiscoveryConfig]] = HttpHealthDiscoveryConfig

    def __init__(self, config: Any = None, *, transport: Transport | None = None, **clocks: Any) -> None:
        """Create a connector without any request.

        Args:
            config: Settings.
            transport: Replaces the selected transport.
            **clocks: Clocks of :class:`BaseDiscovery`.

        Raises:
            ConfigurationError: A URL is invalid.
        """
        super().__init__(config, **clocks)
        self._given = transport
        self._transports: dict[str, Transport] = {}
        self._urls: dict[str, str] = {}
        urls: Mapping[str, str] = self.config.options.get("urls") or {}
        for name, url in urls.items():
            self.register_provider_url(name, url)

    def register_provider_url(self, provider_id: str, base_url: str) -> None:
        """Set the address of a provider's health endpoint.

        Raises:
            ConfigurationError: The address is not an HTTP URL.
        """
        try:
            self._urls[provider_id] = join_api_root(base_url, "")
        except ValueError as error:
            message = f"{self.id} cannot probe {provider_id!r}: {error}"
            raise ConfigurationError(message) from None

    def _address(self, provider_id: str) -> str:
        provider = self.providers.get(provider_id)
        if provider_id in self._urls:
            return self._urls[provider_id]
        if isinstance(provider, BaseProvider):
            return provider.api_root.removesuffix(provider.api_version or "\0")
        message = f"No URL registered for provider: {provider_id}. Call register_provider_url({provider_id!r}, 'https://…')"
        raise ModelMeshError(message)

    def _probe_provider(self, provider_id: str, timeout: float) -> int:
        """Return the status of the health endpoint. Raise if it differs from the expected one."""
        root = self._address(provider_id)
        url = f"{root}/{self.config.health_path.lstrip('/')}"
        deadline = Deadline(connect=timeout, phase=timeout, total=timeout, gap=timeout)
        try:
            response = self._transport(root).send("GET", url, [("User-Agent", USER_AGENT)], b"", deadline)
        except TransportError as error:
            message = f"no answer: {error}"
            raise ModelMeshError(message) from None
        status = response.status
        response.close()
        if status != self.config.expected_status:
            message = f"its health page answered {status}, not {self.config.expected_status}"
            raise ModelMeshError(message, status=status)
        return status

    def _transport(self, root: str) -> Transport:
        if self._given is not None:
            return self._given
        with self._lock:
            if root not in self._transports:
                proxy = proxy_for(root)
                kind = select_transport(None, proxy)
                self._transports[root] = make_transport(kind, root, max_connections=2, proxy=proxy)
            return self._transports[root]

    def after_fork(self) -> None:
        """Create new connections and locks in a child process."""
        super().after_fork()
        self._transports = {}

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            transports, self._transports = self._transports, {}
        for transport in transports.values():
            transport.close()
