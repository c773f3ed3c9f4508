"""Transports of one provider: one for all threads, and one for each event loop."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

from modelmesh_cdk.provider.callers_clients import find_callers_clients
from modelmesh_cdk.transport.loops import LoopTransports
from modelmesh_cdk.transport.proxies import Proxy, log_use
from modelmesh_cdk.transport.selection import make_async_transport, make_transport, select_transport

if TYPE_CHECKING:
    from modelmesh_cdk.provider.config import BaseProviderConfig
    from modelmesh_cdk.transport.interfaces import AsyncTransport, Transport


class Connections:
    """Creates the transports when first used. The caller closes a transport or client that it supplied.

    Attributes:
        kind: Transport of the connections that the provider opens: ``fast`` or ``httpx2``.
    """

    def __init__(
        self,
        provider_id: str,
        api_root: str,
        config: BaseProviderConfig,
        *,
        proxy: Proxy | None,
        loopback_only: bool,
        transport: Transport | None = None,
        async_transport: AsyncTransport | None = None,
    ) -> None:
        """Store the settings. Nothing is imported or connected.

        Args:
            provider_id: ID of the connector, for messages.
            api_root: Address that the requests go to.
            config: Settings of the provider.
            proxy: The proxy of the environment.
            loopback_only: Refuse connections to other machines.
            transport: Replaces the transport of threads.
            async_transport: Replaces the transport of event loops.

        Raises:
            ConfigurationError: The setting ``transport`` or a client of the caller is unusable.
        """
        self._provider_id, self._api_root, self._config = provider_id, api_root, config
        self._proxy, self._loopback_only = proxy, loopback_only
        self._clients = find_callers_clients(provider_id, config)
        self.kind = select_transport(config.transport, proxy)
        self._given, self._given_async = transport, async_transport
        self._transport = transport
        self._of_loops = LoopTransports()
        self._lock = Lock()

    def sync(self) -> Transport:
        """Return the transport of threads."""
        transport = self._transport
        if transport is None:
            with self._lock:
                if self._transport is None:
                    self._transport = self._make()
                transport = self._transport
        return transport

    def of_loop(self) -> AsyncTransport:
        """Return the transport of the running event loop."""
        if self._given_async is not None:
            return self._given_async
        return self._of_loops.current(self._make_async)

    def _make(self) -> Transport:
        self._log_proxy()
        if self._clients.sync is not None:
            from modelmesh_cdk.transport.httpx2_transport import HttpxTransport  # noqa: PLC0415 - HTTP when first used

            return HttpxTransport(self._clients.sync)
        self._clients.warn_if_bypassed(self._provider_id, asynchronous=False)
        return make_transport(self.kind, self._api_root, **self._options())

    def _make_async(self) -> AsyncTransport:
        self._log_proxy()
        if self._clients.asynchronous is not None:
            from modelmesh_cdk.transport.httpx2_transport import AsyncHttpxTransport  # noqa: PLC0415 - HTTP when first used

            return AsyncHttpxTransport(self._clients.asynchronous)
        self._clients.warn_if_bypassed(self._provider_id, asynchronous=True)
        return make_async_transport(self.kind, self._api_root, **self._options())

    def _log_proxy(self) -> None:
        if self._proxy is not None:
            log_use(self._proxy, self._api_root)

    def _options(self) -> dict[str, Any]:
        return {
            "max_connections": self._config.max_connections,
            "proxy": self._proxy,
            "loopback_only": self._loopback_only,
        }

    def close(self) -> None:
        """Close the connections of threads and of closed event loops."""
        self._of_loops.drop_closed()
        transport, self._transport = self._transport, self._given
        if transport is not None and transport is not self._given:
            transport.close()

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        await self._of_loops.aclose()

    def after_fork(self) -> None:
        """Drop the connections in a child process, which shares their sockets with its parent."""
        self._lock = Lock()
        self._transport = self._given
        self._of_loops = LoopTransports()
