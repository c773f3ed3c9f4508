"""The ASGI application of a proxy."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from modelmesh._engine.gateway.gateway import Gateway
from modelmesh._engine.gateway.messages import GatewayRequest
from modelmesh_proxy.metrics.endpoint import serve_metrics
from modelmesh_proxy.metrics.proxy_metrics import ProxyMetrics
from modelmesh_proxy.services import ProxyServices
from modelmesh_proxy.settings import ProxySettings

if TYPE_CHECKING:
    from modelmesh import ModelMesh
    from modelmesh_proxy.admin.request_checks import RequestChecks

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
SendEvent = Callable[[Mapping[str, Any]], Awaitable[None]]

_ADMIN = (b"/admin/", b"/ui")


class ProxyApp:
    """ASGI application over one mesh. Any ASGI server can host it."""

    def __init__(self, services: ProxyServices) -> None:
        """Initialize the application.

        Args:
            services: The mesh and its settings. The application closes the mesh at the end of the ASGI lifespan.
        """
        self.services = services
        self.metrics = ProxyMetrics(services)
        services.on_replaced.append(lambda _: self.metrics.observe_mesh())

    async def __call__(self, scope: Scope, receive: Receive, send: SendEvent) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._counted(scope, receive, send)

    @cached_property
    def _admin(self) -> RequestChecks:
        """The administration interface, imported with its first request: most processes never get one."""
        from modelmesh_proxy.admin.api import create_admin  # noqa: PLC0415 - see above

        return create_admin(self.services)

    async def _lifespan(self, receive: Receive, send: SendEvent) -> None:
        while True:
            event = await receive()
            if event["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.services.mesh.ashutdown()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _counted(self, scope: Scope, receive: Receive, send: SendEvent) -> None:
        """Serve an HTTP request and count it. A caller that left before the head of its answer counts as status 499."""
        services, began, first, status = self.services, perf_counter(), None, 499

        async def observed(event: Mapping[str, Any]) -> None:
            nonlocal first, status
            await send(event)
            if event["type"] == "http.response.start":
                status = event["status"]
            elif first is None:
                first = perf_counter() - began

        services.in_flight += 1
        try:
            await self._http(scope, receive, observed)
        finally:
            services.in_flight -= 1
            services.total_requests += 1
            path = scope["raw_path"].decode("latin-1")
            self.metrics.count_request(scope["method"], path, status, perf_counter() - began, first)

    async def _http(self, scope: Scope, receive: Receive, send: SendEvent) -> None:
        if scope["raw_path"] == b"/metrics":
            await serve_metrics(self.metrics, scope, send)
            return
        if scope["raw_path"].startswith(_ADMIN):
            await self._admin(scope, receive, send)
            return
        body = bytearray()
        while True:
            event = await receive()
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        request = GatewayRequest(scope["method"], scope["raw_path"].decode("latin-1"), query, headers, bytes(body))
        response = await self.services.gateway.ahandle(request)
        head = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
        await send({"type": "http.response.start", "status": response.status, "headers": head})
        content: Any = response.content
        if isinstance(content, bytes):
            await send({"type": "http.response.body", "body": content})
            return
        try:
            async for piece in content:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        finally:
            await content.aclose()
        await send({"type": "http.response.body", "body": b""})


def create_app(config: Any = None, *, mesh: ModelMesh | None = None, settings: ProxySettings | None = None) -> ProxyApp:
    """Create the ASGI application.

    Args:
        config: Path, dictionary or :class:`~modelmesh.MeshConfig`. Without one, the path in ``MODELMESH_CONFIG``, else the
            providers whose keys are in the environment.
        mesh: A mesh to serve instead. The application closes it at the end of the ASGI lifespan.
        settings: Settings, by default those of the configuration.

    Raises:
        ConfigurationError: The configuration cannot be used.
    """
    if mesh is None:
        from modelmesh._engine.create import assemble  # noqa: PLC0415 - a caller with a mesh needs no detection

        config = config if config is not None else os.environ.get("MODELMESH_CONFIG")
        mesh = assemble(*(() if config else ("chat-completion",)), config=config, read_only=False)
    settings = settings or ProxySettings(mesh.proxy_section)
    return ProxyApp(ProxyServices(mesh, Gateway(mesh), settings))
