"""The ASGI application of a proxy."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from modelmesh._engine.gateway.error_responses import openai_error
from modelmesh._engine.gateway.gateway import Gateway
from modelmesh._engine.gateway.messages import GatewayRequest, HttpError
from modelmesh_proxy.application.health import OWN_PATHS, send_json
from modelmesh_proxy.application.mesh_source import find_config, load_mesh
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
DRAIN_ENDED = HttpError(503, "The server is shutting down and ended this request. Send it again.", code="server_shutdown")


class ProxyApp:
    """ASGI application over one mesh. Any ASGI server can host it."""

    def __init__(self, services: ProxyServices) -> None:
        """Initialize the application.

        Args:
            services: The mesh and its settings.
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
                self.services.draining = True
                if self.services.owns_mesh:
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

        requests = services.requests  # a reload replaces it
        requests.running += 1
        try:
            await self._http(scope, receive, observed)
        finally:
            requests.running -= 1
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
        handler = OWN_PATHS.get(scope["path"])
        if handler is not None:
            await handler(self.services, scope, send)
            return
        await self._gateway(scope, receive, send)

    async def _gateway(self, scope: Scope, receive: Receive, send: SendEvent) -> None:
        body = bytearray()
        while True:
            event = await receive()
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        request = GatewayRequest(scope["method"], scope["raw_path"].decode("latin-1"), query, headers, bytes(body))
        try:
            response = await self.services.gateway.ahandle(request)
        except CancelledError:
            if not self.services.draining:
                raise
            await send_json(send, 503, {"error": openai_error(DRAIN_ENDED)}, ((b"retry-after", b"1"),))
            return
        head = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
        await send({"type": "http.response.start", "status": response.status, "headers": head})
        content: Any = response.content
        if isinstance(content, bytes):
            await send({"type": "http.response.body", "body": content})
            return
        await self._send_stream(content, send)

    async def _send_stream(self, content: Any, send: SendEvent) -> None:
        try:
            async for piece in content:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except CancelledError:
            if not self.services.draining:
                raise
            await send({"type": "http.response.body", "body": content.fail(DRAIN_ENDED), "more_body": True})
        finally:
            await content.aclose()
        await send({"type": "http.response.body", "body": b""})


def create_app(config: Any = None, *, mesh: ModelMesh | None = None, settings: ProxySettings | None = None) -> ProxyApp:
    """Create the ASGI application.

    Args:
        config: Path, dictionary or :class:`~modelmesh.MeshConfig`. Without one, the configuration that
            :func:`~modelmesh_proxy.application.mesh_source.find_config` finds.
        mesh: A mesh to serve instead. The application does not close it.
        settings: Settings, by default those of the configuration.

    Raises:
        ConfigurationError: The configuration cannot be used.
    """
    owned = mesh is None
    if mesh is None:
        mesh = load_mesh(find_config() if config is None else config)
    settings = settings or ProxySettings(mesh.proxy_section)
    return ProxyApp(ProxyServices(mesh, Gateway(mesh), settings, owns_mesh=owned))
